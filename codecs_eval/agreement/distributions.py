"""How an estimate spreads over other samples: its limits at a level, and its p-value.

A p-value inverts the interval: it is the largest 1 - level whose interval still holds the null
value. So a difference has p < 0.05 exactly where its 95 % interval leaves 0 out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

Floats = NDArray[np.float64]


class Distribution(Protocol):
    """`resamples` is 0 where the method draws none."""

    @property
    def method(self) -> str: ...

    @property
    def resamples(self) -> int: ...

    def limits(self, level: float) -> tuple[float, float]: ...

    def p_value(self, null: float) -> float: ...


@dataclass(frozen=True)
class StudentT:
    """Symmetric about `value`: standard error and degrees of freedom from a jackknife."""

    value: float
    error: float
    freedom: float
    method: str
    resamples: int = 0

    def limits(self, level: float) -> tuple[float, float]:
        reach = float(t.ppf((1 + level) / 2, self.freedom) * self.error)
        return self.value - reach, self.value + reach

    def p_value(self, null: float) -> float:
        """Two-sided p of `null`, in 0..1."""
        return float(2 * t.sf(abs(self.value - null) / self.error, self.freedom))


@dataclass(frozen=True, eq=False)
class Bca:
    """Bias-corrected and accelerated bootstrap; Efron 1987, JASA 82, equations 6.8 and 7.3."""

    value: float
    drawn: Floats
    acceleration: float
    method: str

    @property
    def resamples(self) -> int:
        return len(self.drawn)

    @cached_property
    def _bias(self) -> float:
        n = len(self.drawn)
        return float(norm.ppf(np.clip(self._below(self.value), 1 / n, 1 - 1 / n)))

    def _below(self, value: float) -> float:
        # Ties count by half: with few distinct values a strict share would be biased.
        return float(np.mean(self.drawn < value) + np.mean(self.drawn == value) / 2)

    def limits(self, level: float) -> tuple[float, float]:
        shifted = self._bias + norm.ppf([(1 - level) / 2, (1 + level) / 2])
        stretch = 1 - self.acceleration * shifted
        # Where it reaches 0 the end lies beyond every draw: the last one is taken.
        bent = np.where(
            stretch > 0, shifted / np.where(stretch > 0, stretch, 1.0), shifted * np.inf
        )
        low, high = np.quantile(self.drawn, norm.cdf(self._bias + bent))
        return float(low), float(high)

    def p_value(self, null: float) -> float:
        """Two-sided p of `null`: twice the smaller tail; never under 2 / (resamples + 1)."""
        n = len(self.drawn)
        floor = 2 / (n + 1)
        share = float(np.clip(self._below(null), 1 / (n + 1), n / (n + 1)))
        shifted = float(norm.ppf(share)) - self._bias
        stretch = 1 + self.acceleration * shifted
        if stretch <= 0:
            return floor
        tail = float(norm.cdf(shifted / stretch - self._bias))
        return float(min(1.0, max(floor, 2 * min(tail, 1 - tail))))


def acceleration_of(influence: Floats) -> float:
    """a of BCa from each cluster's influence, here jackknife: estimate minus that without it."""
    return float(np.sum(influence**3) / (6 * np.sum(influence**2) ** 1.5))
