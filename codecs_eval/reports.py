"""Dataset + metrics -> numbers and figures on disk: the agreement report."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from codecs_eval import datasets
from codecs_eval.agreement import plots, tables
from codecs_eval.agreement.dataset import Part
from codecs_eval.agreement.differences import EVERY_PAIR, FIRST
from codecs_eval.agreement.drawing import svg
from codecs_eval.agreement.intervals import Bootstrap
from codecs_eval.agreement.outside_scores import parse_outside
from codecs_eval.agreement.reliability_plot import reliability_figure
from codecs_eval.agreement.report import evaluate_dataset
from codecs_eval.holding_out import HOLD_OUT, held_out
from codecs_eval.measuring import measured_metrics
from codecs_eval.measuring_trained import COMBINED, is_trained, trained_run
from codecs_eval.metrics.table import METRICS, USUAL
from codecs_eval.models import Run
from codecs_eval.outside_metrics import outside_distances
from codecs_eval.run_kinds import config_of
from codecs_eval.runs import RunReporter

PARTS = ("test", "all")


@dataclass(frozen=True)
class AgreementConfig:
    """Which metrics, on which sources of a dataset."""

    metrics: tuple[str, ...] = field(
        default=USUAL, metadata={"help": "Names from the table, run:ID or run:ID+combined."}
    )
    sources: str = field(
        default="test",
        metadata={"help": "test: the held-out sources; all: every source.", "choices": PARTS},
    )
    reference: str = field(
        default=FIRST,
        metadata={
            "label": "Compare with",
            "help": "The metric that the others are compared with: first (of the list), its name, "
            "or pairs: every metric with every other.",
        },
    )
    hold_out: str = field(
        default="none",
        metadata={
            "label": "Hold out",
            "help": "Also train heads without each codec, or rate, in turn, and score them on it. "
            "Recipes: those of the runs above that were trained on this dataset, else the one for "
            "small data.",
            "choices": tuple(HOLD_OUT),
        },
    )
    scores: tuple[str, ...] = field(
        default=(),
        metadata={
            "label": "Scores from files",
            "help": "FILE:NAME:higher or FILE:NAME:lower, a CSV of scores and which is better.",
        },
    )
    resamples: int = field(
        default=2000,
        metadata={
            "help": "Bootstrap resamples over sources, and over raters where they are known.",
            "low": 100,
        },
    )
    seed: int = field(default=1, metadata={"help": "Of the bootstrap.", "low": 0})

    def __post_init__(self) -> None:
        unknown = [n for n in self.metrics if n not in METRICS and not is_trained(n)]
        if unknown or not self.metrics:
            raise ValueError(
                f"Found metrics {list(self.metrics)}; expected some of {', '.join(METRICS)} "
                f"or run:ID or run:ID{COMBINED} of a finished training."
            )
        if self.sources not in PARTS:
            raise ValueError(f"Found sources {self.sources!r}; expected one of {PARTS}.")
        outside = [f"file:{parse_outside(text).name}" for text in self.scores]
        if self.reference not in (FIRST, EVERY_PAIR, *self.metrics, *outside):
            raise ValueError(
                f"Found {self.reference!r} to compare with; expected {FIRST!r}, {EVERY_PAIR!r} or "
                f"one of the metrics {', '.join([*self.metrics, *outside])}."
            )
        if self.hold_out not in HOLD_OUT:
            raise ValueError(f"Found hold out {self.hold_out!r}; expected one of {[*HOLD_OUT]}.")
        if not 100 <= self.resamples <= 1_000_000:
            raise ValueError(f"Found {self.resamples} resamples; expected 100..1000000.")


def agreement_in_run(run: Run, reporter: RunReporter) -> dict[str, Any]:
    if run.dataset is None:
        raise ValueError("Found no dataset; an agreement report is about one.")
    config: AgreementConfig = config_of(run.kind, run.config)
    dataset = datasets.frozen(run.dataset)
    part: Part = "all" if config.sources == "all" else "test"
    if not dataset.sources(part):
        raise ValueError(
            f"Dataset {run.dataset.name} has no held-out source; it has one source only. "
            "Report on all sources instead."
        )
    metrics, notes = measured_metrics(config.metrics, run.dataset, dataset, part, reporter)
    metrics += [
        outside_distances(text, dataset, part, index) for index, text in enumerate(config.scores)
    ]
    if not metrics:
        raise ValueError(" ".join(notes))
    reference = config.reference
    if reference not in (FIRST, EVERY_PAIR, *(metric.name for metric in metrics)):
        notes.append(f"{reference} was left out; the first metric is compared with instead.")
        reference = FIRST
    bootstrap = Bootstrap(resamples=config.resamples, seed=config.seed)
    report = evaluate_dataset(dataset, metrics, part, bootstrap, reference)
    told = report.to_json()
    if by := HOLD_OUT[config.hold_out]:
        runs = _trainings(config.metrics)
        told["held_out"], more = held_out(run.dataset, dataset, runs, by, part, bootstrap, reporter)
        notes += more
    return write(run.folder, told, report.to_csv(), notes)


def _trainings(names: Sequence[str]) -> list[Run]:
    """Each training among the metrics once; of one that is gone a note was made already."""
    found = []
    for name in dict.fromkeys(n.removesuffix(COMBINED) for n in names if is_trained(n)):
        with suppress(ValueError):
            found.append(trained_run(name))
    return found


def write(folder: Path, report: dict[str, Any], table: str, notes: Sequence[str]) -> dict[str, Any]:
    """report.json, report.csv, tables and figures, redrawn from the JSON alone."""
    report = {**report, "notes": list(notes)}
    (folder / "report.json").write_text(json.dumps(report, indent=2, allow_nan=False))
    texts = {
        "report.csv": table,
        "table.tex": tables.latex(report),
        "table.md": tables.markdown(report),
        "calibration.csv": tables.calibration_csv(report),
    }
    if report["differences"]:
        texts["differences.csv"] = tables.differences_csv(report)
    if report.get("held_out"):
        texts["held_out.csv"] = tables.held_out_csv(report)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    figures = {"agreement": plots.agreement_figure}
    if plots.has_rates(report):
        figures["by_rate"] = plots.rate_figure
    if report["calibration"]["metrics"]:
        figures["reliability"] = reliability_figure
    for name, draw in figures.items():
        (folder / f"{name}.svg").write_bytes(svg(draw(report)))
    return report
