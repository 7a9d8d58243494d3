"""How sure the scale is: it is fitted again to many draws of the observers.

Observers are drawn with replacement, each with all judgments: answers of one person are not
independent, and other people would have answered otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

from annotation.preference.comparisons import Comparisons
from annotation.preference.davidson import JND, PRIOR_SD, Davidson, fit_davidson, settle
from annotation.preference.intervals import Estimate, Interval, check_level, too_few

Floats = NDArray[np.float64]

METHOD = "expanded percentile bootstrap over observers"
RESAMPLES = 1000
LEAST_RESAMPLES = 100
# Fits at once, so that memory does not grow with the number of draws.
_ENTRIES = 4_000_000

HELD = "every comparison went one way, so the prior decides how far apart they stand"
APART = "they were never compared, directly or through others"


@dataclass(frozen=True, eq=False)
class PlacesBootstrap:
    """The scale with its draws: `draws` (resamples, n) places, `log_nu` (resamples,).

    `reason`: why there are no intervals at all (then there are no draws), else None.
    """

    scale: Davidson
    draws: Floats
    log_nu: Floats
    n_observers: int
    level: float
    reason: str | None

    @property
    def resamples(self) -> int:
        return len(self.draws)

    def place(self, item: int) -> Estimate:
        """Log-odds of the item against the mean of its connected part."""
        held = HELD if self.scale.is_held_by_prior[item] else None
        return self._told(float(self.scale.places[item]), self.draws[:, item], held)

    def difference(self, first: int, second: int) -> Estimate:
        """Place of the first minus place of the second, in log-odds."""
        value = float(self.scale.places[first] - self.scale.places[second])
        drawn = self.draws[:, first] - self.draws[:, second]
        return self._told(value, drawn, self.reason_against(first, second))

    def reason_against(self, first: int, second: int) -> str | None:
        """Why the difference of two items is no measurement; None where it is one."""
        if self.scale.part[first] != self.scale.part[second]:
            return APART
        is_held = self.scale.bound[first] != self.scale.bound[second]
        return HELD if is_held else None

    def difference_jnd(self, first: int, second: int) -> Estimate:
        return in_jnd(self.difference(first, second))

    def place_jnd(self, item: int) -> Estimate:
        return in_jnd(self.place(item))

    def tie_parameter(self) -> Estimate:
        """log nu; at equal places P(not sure) = nu / (2 + nu)."""
        none = None if np.isfinite(self.scale.log_nu) else "nobody was not sure"
        return self._told(self.scale.log_nu, self.log_nu, none)

    def p_value(self, first: int, second: int) -> float | None:
        """Two-sided p of no difference: Student's t of difference / its spread over the draws."""
        drawn = self.draws[:, first] - self.draws[:, second]
        if self.reason or self.reason_against(first, second) or not drawn.std() > 0:
            return None
        error = float(drawn.std(ddof=1)) * _inflation(self.n_observers)
        value = float(self.scale.places[first] - self.scale.places[second])
        return float(2 * t.sf(abs(value) / error, self.n_observers - 1))

    def _told(self, value: float, drawn: Floats, reason: str | None) -> Estimate:
        reason = self.reason or reason
        if reason is not None:
            return Estimate(value, None, reason)
        low, high = limits_of(drawn[:, None], self.n_observers, self.level)[:, 0].tolist()
        interval = Interval(low, high, self.level, self.n_observers, METHOD, self.resamples)
        return Estimate(value, interval)


def in_jnd(estimate: Estimate) -> Estimate:
    """An estimate in log-odds -> in JND (75 % preference among those who decide)."""
    found = estimate.interval
    if found is not None:
        found = Interval(
            found.low / JND, found.high / JND, found.level, found.n_observers, found.method,
            found.resamples,
        )  # fmt: skip
    return Estimate(estimate.value / JND, found, estimate.reason)


def bootstrap_places(
    comparisons: Comparisons,
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
    prior_sd: float = PRIOR_SD,
) -> PlacesBootstrap:
    """Davidson's scale of all items with what its intervals need. Same seed, same numbers."""
    check_level(level)
    if resamples < LEAST_RESAMPLES:
        raise ValueError(f"Found {resamples} resamples; expected {LEAST_RESAMPLES} or more.")
    scale = fit_davidson(comparisons.wins(), comparisons.ties(), prior_sd=prior_sd)
    n_observers, n_items = comparisons.n_active_observers, comparisons.n_items
    reason = too_few(n_observers)
    if reason is not None:
        return PlacesBootstrap(
            scale, np.zeros((0, n_items)), np.zeros(0), n_observers, level, reason
        )
    drawn = _draws(comparisons, scale, resamples, seed)
    return PlacesBootstrap(scale, drawn[:, :-1], drawn[:, -1], n_observers, level, None)


def _draws(comparisons: Comparisons, scale: Davidson, resamples: int, seed: int) -> Floats:
    """(resamples, n + 1): places and log nu of each draw of observers."""
    counts = comparisons.counts()
    table = np.concatenate([counts.won, counts.lost, counts.tied], axis=1)
    n_observers, n_pairs = counts.won.shape
    start = np.append(scale.places, scale.log_nu)
    rng = np.random.default_rng(seed)
    share = np.full(n_observers, 1 / n_observers)
    width = max(n_observers, 3 * n_pairs, (comparisons.n_items + 1) ** 2)
    chunk = max(1, _ENTRIES // width)
    found = []
    for begin in range(0, resamples, chunk):
        times = rng.multinomial(n_observers, share, size=min(chunk, resamples - begin))
        drawn = (times @ table).reshape(len(times), 3, n_pairs)
        found.append(
            settle(comparisons.n_items, counts.pairs, drawn, start=start, prior_sd=scale.prior_sd)
        )
    return np.concatenate(found)


def limits_of(drawn: Floats, n_observers: int, level: float) -> Floats:
    """(2, k): lower and upper limit of each column of (resamples, k).

    Quantiles of the draws, taken further out so that few observers count as few: the level's
    Student t times sqrt(G / (G - 1)) instead of the normal quantile (Hesterberg 2015, "What
    Teachers Should Know About the Bootstrap", The American Statistician 69, 371).
    """
    reach = float(t.ppf((1 + level) / 2, n_observers - 1)) * _inflation(n_observers)
    tail = float(norm.sf(reach))
    return np.asarray(np.quantile(drawn, [tail, 1 - tail], axis=0), dtype=np.float64)


def _inflation(n_observers: int) -> float:
    return float(np.sqrt(n_observers / (n_observers - 1)))
