"""A study's judged triplets with every metric's distances, on the very crops that people saw."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from django.conf import settings

from annotation.models import Study, Triplet
from codecs_eval import storing
from codecs_eval.agreement.judged import Judged, MetricDistances, MetricFacts, join
from codecs_eval.measuring_trained import TRAINED_MARKS, is_trained, photos_learned, trained_run
from codecs_eval.metrics.table import METRICS
from codecs_eval.named_metrics import NamedMetric, named_metric
from codecs_eval.runs import RunReporter
from codecs_eval.scoring import weights_key

_KEY = ("reconstruction", "left", "top", "right", "bottom")


@dataclass(frozen=True, eq=False)
class MeasuredStudy:
    """A study's judged triplets with their votes and every metric that could be had."""

    judged: Judged | None
    notes: list[str]
    n_in_part: int
    n_without_pixels: int


def measure_study(
    study: Study, rows: pd.DataFrame, names: Sequence[str], reporter: RunReporter
) -> MeasuredStudy:
    """Distances of the judged triplets under each metric; what could not be had is said.

    `rows`: counted judgments as `StudyRows.table`. Those that were given on a part of the crop are
    left out: the metrics see all of it.
    """
    whole = rows[~rows["is_part"]]
    ids = [int(pk) for pk in whole["triplet"].unique()]
    triplets = list(
        study.triplets.filter(pk__in=ids)
        .exclude(source__path="")
        .exclude(first__path="")
        .exclude(second__path="")
        .select_related("source", "first", "second")
        .order_by("pk")
    )
    kept = whole[whole["triplet"].isin([triplet.pk for triplet in triplets])]
    n_in_part, n_without = len(rows) - len(whole), len(ids) - len(triplets)
    if kept.empty:
        said = "no judged triplet has its pixels here" if ids else "no judgment counts yet"
        return MeasuredStudy(None, [f"Metrics were left out: {said}."], n_in_part, n_without)
    distances: list[MetricDistances] = []
    notes: list[str] = []
    for index, name in enumerate(names):
        reporter.stop_if_asked()
        try:
            distances.append(_measured(name, index, study, triplets, (len(names), reporter)))
        except (ValueError, RuntimeError) as error:
            # Crops too small, weights that cannot be had: the other metrics stay.
            notes.append(f"{name} was left out: {error}")
    judged = join(_frame(triplets), _votes(kept), distances, _ballots(kept))
    return MeasuredStudy(judged, notes, n_in_part, n_without)


def _frame(triplets: Sequence[Triplet]) -> pd.DataFrame:
    """The columns of a frozen dataset's triplets that scores are cut by."""
    return pd.DataFrame(
        [
            {
                "triplet_id": str(triplet.pk),
                "source": triplet.source.name,
                **{
                    f"{side}_{column}": getattr(getattr(triplet, side), column)
                    for side in ("first", "second")
                    for column in ("codec", "bpp", "target_bpp")
                },
            }
            for triplet in triplets
        ]
    )


def _ballots(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "triplet_id": rows["triplet"].astype(str),
            "observer": rows["observer"],
            "vote_second": 1 - rows["first_won"],
        }
    )


def _votes(rows: pd.DataFrame) -> pd.DataFrame:
    """Judgments summed per triplet, as `FrozenDataset.votes`."""
    counted = pd.DataFrame(
        {
            "triplet_id": rows["triplet"].astype(str),
            "source": rows["source"],
            "n": 1,
            "k_second": 1 - rows["first_won"],
            "n_not_sure": (rows["first_won"] == 0.5).astype(int),
        }
    )
    return counted.groupby(["triplet_id", "source"], as_index=False).sum()


def _measured(
    name: str,
    index: int,
    study: Study,
    triplets: Sequence[Triplet],
    progress: tuple[int, RunReporter],
) -> MetricDistances:
    look, key = _look_and_key(name, index, triplets)
    found = named_metric(name)
    values = _values_of_crops(study, key, found, triplets, (index, *progress))
    return MetricDistances(
        name,
        look["label"],
        found.higher_is_better,
        look["colour"],
        look["marker"],
        pd.DataFrame(
            {
                "triplet_id": [str(triplet.pk) for triplet in triplets],
                "d_first": [values[triplet.first_id, *triplet.box] for triplet in triplets],
                "d_second": [values[triplet.second_id, *triplet.box] for triplet in triplets],
            }
        ),
        MetricFacts(
            version=found.version, definition=found.definition, low=found.low, high=found.high
        ),
    )


def _look_and_key(name: str, index: int, triplets: Sequence[Triplet]) -> tuple[dict[str, str], str]:
    """How a metric is called and drawn, and what its scores are kept under.

    Raises ValueError for a training that saw photos of this study: none is judged on what it
    learned from.
    """
    if not is_trained(name):
        entry = METRICS[name]
        look = {"label": entry.label, "colour": entry.colour, "marker": entry.marker}
        return look, f"{name}-{weights_key(entry)}"
    run = trained_run(name)
    learned = photos_learned(run)
    seen = sorted({t.source.name for t in triplets if t.source.sha256 in learned})
    if seen:
        raise ValueError(
            f"its training saw {len(seen)} photos of this study ({', '.join(seen[:5])}); "
            "expected none. An agreement report with folds judges it fairly."
        )
    colour, marker = TRAINED_MARKS[index % len(TRAINED_MARKS)]
    on = " (on SIMULATED judgments)" if run.is_simulated else ""
    look = {"label": f"{run.title}{on}", "colour": colour, "marker": marker}
    return look, name.replace(":", "-")


def _values_of_crops(
    study: Study,
    key: str,
    found: NamedMetric,
    triplets: Sequence[Triplet],
    progress: tuple[int, int, RunReporter],
) -> dict[tuple[int, ...], float]:
    """Each reconstruction's value on each crop of it, by (reconstruction, box); kept for later."""
    path = Path(settings.TRIAD_HOME) / "scores" / f"study-{study.pk}" / f"{key}.parquet"
    known = _kept(path)
    wanted: dict[tuple[str, tuple[int, int, int, int]], dict[int, str]] = {}
    for triplet in triplets:
        cell = wanted.setdefault((triplet.source.path, triplet.box), {})
        for side in (triplet.first, triplet.second):
            if (side.pk, *triplet.box) not in known:
                cell[side.pk] = side.path
    todo = [(place, paths) for place, paths in wanted.items() if paths]
    index, n_metrics, reporter = progress
    for done, ((source, box), paths) in enumerate(todo):
        reporter.stop_if_asked()
        share = (index + done / len(todo)) / n_metrics
        reporter.progress(share, 1, f"measuring {found.label} on the crops")
        crops = [_crop(path, box) for path in paths.values()]
        scores = found.metric.scores(_crop(source, box), crops)
        known |= {(pk, *box): score for pk, score in zip(paths, scores, strict=True)}
    if todo:
        _keep(path, known)
    return known


def _crop(path: str, box: tuple[int, int, int, int]) -> Any:
    left, top, right, bottom = box
    return np.ascontiguousarray(storing.read_pixels(path)[top:bottom, left:right])


def _kept(path: Path) -> dict[tuple[int, ...], float]:
    if not path.exists():
        return {}
    rows = pd.read_parquet(path).itertuples(index=False, name=None)
    return {tuple(int(part) for part in key): float(value) for *key, value in rows}


def _keep(path: Path, known: dict[tuple[int, ...], float]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    rows = [(*key, value) for key, value in known.items()]
    pd.DataFrame(rows, columns=[*_KEY, "value"]).to_parquet(partial, index=False)
    partial.replace(path)
