"""Dataset + names of metrics -> the distances of every triplet; what could not be had is said."""

from collections.abc import Sequence

from codecs_eval.agreement.dataset import FrozenDataset, Part
from codecs_eval.agreement.judged import MetricDistances, MetricFacts
from codecs_eval.measuring_trained import is_trained, measured_training
from codecs_eval.metrics.table import METRICS, finite, load_metric
from codecs_eval.models import Dataset
from codecs_eval.runs import RunReporter
from codecs_eval.scoring import ROUNDED, has_rounded_weights, weight_file, weights_key
from codecs_eval.triplet_scores import scores_of


def measured_metrics(
    names: Sequence[str], row: Dataset, dataset: FrozenDataset, part: Part, reporter: RunReporter
) -> tuple[list[MetricDistances], list[str]]:
    """The metrics that could be had, and notes on the report: what was left out, and why.

    The baselines of a training follow it where they were not named: it is always compared with
    them.
    """
    wanted = list(names)
    metrics: list[MetricDistances] = []
    notes: list[str] = []
    n_trained = 0
    while wanted:
        name = wanted.pop(0)
        done = len(metrics) + len(notes)
        reporter.progress(done, done + len(wanted) + 1, name)
        try:
            if is_trained(name):
                found, remarks = measured_training(name, n_trained, row, dataset, part, reporter)
                n_trained += 1
                notes += remarks
            else:
                found = measured(name, row, dataset, reporter)
        except (ValueError, RuntimeError) as error:
            # Images too small, weights that cannot be had, a libvmaf that fails: the others stay.
            notes.append(f"{name} was left out: {error}")
            continue
        metrics.append(found)
        known = {*wanted, *(metric.name for metric in metrics), *names}
        wanted += [base for base in found.facts.baselines if base not in known]
    return metrics, list(dict.fromkeys(notes))


def measured(
    name: str, row: Dataset, dataset: FrozenDataset, reporter: RunReporter
) -> MetricDistances:
    """A metric of the table on every triplet."""
    entry = METRICS[name]
    values = scores_of(
        row,
        dataset,
        f"{name}-{weights_key(entry)}",
        lambda: load_metric(name, weight_file),
        reporter,
    )
    is_rounded = has_rounded_weights(entry)
    return MetricDistances(
        name,
        f"{entry.label}, fp16" if is_rounded else entry.label,
        entry.higher_is_better,
        entry.colour,
        entry.marker,
        values,
        MetricFacts(
            version=entry.version,
            definition=entry.definition,
            low=finite(entry.low),
            high=finite(entry.high),
            note=ROUNDED if is_rounded else "",
        ),
    )
