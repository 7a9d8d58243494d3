"""Shares over observers from sums alone: what a database can add up without handing out rows."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from scipy.stats import binomtest, t

from annotation.preference.intervals import (
    UNANIMOUS,
    Estimate,
    Interval,
    check_level,
    share_limits,
    too_few,
    wilson_limits,
)
from annotation.preference.shares import METHOD, NOTHING


@dataclass(frozen=True)
class Moments:
    """Sums over observers, each with n > 0 answers of which `won` counted for the item.

    A tie is half a win. n_observers of them; won and n are totals; the rest are sums of products.
    """

    n_observers: int
    won: float
    n: float
    won_won: float
    won_n: float
    n_n: float

    @classmethod
    def of(cls, won: Any, n: Any) -> Moments:
        """From the observers' own counts, (G,) each."""
        won, n = np.asarray(won, float), np.asarray(n, float)
        sums = (won.sum(), n.sum(), won @ won, won @ n, n @ n)
        return cls(len(n), *(float(found) for found in sums))

    @property
    def share(self) -> float:
        """won / n, 0..1; nan without answers."""
        return self.won / self.n if self.n else float("nan")

    @property
    def error(self) -> float:
        """Standard error of the share, linearised over observers (Cochran 1977, section 2.11)."""
        share, g = self.share, self.n_observers
        squares = self.won_won - 2 * share * self.won_n + share**2 * self.n_n
        # Rounding may leave a little less than nothing where all observers agree.
        return sqrt(g / (g - 1) * max(0.0, squares)) / self.n


def share_of(moments: Moments, *, level: float = 0.95) -> Estimate:
    """The share with its interval over observers, as `shares.clustered_share` has it."""
    check_level(level)
    if not moments.n:
        return Estimate(float("nan"), None, NOTHING)
    g, share = moments.n_observers, moments.share
    reason = too_few(g)
    if reason is not None:
        return Estimate(share, None, reason)
    if share in (0.0, 1.0):
        return Estimate(share, Interval(*wilson_limits(share, g, level), level, g, UNANIMOUS))
    limits = share_limits(share, moments.error, g - 1, level)
    return Estimate(share, Interval(*limits, level, g, METHOD))


def even_p(moments: Moments) -> float | None:
    """Two-sided p of "the share is one half" by Student's t over observers; None for too few.

    Where every answer is the same, each observer counts as one answer (exact binomial).
    """
    g = moments.n_observers
    if not moments.n or too_few(g) is not None:
        return None
    if moments.error == 0:
        return 1.0 if moments.share == 0.5 else float(binomtest(g, g).pvalue)
    return float(2 * t.sf(abs(moments.share - 0.5) / moments.error, g - 1))


def even_p_assuming_independence(n_one: int, n_both: int) -> float | None:
    """The exact binomial test of one half, as if every answer were another person's."""
    return float(binomtest(n_one, n_both).pvalue) if n_both else None


def forecast_half_width(half_width: float, n: float, n_wanted: float) -> float:
    """The half width once n_wanted answers are in instead of n, by 1 / sqrt(observers).

    A forecast: it takes for granted that the further observers answer as many and spread as much.
    """
    if not n > 0:
        raise ValueError(f"Found {n} answers; expected more than 0 to forecast from.")
    return half_width * sqrt(n / max(n, n_wanted))
