"""Dataset + metrics -> numbers and figures on disk: the agreement report."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pandas as pd
from django.conf import settings

from codecs_eval import datasets
from codecs_eval.agreement import plots, tables
from codecs_eval.agreement.dataset import FrozenDataset, Part
from codecs_eval.agreement.differences import EVERY_PAIR, FIRST
from codecs_eval.agreement.drawing import svg
from codecs_eval.agreement.intervals import Bootstrap
from codecs_eval.agreement.judged import MetricDistances
from codecs_eval.agreement.outside_scores import parse_outside
from codecs_eval.agreement.reliability_plot import reliability_figure
from codecs_eval.agreement.report import evaluate_dataset
from codecs_eval.holding_out import HOLD_OUT, held_out, trained_label
from codecs_eval.metrics.metric import Metric
from codecs_eval.metrics.table import METRICS, USUAL, load_metric
from codecs_eval.models import Dataset, Run
from codecs_eval.outside_metrics import outside_distances
from codecs_eval.run_kinds import config_of
from codecs_eval.runs import RunReporter
from codecs_eval.scoring import weight_file

PARTS = ("test", "all")
RUN_PREFIX = "run:"
# For trained metrics, beside the table's own colours.
TRAINED_MARKS = (("#000000", "*"), ("#6e6e6e", "X"), ("#000000", "P"), ("#6e6e6e", "D"))


@dataclass(frozen=True)
class AgreementConfig:
    """Which metrics, on which sources of a dataset."""

    metrics: tuple[str, ...] = field(
        default=USUAL, metadata={"help": "Names from the table, or run:ID."}
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
        unknown = [n for n in self.metrics if n not in METRICS and not n.startswith(RUN_PREFIX)]
        if unknown or not self.metrics:
            raise ValueError(
                f"Found metrics {list(self.metrics)}; expected some of {', '.join(METRICS)} "
                "or run:ID of a finished training."
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
    metrics: list[MetricDistances] = []
    notes: list[str] = []
    trained = [name for name in config.metrics if name.startswith(RUN_PREFIX)]
    for done, name in enumerate(config.metrics):
        reporter.progress(done, len(config.metrics), name)
        index = trained.index(name) if name in trained else 0
        try:
            found = _distances(run.dataset, dataset, part, name, index, reporter)
        except ValueError as error:
            # A metric that cannot take these images (too small, say) does not cost the others.
            notes.append(f"{name} was left out: {error}")
            continue
        metrics.append(found.distances)
        notes += found.notes
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
        runs = [trained_run(name) for name in trained]
        told["held_out"], more = held_out(run.dataset, dataset, runs, by, part, bootstrap, reporter)
        notes += more
    return write(run.folder, told, report.to_csv(), notes)


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


@dataclass(frozen=True)
class Found:
    distances: MetricDistances
    notes: tuple[str, ...] = ()


def _distances(
    row: Dataset,
    dataset: FrozenDataset,
    part: Part,
    name: str,
    index: int,
    reporter: RunReporter,
) -> Found:
    if name.startswith(RUN_PREFIX):
        return _trained_distances(row, dataset, part, name, index, reporter)
    entry = METRICS[name]
    values = _scored(
        row, dataset, f"{name}-{entry.version}", lambda: load_metric(name, weight_file), reporter
    )
    return Found(
        MetricDistances(
            name, entry.label, entry.higher_is_better, entry.colour, entry.marker, values
        )
    )


def trained_run(name: str) -> Run:
    """The finished training that `run:ID` names. Raises ValueError saying what is wrong."""
    text = name.removeprefix(RUN_PREFIX)
    try:
        found = Run.objects.filter(pk=UUID(text), kind="train_metric").first()
    except ValueError:
        found = None
    if found is None:
        raise ValueError(f"No training run {text!r}; expected run:ID as its page shows.")
    if found.state != Run.State.DONE:
        raise ValueError(f"Training run {text} is {found.state}; expected done.")
    return found


def _trained_distances(
    row: Dataset,
    dataset: FrozenDataset,
    part: Part,
    name: str,
    index: int,
    reporter: RunReporter,
) -> Found:
    from codecs_eval.metrics.trained import load_trained  # torch: only where a run is scored

    run = trained_run(name)
    label = trained_label(run)
    if run.is_simulated and not row.is_simulated:
        label += " (on SIMULATED)"
    notes: list[str] = []
    if run.dataset_id == row.pk and part == "all":
        path = run.folder / "out_of_fold.parquet"
        if not path.exists():
            raise ValueError(
                "it was trained on sources of this dataset; on all sources it would be "
                "judged on what it learned. Train with folds (--folds 5), or report on the "
                "held-out sources."
            )
        values = pd.read_parquet(path)[["triplet_id", "d_first", "d_second"]]
        label += f", {run.config['folds']}-fold"
        notes.append(
            f"{label}: cross-validated; every source is scored by heads trained without it."
        )
    else:
        _refuse_seen_photos(run, dataset, part)
        values = _scored(
            row, dataset, f"run-{run.pk}", lambda: load_trained(run.folder, weight_file), reporter
        )
    colour, marker = TRAINED_MARKS[index % len(TRAINED_MARKS)]
    return Found(MetricDistances(name, label, False, colour, marker, values), tuple(notes))


def _refuse_seen_photos(run: Run, dataset: FrozenDataset, part: Part) -> None:
    """A metric is never judged on photos that it learned from, whatever crop or dataset."""
    if run.dataset is None:
        raise ValueError("it does not say what it was trained on.")
    trained = datasets.frozen(run.dataset)
    learned = trained.triplets["source"].isin(trained.sources("train"))
    seen = set(trained.triplets.loc[learned, "source_sha256"])
    asked = dataset.triplets["source"].isin(dataset.sources(part))
    now = dataset.triplets.loc[asked, ["source", "source_sha256"]]
    overlap = sorted(set(now.loc[now["source_sha256"].isin(seen), "source"]))
    if overlap:
        raise ValueError(
            f"its training saw {len(overlap)} of the {now['source'].nunique()} photos of this "
            f"report ({', '.join(overlap[:5])}); expected none."
        )


def _scored(
    row: Dataset,
    dataset: FrozenDataset,
    key: str,
    load: Callable[[], Metric],
    reporter: RunReporter,
) -> pd.DataFrame:
    """d_first and d_second of every triplet; computed once per dataset and metric version."""
    path = Path(settings.TRIAD_HOME) / "scores" / str(row.pk) / f"{key}.parquet"
    if path.exists():
        return pd.read_parquet(path)
    metric = load()
    pieces = []
    for source, triplets in dataset.triplets.groupby("source_image"):
        reporter.stop_if_asked()
        reconstructions = sorted({*triplets["first_image"], *triplets["second_image"]})
        values = metric.scores(
            dataset.image(str(source)), [dataset.image(sha) for sha in reconstructions]
        )
        by_sha = dict(zip(reconstructions, values, strict=True))
        pieces.append(
            pd.DataFrame(
                {
                    "triplet_id": triplets["triplet_id"],
                    "d_first": triplets["first_image"].map(by_sha),
                    "d_second": triplets["second_image"].map(by_sha),
                }
            )
        )
    scored = pd.concat(pieces, ignore_index=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    scored.to_parquet(partial, index=False)
    partial.replace(path)
    return scored
