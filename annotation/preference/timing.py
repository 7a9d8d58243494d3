"""How long answers took: altogether, by difficulty, and over the session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t

from annotation.preference.bootstrap import limits_of
from annotation.preference.intervals import Estimate, Interval, student_limits, too_few

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

METHOD = "expanded percentile bootstrap of the median over observers"
SLOPE_METHOD = "Student's t over observers, linearised"
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
# |share - 0.5|: 0 where people were split evenly, 0.5 where all agreed.
DIFFICULTY_EDGES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
RESAMPLES = 1000
_ENTRIES = 4_000_000


@dataclass(frozen=True)
class Bin:
    """Judgments with low <= x < high (the last bin holds its high too); times in ms."""

    low: float
    high: float
    n: int
    n_observers: int
    median_ms: Estimate


@dataclass(frozen=True)
class ResponseTimes:
    """All judgments; `quantiles_ms`: quantile -> ms."""

    n: int
    n_observers: int
    median_ms: Estimate
    quantiles_ms: dict[float, float]


@dataclass(frozen=True)
class Trend:
    """How times change over a session: `bins` by place, and `change_per_trial`, the mean relative
    change from one trial to the next within an observer (-0.01: each takes 1 % less time)."""

    bins: tuple[Bin, ...]
    change_per_trial: Estimate
    p_value: float | None


def response_times(
    observer: ArrayLike, response_ms: ArrayLike, *, level: float = 0.95, seed: int = 0
) -> ResponseTimes:
    """Median with an interval over observers, and quantiles, of the times that were measured.

    observer: (m,) codes. response_ms: (m,), nan where it was not measured (left out).
    """
    who, times, _ = _measured(observer, response_ms, None)
    quantiles = np.quantile(times, QUANTILES) if len(times) else np.full(len(QUANTILES), np.nan)
    return ResponseTimes(
        len(times), len(np.unique(who)), _median(who, times, level, seed),
        dict(zip(QUANTILES, quantiles.tolist(), strict=True)),
    )  # fmt: skip


def by_difficulty(
    observer: ArrayLike,
    response_ms: ArrayLike,
    share: ArrayLike,
    *,
    edges: Sequence[float] = DIFFICULTY_EDGES,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[Bin, ...]:
    """Times in bins of |share - 0.5|; share: (m,), of the judged triplet's judgments, 0..1.

    Of few judgments a triplet's share is coarse: 3 give 0.17 or 0.5 only.
    """
    who, times, shares = _measured(observer, response_ms, share)
    distance = np.abs(shares - 0.5)
    if np.any(distance > 0.5):
        raise ValueError("Found a share outside 0..1.")
    return _bins(who, times, distance, edges, level, seed)


def over_session(
    observer: ArrayLike,
    response_ms: ArrayLike,
    place: ArrayLike,
    *,
    edges: Sequence[float] | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Trend:
    """Learning and fatigue. place: (m,), the judgment's place in its session, from 0."""
    who, times, places = _measured(observer, response_ms, place)
    if edges is None:
        longest = float(places.max(initial=0)) + 1
        edges = np.unique(np.floor(np.linspace(0, longest, 6))).tolist()
    slope, p_value = _slope(who, times, places, level)
    return Trend(_bins(who, times, places, edges, level, seed), slope, p_value)


def _measured(
    observer: ArrayLike, response_ms: ArrayLike, also: ArrayLike | None
) -> tuple[Ints, Floats, Floats]:
    who, times = np.asarray(observer, dtype=np.int64), np.asarray(response_ms, dtype=np.float64)
    other = np.zeros(len(times)) if also is None else np.asarray(also, dtype=np.float64)
    if not len(who) == len(times) == len(other):
        raise ValueError(f"Found {len(who)} observers of {len(times)} times; expected as many.")
    if np.any(times <= 0):
        raise ValueError("Found a response time of 0 ms or less; expected more.")
    is_measured = np.isfinite(times) & np.isfinite(other)
    return who[is_measured], times[is_measured], other[is_measured]


def _bins(
    who: Ints, times: Floats, x: Floats, edges: Sequence[float], level: float, seed: int
) -> tuple[Bin, ...]:
    found = []
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        # A share such as 0.6 is no exact binary number: a hair must not move it to the next bin.
        is_in: Bools = (x >= low - 1e-9) & (x < high - 1e-9)
        if high == edges[-1]:
            is_in = is_in | (np.abs(x - high) <= 1e-9)
        median = _median(who[is_in], times[is_in], level, seed)
        n_observers = len(np.unique(who[is_in]))
        found.append(Bin(float(low), float(high), int(is_in.sum()), n_observers, median))
    return tuple(found)


def _median(who: Ints, times: Floats, level: float, seed: int) -> Estimate:
    if not len(times):
        return Estimate(float("nan"), None, "no time was measured")
    value = float(np.median(times))
    n_observers = len(np.unique(who))
    reason = too_few(n_observers)
    if reason is not None:
        return Estimate(value, None, reason)
    drawn = _drawn_medians(who, times, seed)
    low, high = limits_of(drawn[:, None], n_observers, level)[:, 0].tolist()
    return Estimate(value, Interval(low, high, level, n_observers, METHOD, RESAMPLES))


def _drawn_medians(who: Ints, times: Floats, seed: int) -> Floats:
    """(RESAMPLES,): medians of draws of whole observers."""
    rng = np.random.default_rng(seed)
    order = np.argsort(times, kind="stable")
    values = times[order]
    codes = np.unique(who, return_inverse=True)[1][order]
    g = int(codes.max()) + 1
    chunk = max(1, _ENTRIES // len(values))
    found = []
    for begin in range(0, RESAMPLES, chunk):
        drawn = rng.multinomial(g, np.full(g, 1 / g), size=min(chunk, RESAMPLES - begin))
        total = np.cumsum(drawn[:, codes], axis=1)
        half = total[:, -1:] / 2
        lower = (total < half).sum(axis=1)
        upper = np.minimum((total <= half).sum(axis=1), len(values) - 1)
        found.append((values[lower] + values[upper]) / 2)
    return np.concatenate(found)


def _slope(who: Ints, times: Floats, places: Floats, level: float) -> tuple[Estimate, float | None]:
    """Least squares of log time on place, each observer with an own level; the error is over
    observers (Liang and Zeger 1986, Biometrika 73, 13)."""
    codes = np.unique(who, return_inverse=True)[1]
    g = int(codes.max(initial=-1)) + 1
    n = np.bincount(codes, minlength=g)
    y, x = np.log(times), places
    y = y - (np.bincount(codes, y, g) / n)[codes] if g else y
    x = x - (np.bincount(codes, x, g) / n)[codes] if g else x
    if not (x**2).sum() > 0:
        return Estimate(float("nan"), None, "all judgments have the same place"), None
    slope = float((x * y).sum() / (x**2).sum())
    value = float(np.expm1(slope))
    reason = too_few(g)
    if reason is not None:
        return Estimate(value, None, reason), None
    pull = np.bincount(codes, x * (y - slope * x), g)
    error = float(np.sqrt(g / (g - 1) * (pull**2).sum()) / (x**2).sum())
    if not error > 0:
        return Estimate(value, None, "every observer changes alike"), None
    low, high = np.expm1(student_limits(slope, error, g - 1, level)).tolist()
    p_value = float(2 * t.sf(abs(slope) / error, g - 1))
    return Estimate(value, Interval(low, high, level, g, SLOPE_METHOD)), p_value
