"""Bjontegaard's delta: how much rate one codec saves against another at the same quality."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.interpolate import PchipInterpolator

# Below this share of common quality the number is about a sliver of the curves.
LEAST_OVERLAP = 0.5
LEAST_POINTS = 3


@dataclass(frozen=True)
class BdRate:
    """`percent`: mean rate difference in per cent, negative where rate is saved; None: n/a.

    `overlap`: qualities that both curves reach over those that at least one reaches, 0..1.
    `status`: empty where every point was used as it is.
    """

    percent: float | None
    overlap: float
    n_points: tuple[int, int]
    status: str


def bd_rate(anchor: Sequence[tuple[float, float]], other: Sequence[tuple[float, float]]) -> BdRate:
    """Of points (rate in bpp, quality; higher is better): `other` against `anchor`.

    Log rate as a function of quality, PCHIP through the rising points, integrated over the
    qualities that both reach (Bjontegaard, VCEG-M33 2001; PCHIP as in JCTVC reports).
    """
    curves = [_rising(points) for points in (anchor, other)]
    n_points = (len(curves[0]), len(curves[1]))
    n_dropped = len(anchor) + len(other) - sum(n_points)
    if min(n_points) < LEAST_POINTS:
        status = (
            f"n/a: {n_points[0]} and {n_points[1]} points rise, expected {LEAST_POINTS} or more"
        )
        return BdRate(None, 0.0, n_points, status)
    lows, highs = [c[0][1] for c in curves], [c[-1][1] for c in curves]
    low, high = max(lows), min(highs)
    overlap = max(0.0, high - low) / (max(highs) - min(lows))
    if overlap < LEAST_OVERLAP:
        status = f"n/a: {100 * overlap:.0f} % of the qualities are common, expected 50 % or more"
        return BdRate(None, overlap, n_points, status)
    means = [_mean_log_rate(curve, low, high) for curve in curves]
    status = (
        f"{n_dropped} point{'s' if n_dropped > 1 else ''} left out that cost more for no more"
        if n_dropped
        else ""
    )
    return BdRate(100 * math.expm1(means[1] - means[0]), overlap, n_points, status)


def _rising(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """By rate; only points better than every cheaper one. Raises ValueError on what is no point."""
    kept: list[tuple[float, float]] = []
    for rate, quality in sorted(points):
        if not (math.isfinite(rate) and rate > 0 and math.isfinite(quality)):
            raise ValueError(f"found the point ({rate}, {quality}), expected a rate above 0")
        if not kept or quality > kept[-1][1]:
            # Of two qualities at one rate the better one counts.
            if kept and rate == kept[-1][0]:
                kept.pop()
            kept.append((rate, quality))
    return kept


def _mean_log_rate(points: Sequence[tuple[float, float]], low: float, high: float) -> float:
    qualities = [quality for _, quality in points]
    curve = PchipInterpolator(qualities, [math.log(rate) for rate, _ in points])
    return float(curve.integrate(low, high)) / (high - low)
