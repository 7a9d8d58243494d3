"""A metric by the name that a person types, loaded, with the facts that its numbers need."""

from dataclasses import dataclass
from typing import Any

from codecs_eval.measuring_trained import is_combined, is_trained, trained_run
from codecs_eval.metrics.metric import Metric
from codecs_eval.metrics.table import finite, load_metric, metric_entry
from codecs_eval.scoring import ROUNDED, has_rounded_weights, version_here, weight_file


@dataclass(frozen=True)
class NamedMetric:
    """A metric with the facts that a number cannot be read without.

    `low` and `high` are None where there is no bound; `is_simulated`: learned from no person.
    """

    name: str
    label: str
    definition: str
    version: str
    low: float | None
    high: float | None
    higher_is_better: bool
    metric: Metric
    is_simulated: bool = False

    def facts(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "label": self.label,
            "definition": self.definition,
            "version": self.version,
            "range": [self.low, self.high],
            "is_simulated": self.is_simulated,
            "higher_is_better": self.higher_is_better,
        }


def named_metric(name: str) -> NamedMetric:
    """From the table, run:ID or run:ID+combined of a finished training.

    Raises ValueError or RuntimeError.
    """
    if is_trained(name):
        return _trained_metric(name)
    entry = metric_entry(name)
    metric = load_metric(name, weight_file)
    definition = (
        f"{entry.definition}; {ROUNDED}" if has_rounded_weights(entry) else entry.definition
    )
    return NamedMetric(
        name,
        entry.label,
        definition,
        version_here(entry),
        finite(entry.low),
        finite(entry.high),
        entry.higher_is_better,
        metric,
    )


def _trained_metric(name: str) -> NamedMetric:
    # torch: only where it is scored with.
    from codecs_eval.metrics.trained import load_combined, load_trained

    run = trained_run(name)
    on = " on SIMULATED judgments" if run.is_simulated else ""
    said = f"LPIPS ({run.config['backbone']}) trained by run {run.pk}{on}"
    if is_combined(name):
        others = " + ".join(run.config["combine_with"])
        said = f"{said} + {others}: differences are logits, may be negative"
        metric: Metric = load_combined(run.folder, weight_file, name)
    else:
        said = f"{said}; 0 is identical"
        metric = load_trained(run.folder, weight_file, name)
    low = None if is_combined(name) else 0.0
    return NamedMetric(
        name, run.title, said, str(run.pk), low, None, False, metric, run.is_simulated
    )
