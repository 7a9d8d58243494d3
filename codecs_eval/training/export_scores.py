"""How well a trained metric agrees, for its model card: beside the untouched one, with intervals.

The held-out part is scored anew by the tensors that are exported. The cross-validated part judges
the recipe instead: each source by the training's fit without it, of which nothing is exported.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from torch import Tensor

from codecs_eval.agreement.dataset import FrozenDataset, Part
from codecs_eval.agreement.intervals import Bootstrap
from codecs_eval.agreement.judged import MetricDistances, values_of
from codecs_eval.agreement.report import evaluate_dataset
from codecs_eval.metrics.lpips import LpipsMetric
from codecs_eval.metrics.pooling import pool
from codecs_eval.training.reporter import Reporter, stop_if_asked

FORMAT = "triad-metric-scores/1"
_HELD_OUT = "held out: sources that the training never saw"
_CROSSED = "cross-validated: every source scored by the same recipe, trained without it"
_THIS, _RECIPE = "this metric", "same recipe, out of fold"
_UNTOUCHED = "untouched LPIPS"
_KEPT = (
    "agreement",
    "low",
    "high",
    "method",
    "reason",
    "agreement_by_triplet",
    "n_triplets",
    "n_judgments",
    "n_sources",
    "n_ties",
)


def export_scores(
    dataset: FrozenDataset,
    trained: LpipsMetric,
    untouched: LpipsMetric,
    out_of_fold: pd.DataFrame | None,
    report: Reporter,
) -> dict[str, Any]:
    """metrics.json: the held-out part, and the cross-validated one where `out_of_fold` is given.

    Shares are in 0..1. `out_of_fold`: triplet_id, d_first, d_second. May raise Stopped.
    """
    parts = []
    scope: Part = "test" if out_of_fold is None else "all"
    if dataset.sources(scope):
        ours, theirs = _both(
            dataset.restricted_to(dataset.sources(scope)), trained, untouched, report
        )
        if dataset.sources("test"):
            both = {_THIS: ours, _UNTOUCHED: theirs}
            parts.append(_part("heldout", _HELD_OUT, dataset, "test", both))
        if out_of_fold is not None:
            both = {_RECIPE: out_of_fold, _UNTOUCHED: theirs}
            parts.append(_part("cross_validated", _CROSSED, dataset, "all", both))
    return {
        "format": FORMAT,
        "is_simulated": dataset.is_simulated,
        "weighting": "every judgment counts the same; agreement_by_triplet: every triplet",
        "parts": parts,
    }


def _part(
    part_name: str,
    label: str,
    dataset: FrozenDataset,
    part: Part,
    distances: Mapping[str, pd.DataFrame],
) -> dict[str, Any]:
    """`distances`: of the trained metric and of the untouched one, by their labels."""
    metrics = [
        MetricDistances(name, words, False, "#000000", "o", values)
        for name, (words, values) in zip(("trained", "untouched"), distances.items(), strict=True)
    ]
    # The report's differences are from its first metric.
    metrics.reverse()
    found = evaluate_dataset(dataset, metrics, part, Bootstrap()).to_json()
    return {
        "part": part_name,
        "label": label,
        "counts": found["counts"],
        "intervals": found["intervals"],
        "metrics": [
            {"name": row["name"], "label": row["label"], **{key: row[key] for key in _KEPT}}
            for row in reversed(found["metrics"])
        ],
        "difference": found["differences"]["rows"][0] if found["differences"] else None,
        "people": found["people"],
    }


def _both(
    dataset: FrozenDataset, trained: LpipsMetric, untouched: LpipsMetric, report: Reporter
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """d_first and d_second of every triplet, by both metrics."""
    pieces: list[list[pd.DataFrame]] = [[], []]
    groups = list(dataset.triplets.groupby("source_image"))
    for done, (source, triplets) in enumerate(groups):
        stop_if_asked(report)
        report.progress(done, len(groups), f"scoring source {done + 1} of {len(groups)}")
        names = sorted({*triplets["first_image"], *triplets["second_image"]})
        found = _distances(dataset, str(source), names, trained, untouched)
        for piece, values in zip(pieces, found, strict=True):
            piece.append(values_of(triplets, dict(zip(names, values, strict=True))))
    first, second = (pd.concat(piece, ignore_index=True) for piece in pieces)
    return first, second


def _distances(
    dataset: FrozenDataset,
    source: str,
    names: list[str],
    trained: LpipsMetric,
    untouched: LpipsMetric,
) -> tuple[list[float], list[float]]:
    original = dataset.image(source)
    images = [dataset.image(name) for name in names]
    if trained.trunk.sha256 != untouched.trunk.sha256:
        return trained.scores(original, images), untouched.scores(original, images)
    # One pass serves both: they differ in their heads alone.
    mean = pool(trained.trunk, original, images).mean
    return _dot(mean, trained), _dot(mean, untouched)


def _dot(mean: Tensor, metric: LpipsMetric) -> list[float]:
    values: list[float] = (mean.double().cpu() @ metric.weights.double().cpu()).tolist()
    return values
