"""What an estimate is told with: its interval over observers, or the reason why it has none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import norm, t

Floats = NDArray[np.float64]

# With fewer observers their spread says too little of other people's.
LEAST_OBSERVERS = 5
FEW = "{n} observers gave answers; expected {least} or more for an interval over observers"
UNANIMOUS = "Wilson's with one answer an observer, because all answers are equal"


@dataclass(frozen=True)
class Interval:
    """`level` in 0..1; `n_observers`: the clusters it is over; `resamples`: 0 where none drawn."""

    low: float
    high: float
    level: float
    n_observers: int
    method: str
    resamples: int = 0

    @property
    def half_width(self) -> float:
        return (self.high - self.low) / 2


@dataclass(frozen=True)
class Estimate:
    """A number and its interval, or `reason` why it has none."""

    value: float
    interval: Interval | None
    reason: str | None = None


def too_few(n_observers: int, least: int = LEAST_OBSERVERS) -> str | None:
    """The reason against an interval over so few observers, None where they suffice."""
    return FEW.format(n=n_observers, least=least) if n_observers < least else None


def check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"Found level {level}; expected a share between 0 and 1.")


def student_limits(value: float, error: float, freedom: float, level: float) -> tuple[float, float]:
    """value -+ t x error; `freedom` of Student's t, clusters - 1."""
    reach = float(t.ppf((1 + level) / 2, freedom)) * error
    return value - reach, value + reach


def share_limits(share: float, error: float, freedom: float, level: float) -> tuple[float, float]:
    """Limits of a share strictly between 0 and 1 by Student's t on the logit scale.

    The delta method divides the error by share (1 - share); the limits stay within 0..1 (Korn and
    Graubard 1998, Survey Methodology 24, 193 compare this with others).
    """
    low, high = student_limits(float(logit(share)), error / (share * (1 - share)), freedom, level)
    return float(expit(low)), float(expit(high))


def wilson_limits(share: float, n: float, level: float) -> tuple[float, float]:
    """Limits of the share of n independent answers: Wilson 1927, JASA 22, 209."""
    if not (n > 0 and 0 <= share <= 1):
        raise ValueError(f"Found share {share} of {n}; expected 0..1 of more than 0.")
    z2 = float(norm.ppf((1 + level) / 2)) ** 2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    reach = np.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return max(0.0, float(centre - reach)), min(1.0, float(centre + reach))
