"""How many observers a study needs to tell a share from a coin, by simulating its own test."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from annotation.preference.intervals import wilson_limits
from annotation.preference.simulated_studies import Observers, power_curve

Floats = NDArray[np.float64]

SIMULATIONS = 2000
MOST_OBSERVERS = 20_000
# Of one pair at one rate, observers times simulations drawn at once.
_ENTRIES = 6_000_000
_POINTS = 30


@dataclass(frozen=True)
class StudyDesign:
    """What the number of observers depends on, besides the share.

    n_pairs: pairs of codecs at one rate. n_rates, n_photos: each pair is asked at every rate on
    every photo. trials: analysed judgments in a session, one session a person. observer_spread:
    standard deviation between observers of the preference, in log-odds. not_sure_share: of
    answers. careless_share: of observers, who toss a coin
    and stay in: screening them would need fewer.
    """

    n_pairs: int
    n_rates: int
    n_photos: int
    trials: int
    observer_spread: float = 0.4
    not_sure_share: float = 0.0
    careless_share: float = 0.1

    def __post_init__(self) -> None:
        for name in ("n_pairs", "n_rates", "n_photos", "trials"):
            if getattr(self, name) < 1:
                raise ValueError(f"Found {name} {getattr(self, name)}; expected 1 or more.")
        if self.trials > self.n_triplets:
            raise ValueError(
                f"Found {self.trials} trials of {self.n_triplets} triplets; expected no more "
                "trials than triplets: nobody sees one twice."
            )
        if not self.observer_spread >= 0:
            raise ValueError(f"Found observer_spread {self.observer_spread}; expected 0 or more.")
        for name in ("not_sure_share", "careless_share"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"Found {name} {getattr(self, name)}; expected 0 to below 1.")

    @property
    def n_triplets(self) -> int:
        return self.n_pairs * self.n_rates * self.n_photos

    @property
    def per_observer(self) -> float:
        """Judgments of one pair at one rate by one observer."""
        return self.trials / (self.n_pairs * self.n_rates)

    @property
    def observers(self) -> Observers:
        return Observers(
            self.per_observer, self.observer_spread, self.not_sure_share, self.careless_share
        )


@dataclass(frozen=True)
class PowerPoint:
    """Share of simulated studies that find the difference; low, high: its 95 % Monte Carlo
    interval (Wilson)."""

    n_observers: int
    power: float
    low: float
    high: float


@dataclass(frozen=True)
class Needed:
    """`n_observers`: the fewest that reach `power`, with those at which the Monte Carlo interval
    of the curve reaches it; None with a `reason` where so many are out of reach.

    judgments_of_pair: of one pair at one rate. judgments: of the whole study.
    """

    share: float
    alpha: float
    power: float
    design: StudyDesign
    curve: tuple[PowerPoint, ...]
    n_simulations: int
    n_observers: int | None = None
    n_observers_low: int | None = None
    n_observers_high: int | None = None
    judgments_of_pair: int | None = None
    judgments: int | None = None
    judgments_per_triplet: float | None = None
    reason: str | None = None


def needed(
    design: StudyDesign,
    share: float = 0.55,
    alpha: float = 0.05,
    power: float = 0.8,
    *,
    n_comparisons: int = 1,
    simulations: int = SIMULATIONS,
    seed: int = 0,
) -> Needed:
    """Observers and judgments to tell `share` of the attentive from 0.5, two-sided, at `alpha`.

    share: of those who decide, 0.5 < share < 1 (below 0.5, of the other one). n_comparisons:
    pairs that are tested together; the first step of Holm's correction, alpha / n_comparisons, is
    then what has to be passed, so a few observers fewer may do. The same seed, the same numbers.
    """
    share = max(share, 1 - share)
    _check(share, alpha, power, n_comparisons, simulations)
    passed = alpha / n_comparisons
    most = int(max(20, 1.8 * _guess(design, share, passed, power) + 10))
    while True:
        most = min(most, MOST_OBSERVERS)
        n = int(min(simulations, max(200, _ENTRIES // most)))
        sizes = np.unique(np.geomspace(max(2, most // 20), most, 100).astype(np.int64))
        points = _points(sizes, power_curve(design.observers, share, passed, sizes, n, seed), n)
        if points[-1].power >= power or most == MOST_OBSERVERS:
            return _read_off(Needed(share, alpha, power, design, points, n))
        most *= 2


def power_of(
    design: StudyDesign,
    n_observers: int,
    share: float = 0.55,
    alpha: float = 0.05,
    *,
    n_comparisons: int = 1,
    simulations: int = SIMULATIONS,
    seed: int = 0,
) -> PowerPoint:
    """Power of the study with so many observers; see `needed`. share may be 0.5 here."""
    if not 0 < n_observers <= MOST_OBSERVERS:
        raise ValueError(f"Found {n_observers} observers; expected 1 to {MOST_OBSERVERS}.")
    sizes = np.array([n_observers])
    found = power_curve(
        design.observers, max(share, 1 - share), alpha / n_comparisons, sizes, simulations, seed
    )
    return _points(sizes, found, simulations)[0]


def _check(share: float, alpha: float, power: float, n_comparisons: int, simulations: int) -> None:
    if not 0.5 < share < 1:
        raise ValueError(f"Found share {share}; expected one between 0 and 1 other than 0.5.")
    if not (0 < alpha < 1 and 0 < power < 1):
        raise ValueError(f"Found alpha {alpha} and power {power}; expected shares within 0..1.")
    if n_comparisons < 1 or simulations < 100:
        raise ValueError("Found no comparison, or fewer than 100 simulations.")


def _guess(design: StudyDesign, share: float, alpha: float, power: float) -> float:
    """The normal approximation's number of observers, to know where to look."""
    per = design.per_observer
    attentive = (1 - design.careless_share) * (1 - design.not_sure_share)
    lean = attentive * (2 * share - 1) * per
    between = 4 * design.observer_spread**2 * (share * (1 - share)) ** 2 + lean**2 / per**2
    variance = per + per * max(per - 1, 0) * between
    z = norm.isf(alpha / 2) + norm.ppf(power)
    return float(z**2 * variance / lean**2)


def _points(sizes: NDArray[np.int64], found: Floats, n: int) -> tuple[PowerPoint, ...]:
    return tuple(
        PowerPoint(int(size), float(power), *wilson_limits(float(power), n, 0.95))
        for size, power in zip(sizes, found, strict=True)
    )


def _read_off(found: Needed) -> Needed:
    points, wanted = found.curve, found.power
    fewest = _first(points, [point.power for point in points], wanted)
    step = max(1, len(points) // _POINTS)
    found = replace(
        found,
        curve=points[::-1][::step][::-1],
        n_observers_low=_first(points, [point.high for point in points], wanted),
        n_observers_high=_first(points, [point.low for point in points], wanted),
    )
    if fewest is None:
        return replace(found, reason=f"more than {points[-1].n_observers} observers")
    judgments = fewest * found.design.trials
    return replace(
        found,
        n_observers=fewest,
        judgments_of_pair=round(fewest * found.design.per_observer),
        judgments=judgments,
        judgments_per_triplet=judgments / found.design.n_triplets,
    )


def _first(points: tuple[PowerPoint, ...], values: list[float], wanted: float) -> int | None:
    """The fewest observers from which on the values stay at what is wanted."""
    is_below = np.flatnonzero(np.array(values) < wanted)
    at = int(is_below[-1]) + 1 if len(is_below) else 0
    return points[at].n_observers if at < len(points) else None
