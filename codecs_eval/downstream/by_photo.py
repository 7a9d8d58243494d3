"""One photo at a time: what was found, missed and made up, before and after compression."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from codecs_eval.downstream.ap import Photo
from codecs_eval.downstream.found import Found
from codecs_eval.downstream.matching import by_label, matches, nothing
from codecs_eval.downstream.without_truth import AGREEMENT_IOU, SHOWN_FROM


@dataclass(frozen=True)
class Judged:
    """Finds from SHOWN_FROM up at IoU .5: `n_right` instances found, `n_missed` not, and
    `n_false` finds of nothing."""

    n_right: int
    n_missed: int
    n_false: int


def judged(photo: Photo, found: Found, labels: Mapping[str, int]) -> Judged:
    """Against the photo's truth, over all evaluated categories."""
    shown = found.above(SHOWN_FROM)
    grouped = by_label(shown)
    there = {each.category_id for each in photo.truth}
    right = false = instances = 0
    for label, number in labels.items():
        if number not in there and label not in grouped:
            continue
        truth = [each for each in photo.truth if each.category_id == number]
        finds = grouped.get(label, nothing(shown))
        at = matches(truth, finds, thresholds=np.array([AGREEMENT_IOU]))
        instances += at.n_instances
        right += int(at.is_true.sum())
        false += int((~at.is_true & ~at.is_ignored).sum())
    return Judged(right, instances - right, false)
