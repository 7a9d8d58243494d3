"""Without truth: how far a model finds in the compressed photo what it found in the original."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from codecs_eval.downstream.coco import Instance
from codecs_eval.downstream.found import Found
from codecs_eval.downstream.matching import by_label, matches

AGREEMENT_IOU = 0.5
# What a person would be shown; below it, finds are guesses that come and go with the noise.
SHOWN_FROM = 0.3


@dataclass(frozen=True)
class Agreed:
    """Counts of one photo; F1 = 2 n_common / (n_before + n_after), recall = n_common / n_before."""

    n_common: int
    n_before: int
    n_after: int


def agreed(before: Found, after: Found, task: str) -> Agreed:
    """Finds from SHOWN_FROM up that are the same: class and IoU .5, or, for texts, the word."""
    before, after = before.above(SHOWN_FROM), after.above(SHOWN_FROM)
    if task == "text":
        common = sum((Counter(before.labels) & Counter(after.labels)).values())
    else:
        then, now = by_label(before), by_label(after)
        common = sum(
            _n_common(then[label], now[label], by_mask=bool(before.masks))
            for label in then.keys() & now.keys()
        )
    return Agreed(common, len(before.labels), len(after.labels))


def f1(counts: list[Agreed]) -> float | None:
    """Over photos together; None where nothing was found in any."""
    found = sum(each.n_before + each.n_after for each in counts)
    return 2 * sum(each.n_common for each in counts) / found if found else None


def photo_f1(before: Found, after: Found, task: str) -> float:
    """Of one photo; 1 where nothing was found before and after."""
    value = f1([agreed(before, after, task)])
    return 1.0 if value is None else value


def recall(counts: list[Agreed]) -> float | None:
    """Share of what was found in the originals that is still found."""
    found = sum(each.n_before for each in counts)
    return sum(each.n_common for each in counts) / found if found else None


def _n_common(before: Found, after: Found, *, by_mask: bool) -> int:
    truth = []
    for i in range(len(before.labels)):
        left, top, width, height = (float(value) for value in before.boxes[i])
        mask = before.masks[i] if before.masks else None
        truth.append(Instance(0, 0, (left, top, width, height), width * height, False, mask))
    # Where a mask is empty after compression its finds have none to match.
    by_mask = by_mask and bool(after.masks)
    found = matches(truth, after, by_mask=by_mask, thresholds=np.array([AGREEMENT_IOU]))
    return int(found.is_true.sum())
