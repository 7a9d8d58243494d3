"""AP of many resamples of the photos at once: what its intervals are made of.

matches of every photo -> curves by category and IoU -> AP of each row of weights
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from codecs_eval.downstream.ap import Photo
from codecs_eval.downstream.coco import Instance
from codecs_eval.downstream.found import Floats, Found
from codecs_eval.downstream.matching import IOU_THRESHOLDS, Matches, by_label, matches, nothing

# The 101 recalls at which COCO reads precision.
RECALLS: Floats = np.linspace(0.0, 1.0, 101)

Whole = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Ranked:
    """One category: its finds over all photos, best first, and its instances a photo.

    photo (n,): in which photo each find is; is_true, is_ignored (n, thresholds).
    """

    photo: Whole
    is_true: NDArray[np.bool_]
    is_ignored: NDArray[np.bool_]
    n_instances: Floats  # (photos,)


def draws(n_photos: int, resamples: int, seed: int) -> Floats:
    """(resamples, photos): how often each photo is drawn; the same for every codec."""
    rng = np.random.default_rng(seed)
    shares = np.full(n_photos, 1.0 / n_photos)
    return rng.multinomial(n_photos, shares, size=resamples).astype(np.float64)


def ranked(
    photos: Sequence[Photo],
    found: Sequence[Found],
    labels: Mapping[str, int],
    *,
    by_mask: bool = False,
) -> list[Ranked]:
    """One a category, ready to be resampled any number of times."""
    of_category: dict[str, list[tuple[int, Matches]]] = {label: [] for label in labels}
    names = {number: label for label, number in labels.items()}
    for index, (photo, finds) in enumerate(zip(photos, found, strict=True)):
        truth: dict[str, list[Instance]] = {}
        for each in photo.truth:
            truth.setdefault(names[each.category_id], []).append(each)
        grouped = by_label(finds)
        # Most photos have few categories: those neither there nor found cost nothing.
        for label in of_category.keys() & (truth.keys() | grouped.keys()):
            at = matches(truth.get(label, []), grouped.get(label, nothing(finds)), by_mask=by_mask)
            of_category[label].append((index, at))
    return [_ranked(of_photos, len(photos)) for of_photos in of_category.values()]


def resampled_ap(categories: Sequence[Ranked], weights: Floats) -> tuple[Floats, Floats]:
    """AP over all IoUs and AP50, (resamples,) each, of photos weighted by rows of `weights`.

    A category counts where a resample has an instance of it, as in COCO's mean; NaN where none.
    """
    means = np.stack([_precisions(each, weights) for each in categories])
    is_there = np.stack([weights @ each.n_instances > 0 for each in categories])
    n = is_there.sum(axis=0)
    with np.errstate(invalid="ignore"):
        by_threshold = np.where(is_there[:, :, None], means, 0.0).sum(axis=0) / n[:, None]
    return by_threshold.mean(axis=1), by_threshold[:, 0]


def _ranked(of_photos: Sequence[tuple[int, Matches]], n_photos: int) -> Ranked:
    none = np.zeros((0, len(IOU_THRESHOLDS)), dtype=bool)
    scores = np.concatenate([np.zeros(0), *(each.scores for _, each in of_photos)])
    order = np.argsort(-scores, kind="stable")
    at = np.array([index for index, _ in of_photos], dtype=np.int64)
    n_instances = np.zeros(n_photos)
    n_instances[at] = [each.n_instances for _, each in of_photos]
    return Ranked(
        np.repeat(at, [len(each.scores) for _, each in of_photos])[order],
        np.concatenate([none, *(each.is_true for _, each in of_photos)])[order],
        np.concatenate([none, *(each.is_ignored for _, each in of_photos)])[order],
        n_instances,
    )


def _precisions(category: Ranked, weights: Floats) -> Floats:
    """(resamples, thresholds): mean precision at the 101 recalls."""
    n_instances = weights @ category.n_instances
    found = [
        _precision(category, threshold, weights, n_instances)
        for threshold in range(len(IOU_THRESHOLDS))
    ]
    return np.stack(found, axis=1)


def _precision(category: Ranked, threshold: int, weights: Floats, n_instances: Floats) -> Floats:
    """Only at true finds can precision peak or recall move: the others are counted in between."""
    is_true = category.is_true[:, threshold]
    n_true = int(is_true.sum())
    if n_true == 0:
        return np.zeros(len(weights))
    counted = ~category.is_ignored[:, threshold]
    # A find belongs to the first true find at or after it; those after the last matter to none.
    segment: Whole = np.cumsum(is_true) - is_true
    kept = counted & (segment < n_true)
    shape = (weights.shape[1], n_true)
    every = csr_array((np.ones(kept.sum()), (category.photo[kept], segment[kept])), shape=shape)
    true = csr_array((np.ones(n_true), (category.photo[is_true], np.arange(n_true))), shape=shape)
    n_found = np.cumsum(weights @ every, axis=1)
    n_right = np.cumsum(weights @ true, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(n_found > 0, n_right / n_found, 0.0)
        recall = np.where(n_instances[:, None] > 0, n_right / n_instances[:, None], 0.0)
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    reached = np.searchsorted(RECALLS, recall, side="right")
    n_read = np.diff(reached, axis=1, prepend=0)
    mean: Floats = (envelope * n_read).sum(axis=1) / len(RECALLS)
    return mean
