"""Finds against truth in one photo and category, as COCO's evaluation matches them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from faster_coco_eval.core import mask as coco_mask
from numpy.typing import NDArray

from codecs_eval.downstream.coco import Instance
from codecs_eval.downstream.found import Floats, Found

# IoU .50:.05:.95, from whole numbers: a sum of steps would not meet .95.
IOU_THRESHOLDS: Floats = np.arange(50, 100, 5) / 100

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Matches:
    """Of one photo and category: finds best first.

    scores (n,); is_true (n, thresholds); is_ignored (n, thresholds): a find on a crowd, which
    counts neither way. n_instances: crowds left out.
    """

    scores: Floats
    is_true: Bools
    is_ignored: Bools
    n_instances: int


def matches(
    truth: Sequence[Instance],
    found: Found,
    *,
    by_mask: bool = False,
    thresholds: Floats = IOU_THRESHOLDS,
) -> Matches:
    """Each find, best first, takes the free instance that it overlaps most (COCO API,
    evaluateImg); a crowd may be taken by any number of finds."""
    # As there: crowds last, so that a find takes one only where no instance is left for it.
    ordered = sorted(truth, key=lambda each: each.is_crowd)
    is_crowd = np.array([each.is_crowd for each in ordered], dtype=bool)
    n_finds, n_truth, n_thresholds = len(found.labels), len(ordered), len(thresholds)
    is_true = np.zeros((n_finds, n_thresholds), dtype=bool)
    is_ignored = np.zeros((n_finds, n_thresholds), dtype=bool)
    if n_finds and n_truth:
        iou = _overlaps(ordered, found, by_mask)
        is_taken = np.zeros((n_thresholds, n_truth), dtype=bool)
        for find in range(n_finds):
            chosen = _chosen(iou[find], is_taken, is_crowd, thresholds)
            at = np.flatnonzero(chosen >= 0)
            is_taken[at, chosen[at]] = True
            is_ignored[find, at] = is_crowd[chosen[at]]
            is_true[find, at] = ~is_crowd[chosen[at]]
    return Matches(found.scores, is_true, is_ignored, int((~is_crowd).sum()))


def _chosen(iou: Floats, is_taken: Bools, is_crowd: Bools, thresholds: Floats) -> NDArray[np.int64]:
    """Per threshold the instance that one find takes; -1 where it takes none."""
    least = np.minimum(thresholds, 1 - 1e-10)[:, None]
    fits = (~is_taken | is_crowd) & (iou >= least)
    chosen = np.full(len(thresholds), -1)
    for of_crowds in (True, False):
        overlap = np.where(fits & (is_crowd == of_crowds), iou, -1.0)
        # Of equal overlaps the last one, as the original's loop has it.
        last = overlap.shape[1] - 1 - np.argmax(overlap[:, ::-1], axis=1)
        is_any = overlap.max(axis=1) >= 0
        chosen[is_any] = last[is_any]
    return chosen


def _overlaps(truth: Sequence[Instance], found: Found, by_mask: bool) -> Floats:
    """(finds, instances); with a crowd, the share of the find that lies in it."""
    crowds = [int(each.is_crowd) for each in truth]
    if by_mask:
        finds = [mask.to_coco() for mask in found.masks]
        things = [each.mask.to_coco() for each in truth if each.mask is not None]
        return np.asarray(coco_mask.iou(finds, things, crowds), dtype=np.float64)
    boxes = np.array([each.box for each in truth], dtype=np.float64)
    return np.asarray(coco_mask.iou(found.boxes.copy(), boxes, crowds), dtype=np.float64)


def by_label(found: Found) -> dict[str, Found]:
    """The finds of each class that was found, best first."""
    rows: dict[str, list[int]] = {}
    for i, name in enumerate(found.labels):
        rows.setdefault(name, []).append(i)
    return {
        name: Found(
            found.boxes[kept],
            found.scores[kept],
            (name,) * len(kept),
            tuple(found.masks[i] for i in kept) if found.masks else (),
        )
        for name, kept in rows.items()
    }


def nothing(like: Found) -> Found:
    """No finds at all, of the kind of `like`."""
    return Found(like.boxes[:0], like.scores[:0], ())
