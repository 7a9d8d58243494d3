"""Which comparisons two metrics dispute most: there people tell which of the two is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Dispute:
    """Indices of the most disputed comparisons, most disputed first, and how many are disputed."""

    chosen: tuple[int, ...]
    n_disputed: int


def most_disputed(one: Sequence[float], other: Sequence[float], n: int) -> Dispute:
    """The `n` comparisons that two metrics order most surely, and in opposite ways.

    `one`, `other`: for each comparison the second copy's quality minus the first's under each
    metric, higher is better, in the metric's own units. Each metric's differences are divided by
    their root mean square over all comparisons given, so that 1 is a usual difference to that
    metric. A comparison is disputed where the two have opposite signs; how much is the smaller of
    the two sizes: both metrics have to be sure. Equally disputed ones keep their order.

    The principle is maximum differentiation (Wang & Simoncelli 2008, "Maximum differentiation
    (MAD) competition", Journal of Vision 8(12):8), which synthesises the images; to choose from
    those that there are follows Ma et al. 2016, "Group MAD competition", CVPR.
    Raises ValueError where the lengths differ or a value is not finite.
    """
    differences = np.array([one, other], dtype=np.float64)
    if differences.ndim != 2:
        raise ValueError(f"{len(one)} and {len(other)} differences, expected as many of each")
    if not np.isfinite(differences).all():
        raise ValueError("a difference is not finite; expected numbers")
    if not differences.size:
        return Dispute((), 0)
    usual = np.sqrt(np.mean(differences**2, axis=1, keepdims=True))
    scaled = np.divide(differences, usual, out=np.zeros_like(differences), where=usual > 0)
    strength = np.abs(scaled).min(axis=0)
    strength[scaled[0] * scaled[1] >= 0] = 0
    order = np.argsort(-strength, kind="stable")
    n_disputed = int(np.count_nonzero(strength))
    return Dispute(tuple(int(index) for index in order[: min(n, n_disputed)]), n_disputed)
