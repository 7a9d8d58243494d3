"""Intervals over photos: what the number might have been with other photos of the same kind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from codecs_eval.downstream.found import Floats

LEVEL = 0.95
METHOD = "BCa bootstrap over photos"
_MOST_GROUPS = 100
# Of resamples in which the number exists at all; with fewer, an interval would tell of the rest.
LEAST_DEFINED = 0.95


@dataclass(frozen=True)
class Interval:
    """A value with the ends of its interval; None where it cannot be had."""

    value: float
    low: float | None
    high: float | None

    def to_json(self) -> dict[str, float | None]:
        return {"value": self.value, "low": self.low, "high": self.high}


def left_out(n_photos: int) -> Floats:
    """Weights of a jackknife: rows that leave out each photo, or each of 100 groups of them."""
    groups = np.arange(n_photos) % min(n_photos, _MOST_GROUPS)
    weights: Floats = (groups[None, :] != np.arange(groups.max() + 1)[:, None]).astype(np.float64)
    return weights


def interval(value: float, drawn: Floats, jackknife: Floats) -> Interval:
    """BCa (Efron 1987): percentiles corrected for bias and skewness.

    AP needs the correction: a resample that misses all photos of a category leaves that category
    out of its mean, which lifts the resamples above the value.
    """
    drawn, jackknife = drawn[np.isfinite(drawn)], jackknife[np.isfinite(jackknife)]
    if len(drawn) < 2 or len(jackknife) < 2 or np.ptp(drawn) < 1e-12:
        return Interval(value, None, None)
    below = np.mean(drawn < value) + np.mean(drawn == value) / 2
    bias = norm.ppf(np.clip(below, 1 / (2 * len(drawn)), 1 - 1 / (2 * len(drawn))))
    away = jackknife.mean() - jackknife
    spread = float(np.sum(away**2)) ** 1.5
    skewness = float(np.sum(away**3)) / (6 * spread) if spread > 0 else 0.0
    ends = []
    for tail in ((1 - LEVEL) / 2, (1 + LEVEL) / 2):
        moved = bias + norm.ppf(tail)
        share = norm.cdf(bias + moved / (1 - skewness * moved))
        ends.append(float(np.quantile(drawn, share)))
    return Interval(value, ends[0], ends[1])
