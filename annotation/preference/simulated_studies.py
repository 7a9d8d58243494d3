"""Made-up studies of one pair of items: how often their test finds the difference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit

from annotation.preference.sign_flips import is_found, sign_flip_p_of_moments

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# From here on the expansion decides as the exact test does.
_MANY = 200


@dataclass(frozen=True)
class Observers:
    """per_observer: judgments of the pair by each, on average. spread: standard deviation between
    observers of the preference, in log-odds. not_sure_share: of answers. careless_share: of
    observers, who toss a coin."""

    per_observer: float
    spread: float
    not_sure_share: float
    careless_share: float


def power_curve(
    observers: Observers, share: float, alpha: float, sizes: Ints, n: int, seed: int
) -> Floats:
    """Share of `n` simulated studies with p < alpha, at each number of observers in `sizes`.

    Rising sizes; each study's observers come one after the other, so that neighbouring sizes
    share their people and the curve is smooth.
    """
    rng = np.random.default_rng(seed)
    balance = _balances(observers, share, int(sizes[-1]), n, rng)
    is_large = sizes > _MANY
    found = np.zeros(len(sizes))
    for at in np.flatnonzero(~is_large):
        found[at] = is_found(balance[:, : sizes[at]], alpha).mean()
    if is_large.any():
        last = sizes[is_large] - 1
        total, square, fourth = (
            np.cumsum(balance**power, axis=1, dtype=np.float64)[:, last] for power in (1, 2, 4)
        )
        step = max(1.0, float(np.gcd.reduce(balance, axis=None)))
        p_values = sign_flip_p_of_moments(total, square, fourth, step)
        found[is_large] = (p_values < alpha).mean(axis=0)
    return found


def _balances(
    observers: Observers, share: float, g: int, n: int, rng: np.random.Generator
) -> NDArray[np.int32]:
    """(n, g): each simulated observer's answers for the better one less those for the other."""
    shape = (n, g)
    lean = rng.standard_normal(shape, dtype=np.float32) * np.float32(observers.spread)
    chance = expit(lean + np.float32(centre_of(share, observers.spread)))
    chance[rng.random(shape, dtype=np.float32) < observers.careless_share] = 0.5
    whole = int(observers.per_observer)
    asked = np.full(shape, whole) + (
        rng.random(shape, dtype=np.float32) < observers.per_observer - whole
    )
    decided = (
        rng.binomial(asked, 1 - observers.not_sure_share) if observers.not_sure_share else asked
    )
    return (2 * rng.binomial(decided, chance) - decided).astype(np.int32)


def centre_of(share: float, spread: float) -> float:
    """Log-odds around which observers spread normally so that their mean share is `share`."""
    if share == 0.5 or spread == 0:
        return float(logit(share))
    at, weight = np.polynomial.hermite_e.hermegauss(60)
    weight = weight / weight.sum()
    far = abs(float(logit(share))) * (1 + spread**2) + 1
    return float(brentq(lambda c: float(weight @ expit(c + spread * at)) - share, -far, far))
