"""Metrics compared in pairs, on the same triplets and resamples, corrected for their number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from codecs_eval.agreement.estimates import estimate_json
from codecs_eval.agreement.intervals import Bootstrap, Estimate
from codecs_eval.agreement.judged import Judged

HOLM = "Holm's step-down"
FIRST = "first"
EVERY_PAIR = "pairs"
P_VALUE = "two-sided: the largest 1 - level whose interval, from the same resamples, still holds 0"

# The smallest p that resamples can give, times the number of comparisons, is to be this share of
# the error that is allowed: else a real difference could not show.
_RESOLUTION = 0.05


@dataclass(frozen=True)
class Difference:
    """Agreement of `name` minus that of `against`; `p_adjusted` as Holm's procedure has it."""

    name: str
    label: str
    against: str
    against_label: str
    difference: Estimate
    p_adjusted: float | None

    def to_json(self, level: float) -> dict[str, Any]:
        adjusted = self.p_adjusted
        return {
            "name": self.name,
            "label": self.label,
            "against": self.against,
            "against_label": self.against_label,
            **estimate_json(self.difference, "difference"),
            "p_value": self.difference.p_value,
            "p_adjusted": adjusted,
            "is_different": None if adjusted is None else adjusted < 1 - level,
        }


@dataclass(frozen=True)
class Differences:
    """`reference` is None where every pair is compared; `level` is that of each interval alone.

    With Holm's correction the chance of calling any equal pair different is at most 1 - level.
    """

    reference: str | None
    level: float
    resamples: int
    rows: tuple[Difference, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "reference": self.reference,
            "level": self.level,
            "resamples": self.resamples,
            "correction": HOLM,
            "p_value": P_VALUE,
            "n_compared": len(self.rows),
            "rows": [row.to_json(self.level) for row in self.rows],
        }


def differences(judged: Judged, bootstrap: Bootstrap, reference: str) -> Differences | None:
    """All metrics against `reference` (a name, or FIRST of the list), or EVERY_PAIR.

    Besides, each metric against the baselines that its facts name; all are one family. None with
    fewer than two metrics. Many comparisons draw more resamples than were asked for.
    """
    names = [metric.name for metric in judged.metrics]
    if len(names) < 2:
        return None
    pairs = _pairs(names, reference)
    pairs += _with_baselines(judged, pairs)
    # Smallest p = 2 / (resamples + 1).
    needed = math.ceil(2 * len(pairs) / ((1 - bootstrap.level) * _RESOLUTION))
    drawn = replace(bootstrap, resamples=max(bootstrap.resamples, needed))
    left, right = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    if_first, if_second = (side[:, left] - side[:, right] for side in judged.agreements())
    found = judged.means(if_first, if_second, drawn, (-1.0, 1.0), null=0.0)
    adjusted = holm([estimate.p_value for estimate in found])
    rows = tuple(
        Difference(
            names[i], judged.metrics[i].label, names[j], judged.metrics[j].label, estimate, p
        )
        for (i, j), estimate, p in zip(pairs, found, adjusted, strict=True)
    )
    is_every = reference == EVERY_PAIR
    return Differences(
        None if is_every else names[pairs[0][1]], bootstrap.level, drawn.resamples, rows
    )


def _pairs(names: Sequence[str], reference: str) -> list[tuple[int, int]]:
    if reference == EVERY_PAIR:
        return list(combinations(range(len(names)), 2))
    if reference != FIRST and reference not in names:
        raise ValueError(
            f"found the reference {reference!r}; expected {FIRST!r}, {EVERY_PAIR!r} or one of "
            f"{', '.join(names)}"
        )
    against = 0 if reference == FIRST else names.index(reference)
    return [(i, against) for i in range(len(names)) if i != against]


def _with_baselines(judged: Judged, known: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Metrics with their baselines, but for pairs that are compared already."""
    place = {metric.name: index for index, metric in enumerate(judged.metrics)}
    wanted = [
        (index, place[name])
        for index, metric in enumerate(judged.metrics)
        for name in metric.facts.baselines
        if name in place
    ]
    return [pair for pair in wanted if pair not in known and pair[::-1] not in known]


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjusted p-values, in the order given: the i-th smallest of m times m - i + 1, not falling.

    A comparison without a p-value still counts as one of the m. Source: Holm 1979, Scandinavian
    Journal of Statistics 6, 65.
    """
    m = len(p_values)
    known = sorted((p, index) for index, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * m
    largest = 0.0
    for rank, (p, index) in enumerate(known):
        largest = max(largest, min(1.0, (m - rank) * p))
        adjusted[index] = largest
    return adjusted
