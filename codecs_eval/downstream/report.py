"""Finds in originals and in compressed photos -> the numbers of a downstream report.

uncompressed finds --+-- against the truth -> AP or IoU, and its loss by codec and rate
compressed finds ----+-- against the uncompressed finds -> agreement, with or without a truth
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from codecs_eval.downstream import pixels, without_truth
from codecs_eval.downstream.ap import Photo, coco_scores, instances_by_size
from codecs_eval.downstream.bd_rate import bd_rate
from codecs_eval.downstream.found import Floats, Found
from codecs_eval.downstream.intervals import LEAST_DEFINED, LEVEL, METHOD, interval, left_out
from codecs_eval.downstream.resampled_ap import draws, ranked, resampled_ap
from codecs_eval.downstream.told import agreement_of

STATES = ("hit", "nearest", "unreachable")


@dataclass(frozen=True)
class Cell:
    """One codec at one target rate: of every photo, in their order, its rate, state, finds."""

    codec: str
    label: str
    colour: str
    marker: str
    target_bpp: float
    bpp: tuple[float, ...]
    states: tuple[str, ...]
    found: tuple[Found, ...]


@dataclass(frozen=True)
class Asked:
    """`by_label`: the classes that are evaluated; empty without a truth."""

    task: str
    by_label: Mapping[str, int]
    resamples: int = 2000
    seed: int = 1

    @property
    def kinds(self) -> tuple[str, ...]:
        if not self.by_label:
            return ()
        return {"segmentation": ("box", "mask"), "semantic": ("pixel",)}.get(self.task, ("box",))


@dataclass(frozen=True, eq=False)
class _Drawn:
    """A number of one cell: on all photos, in every resample, in the jackknife."""

    value: float
    drawn: Floats
    jackknife: Floats

    def minus(self, other: _Drawn) -> _Drawn:
        return _Drawn(
            self.value - other.value, self.drawn - other.drawn, self.jackknife - other.jackknife
        )

    def to_json(self) -> dict[str, float | None]:
        return interval(self.value, self.drawn, self.jackknife).to_json()


def evaluate(
    photos: Sequence[Photo],
    uncompressed: Sequence[Found],
    cells: Sequence[Cell],
    asked: Asked,
    tell: Callable[[str], None] = lambda note: None,
) -> dict[str, Any]:
    """A report as JSON: `uncompressed`, `cells`, `bd_rates`, and how it was made.

    Raises ValueError where nothing can be said.
    """
    if len(photos) < 2:
        raise ValueError(
            f"found {len(photos)} photo that can be evaluated, expected two or more: an "
            "interval is over photos"
        )
    weights = draws(len(photos), asked.resamples, asked.seed)
    jackknife = left_out(len(photos))
    original: dict[str, Any] = {}
    original_ap: dict[str, _Drawn] = {}
    for kind in asked.kinds:
        tell(f"uncompressed, {kind}")
        original[kind], original_ap[kind] = _scores(
            photos, uncompressed, asked, kind, weights, jackknife
        )
    rows: list[dict[str, Any]] = []
    curves: dict[str, list[tuple[_Drawn, _Drawn]]] = {}
    for cell in cells:
        tell(f"{cell.label}, {cell.target_bpp:g} bpp")
        row = _facts(cell)
        agreement: _Drawn | None
        beside: float | None
        if asked.task == "semantic":
            agreement, same = _same_classes(photos, uncompressed, cell.found, weights, jackknife)
            beside = same.value
        else:
            agreement = _agreement(uncompressed, cell.found, asked.task, weights, jackknife)
            beside = without_truth.recall(_counts(uncompressed, cell.found, asked.task))
        row["agreement"] = None if agreement is None else agreement.to_json()
        row[agreement_of(asked.task).beside] = beside
        quality = agreement
        for kind in asked.kinds:
            row[kind], ap = _scores(photos, cell.found, asked, kind, weights, jackknife)
            row[kind]["difference"] = ap.minus(original_ap[kind]).to_json()
            quality = ap
        if quality is not None:
            rate = _mean(np.array(cell.bpp), weights, jackknife)
            curves.setdefault(cell.codec, []).append((rate, quality))
        rows.append(row)
    tell("BD-rate")
    return {
        "task": asked.task,
        "kinds": list(asked.kinds),
        "n_photos": len(photos),
        "n_instances": sum(not each.is_crowd for photo in photos for each in photo.truth),
        "sizes": instances_by_size(photos),
        "intervals": {
            "level": LEVEL,
            "method": METHOD,
            "resamples": asked.resamples,
            "seed": asked.seed,
        },
        **_compared(asked.task),
        "uncompressed": original,
        "cells": rows,
        "bd_rates": _bd_rates(cells, curves),
    }


def _compared(task: str) -> dict[str, float]:
    """When finds count as the same; a class map has no such thresholds."""
    if task == "semantic":
        return {}
    return {
        "agreement_iou": without_truth.AGREEMENT_IOU,
        "shown_from": without_truth.SHOWN_FROM,
    }


def _facts(cell: Cell) -> dict[str, Any]:
    states = Counter(cell.states)
    return {
        "codec": cell.codec,
        "label": cell.label,
        "colour": cell.colour,
        "marker": cell.marker,
        "target_bpp": cell.target_bpp,
        "n": len(cell.bpp),
        **{state: states.get(state, 0) for state in STATES},
        "bpp_mean": float(np.mean(cell.bpp)),
        "miss_worst": max(abs(bpp / cell.target_bpp - 1) for bpp in cell.bpp),
    }


def _scores(
    photos: Sequence[Photo],
    found: Sequence[Found],
    asked: Asked,
    kind: str,
    weights: Floats,
    jackknife: Floats,
) -> tuple[dict[str, Any], _Drawn]:
    if kind == "pixel":
        truth = [pixels.of_truth(photo, asked.by_label) for photo in photos]
        counts = pixels.counted(truth, found, list(asked.by_label))
        miou, accuracy = _of_pixels(counts, weights, jackknife)
        return {"miou": miou.to_json(), "accuracy": accuracy.to_json()}, miou
    by_mask = kind == "mask"
    values = coco_scores(photos, found, asked.by_label, by_mask=by_mask)
    categories = ranked(photos, found, asked.by_label, by_mask=by_mask)
    drawn, left = resampled_ap(categories, weights), resampled_ap(categories, jackknife)
    if values["ap"] is None or values["ap50"] is None:
        raise ValueError("found no instance of the evaluated categories, expected at least one")
    ap = _Drawn(values["ap"], drawn[0], left[0])
    ap50 = _Drawn(values["ap50"], drawn[1], left[1])
    told: dict[str, Any] = {name: {"value": value} for name, value in values.items()}
    return {**told, "ap": ap.to_json(), "ap50": ap50.to_json()}, ap


def _of_pixels(counts: pixels.Pixels, weights: Floats, jackknife: Floats) -> tuple[_Drawn, _Drawn]:
    """Mean IoU, and the share of pixels that are right."""
    every = np.ones((1, len(counts.right)))
    miou, accuracy = (
        _Drawn(float(of(counts, every)[0]), of(counts, weights), of(counts, jackknife))
        for of in (pixels.mean_iou, pixels.accuracy)
    )
    return miou, accuracy


def _same_classes(
    photos: Sequence[Photo],
    before: Sequence[Found],
    after: Sequence[Found],
    weights: Floats,
    jackknife: Floats,
) -> tuple[_Drawn, _Drawn]:
    """Mean IoU and share of pixels with the uncompressed class maps as the yardstick."""
    yardsticks = [pixels.of_found(b, photo) for b, photo in zip(before, photos, strict=True)]
    counts = pixels.counted(yardsticks, after, pixels.labels_of(before, after))
    return _of_pixels(counts, weights, jackknife)


def _counts(
    before: Sequence[Found], after: Sequence[Found], task: str
) -> list[without_truth.Agreed]:
    return [without_truth.agreed(b, a, task) for b, a in zip(before, after, strict=True)]


def _agreement(
    before: Sequence[Found],
    after: Sequence[Found],
    task: str,
    weights: Floats,
    jackknife: Floats,
) -> _Drawn | None:
    counts = _counts(before, after, task)
    value = without_truth.f1(counts)
    if value is None:
        return None
    common = np.array([2.0 * each.n_common for each in counts])
    total = np.array([float(each.n_before + each.n_after) for each in counts])
    with np.errstate(invalid="ignore", divide="ignore"):
        return _Drawn(
            value,
            (weights @ common) / (weights @ total),
            (jackknife @ common) / (jackknife @ total),
        )


def _mean(values: Floats, weights: Floats, jackknife: Floats) -> _Drawn:
    means = [(rows @ values) / rows.sum(axis=1) for rows in (weights, jackknife)]
    return _Drawn(float(values.mean()), means[0], means[1])


def _bd_rates(
    cells: Sequence[Cell], curves: Mapping[str, Sequence[tuple[_Drawn, _Drawn]]]
) -> list[dict[str, Any]]:
    """Every codec against JPEG, or against the first one where JPEG is not among them."""
    labels = {cell.codec: cell.label for cell in cells}
    if len(curves) < 2:
        return []
    anchor = "jpeg" if "jpeg" in curves else next(iter(curves))
    rows = []
    for codec, curve in curves.items():
        if codec == anchor:
            continue
        found = bd_rate(_points(curves[anchor]), _points(curve))
        row: dict[str, Any] = {
            "codec": codec,
            "label": labels[codec],
            "against": labels[anchor],
            "percent": found.percent,
            "low": None,
            "high": None,
            "overlap": found.overlap,
            "n_points": list(found.n_points),
            "status": found.status,
        }
        if found.percent is not None:
            row |= _bd_interval(found.percent, curves[anchor], curve)
        rows.append(row)
    return rows


def _points(
    curve: Sequence[tuple[_Drawn, _Drawn]], part: str = "", row: int = 0
) -> list[tuple[float, float]]:
    """(rate, quality) of a curve on all photos, or in one row of a part."""
    if not part:
        return [(rate.value, quality.value) for rate, quality in curve]
    return [
        (float(getattr(rate, part)[row]), float(getattr(quality, part)[row]))
        for rate, quality in curve
    ]


def _bd_interval(
    percent: float,
    anchor: Sequence[tuple[_Drawn, _Drawn]],
    curve: Sequence[tuple[_Drawn, _Drawn]],
) -> dict[str, Any]:
    """Ends of the interval, where nearly every resample has such a number."""
    values: dict[str, Floats] = {}
    for part in ("drawn", "jackknife"):
        n = len(getattr(anchor[0][0], part))
        found = [_bd_of(_points(anchor, part, row), _points(curve, part, row)) for row in range(n)]
        values[part] = np.array(found)
    share = float(np.mean(np.isfinite(values["drawn"])))
    if share < LEAST_DEFINED:
        return {"interval_status": f"none: estimable in {100 * share:.0f} % of the resamples"}
    ends = interval(percent, values["drawn"], values["jackknife"])
    return {"low": ends.low, "high": ends.high, "interval_status": ""}


def _bd_of(anchor: list[tuple[float, float]], other: list[tuple[float, float]]) -> float:
    if not np.isfinite([value for point in (*anchor, *other) for value in point]).all():
        return float("nan")
    percent = bd_rate(anchor, other).percent
    return float("nan") if percent is None else percent
