"""How often each item was chosen, with an interval over observers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.preference.comparisons import Comparisons, PairCounts
from annotation.preference.intervals import (
    UNANIMOUS,
    Estimate,
    Interval,
    check_level,
    share_limits,
    too_few,
    wilson_limits,
)

Floats = NDArray[np.float64]

METHOD = "Student's t over observers on the logit scale"
WILSON = "Wilson's, as if all answers were independent"
NOTHING = "nobody compared it"


@dataclass(frozen=True)
class ItemShare:
    """One item: its judgments, and the share won of them, a tie as half a win; 0..1.

    `share.value` is nan where there are no judgments. `wilson_assuming_independence` treats all
    answers as given by different people: too narrow as a rule, shown for comparison with papers.
    """

    item: int
    n_won: int
    n_lost: int
    n_tied: int
    n_observers: int
    share: Estimate
    wilson_assuming_independence: Interval | None

    @property
    def n(self) -> int:
        return self.n_won + self.n_lost + self.n_tied


def win_shares(comparisons: Comparisons, *, level: float = 0.95) -> tuple[ItemShare, ...]:
    """Every item's share among the judgments in which it took part.

    The share is a ratio of totals over observers; its error is the linearised one over them
    (Cochran 1977, Sampling Techniques, section 2.11; Liang and Zeger 1986, Biometrika 73, 13).
    """
    check_level(level)
    counts = comparisons.counts()
    return tuple(_share_of(item, counts, level) for item in range(comparisons.n_items))


def _share_of(item: int, counts: PairCounts, level: float) -> ItemShare:
    is_first, is_second = counts.pairs[:, 0] == item, counts.pairs[:, 1] == item
    won = counts.won[:, is_first].sum(axis=1) + counts.lost[:, is_second].sum(axis=1)
    lost = counts.lost[:, is_first].sum(axis=1) + counts.won[:, is_second].sum(axis=1)
    tied = counts.tied[:, is_first | is_second].sum(axis=1)
    n = won + lost + tied
    took_part = n > 0
    wilson = None
    if took_part.any():
        limits = wilson_limits(float((won + tied / 2).sum() / n.sum()), float(n.sum()), level)
        wilson = Interval(*limits, level, int(took_part.sum()), WILSON)
    return ItemShare(
        item, int(won.sum()), int(lost.sum()), int(tied.sum()), int(took_part.sum()),
        clustered_share((won + tied / 2)[took_part], n[took_part], level=level), wilson,
    )  # fmt: skip


def clustered_share(won: Floats, n: Floats, *, level: float = 0.95) -> Estimate:
    """Share of totals, won / n, of observers (G,) who judged n > 0 each, with its interval.

    Where every observer has the same share, all or none won, the linearised error is 0; then
    each observer counts as a single answer to Wilson's interval, which is the safe side.
    """
    n_observers = len(n)
    if n_observers == 0:
        return Estimate(float("nan"), None, NOTHING)
    share = float(won.sum() / n.sum())
    reason = too_few(n_observers)
    if reason is not None:
        return Estimate(share, None, reason)
    if share in (0.0, 1.0):
        low, high = wilson_limits(share, n_observers, level)
        return Estimate(share, Interval(low, high, level, n_observers, UNANIMOUS))
    error = ratio_error(won, n)
    low, high = share_limits(share, error, n_observers - 1, level)
    return Estimate(share, Interval(low, high, level, n_observers, METHOD))


def ratio_error(won: Floats, n: Floats) -> float:
    """Standard error of won.sum() / n.sum() over observers, linearised."""
    residual = won - won.sum() / n.sum() * n
    g = len(n)
    return float(np.sqrt(g / (g - 1) * (residual**2).sum()) / n.sum())
