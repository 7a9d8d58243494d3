"""How many observers a study needs to tell a share from a coin, by simulating its own test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import norm

from annotation.preference.intervals import wilson_limits
from annotation.preference.sign_flips import sign_flip_p, sign_flip_p_of_moments

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SIMULATIONS = 2000
MOST_OBSERVERS = 20_000
# Of one pair at one rate, observers times simulations drawn at once.
_ENTRIES = 6_000_000
# Up to so many observers every simulated study gets the exact test, above it its expansion.
_EXACT_UP_TO = 16
_POINTS = 30


@dataclass(frozen=True)
class StudyDesign:
    """What the number of observers depends on, besides the share.

    n_pairs: pairs of codecs at one rate. n_rates, n_photos: each pair is asked at every rate on
    every photo. trials: analysed judgments in a session, one session a person. observer_spread:
    standard deviation between observers of the preference, in log-odds. not_sure_share: of
    answers. careless_share: of observers, who toss a coin.
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
    n_observers: int | None
    n_observers_low: int | None
    n_observers_high: int | None
    judgments_of_pair: int | None
    judgments: int | None
    judgments_per_triplet: float | None
    curve: tuple[PowerPoint, ...]
    n_simulations: int
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
    guess = _guess(design, share, alpha / n_comparisons, power)
    most = int(min(max(20, 1.8 * guess + 10), MOST_OBSERVERS))
    n = int(min(simulations, max(200, _ENTRIES // most)))
    fewest = 2 if most < 4 * _EXACT_UP_TO else max(_EXACT_UP_TO + 1, most // 20)
    sizes = np.unique(np.geomspace(fewest, most, 300).astype(int))
    found = _curve(design, share, alpha / n_comparisons, sizes, n, seed)
    points = _points(sizes, found, n)
    return _needed(points, design, share, alpha, power, n)


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
    found = _curve(design, max(share, 1 - share), alpha / n_comparisons, sizes, simulations, seed)
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


def _curve(
    design: StudyDesign, share: float, alpha: float, sizes: NDArray[np.int_], n: int, seed: int
) -> Floats:
    """Power at each number of observers; the same simulated people come one after the other."""
    balance = _balances(design, share, int(sizes[-1]), n, np.random.default_rng(seed))
    found = np.zeros(len(sizes))
    is_small = sizes <= _EXACT_UP_TO
    for at in np.flatnonzero(is_small):
        first = balance[:, : sizes[at]]
        found[at] = np.mean([sign_flip_p(row) < alpha for row in first])
    large = sizes[~is_small] - 1
    total, square, fourth = (
        np.cumsum(balance**power, axis=1, dtype=np.float64)[:, large] for power in (1, 2, 4)
    )
    step = float(np.gcd.reduce(balance, axis=None)) or 1.0
    p_values = sign_flip_p_of_moments(total, square, fourth, step)
    found[~is_small] = (p_values < alpha).mean(axis=0)
    return found


def _balances(
    design: StudyDesign, share: float, g: int, n: int, rng: np.random.Generator
) -> NDArray[np.int32]:
    """(n, g): each simulated observer's answers for the better one less those for the other."""
    shape = (n, g)
    lean = centre_of(share, design.observer_spread)
    chance = expit(lean + design.observer_spread * rng.standard_normal(shape))
    chance[rng.random(shape) < design.careless_share] = 0.5
    whole = int(design.per_observer)
    asked = whole + (rng.random(shape) < design.per_observer - whole)
    decided = rng.binomial(asked, 1 - design.not_sure_share)
    return (2 * rng.binomial(decided, chance) - decided).astype(np.int32)


def centre_of(share: float, spread: float) -> float:
    """Log-odds around which observers spread normally so that their mean share is `share`."""
    at, weight = np.polynomial.hermite_e.hermegauss(40)
    weight = weight / weight.sum()
    if share == 0.5 or spread == 0:
        return float(logit(share))
    far = 4 * abs(float(logit(share))) * (1 + spread) + 1
    return float(brentq(lambda c: float(weight @ expit(c + spread * at)) - share, -far, far))


def _points(sizes: NDArray[np.int_], found: Floats, n: int) -> tuple[PowerPoint, ...]:
    return tuple(
        PowerPoint(int(size), float(power), *wilson_limits(float(power), n, 0.95))
        for size, power in zip(sizes, found, strict=True)
    )


def _needed(
    points: tuple[PowerPoint, ...], design: StudyDesign, share: float, alpha: float,
    power: float, n: int,
) -> Needed:  # fmt: skip
    fewest = _first(points, [point.power for point in points], power)
    low = _first(points, [point.high for point in points], power)
    high = _first(points, [point.low for point in points], power)
    step = max(1, len(points) // _POINTS)
    curve = points[::-1][::step][::-1]
    if fewest is None:
        reason = f"more than {points[-1].n_observers} observers"
        return Needed(
            share, alpha, power, design, None, low, None, None, None, None, curve, n, reason
        )
    judgments = fewest * design.trials
    return Needed(
        share, alpha, power, design, fewest, low, high, round(fewest * design.per_observer),
        judgments, judgments / design.n_triplets, curve, n,
    )  # fmt: skip


def _first(points: tuple[PowerPoint, ...], values: list[float], wanted: float) -> int | None:
    """The fewest observers from which on the values stay at what is wanted."""
    is_below = np.flatnonzero(np.array(values) < wanted)
    at = int(is_below[-1]) + 1 if len(is_below) else 0
    return points[at].n_observers if at < len(points) else None
