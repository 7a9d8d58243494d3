"""People whose true scale is known, with answers that hang together within each of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.preference.comparisons import Comparisons
from annotation.preference.davidson import Davidson, fit_davidson

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def davidson_chances(difference: Floats, nu: float) -> tuple[Floats, Floats]:
    """P(first), P(not sure)."""
    one, other = np.exp(difference / 2), np.exp(-difference / 2)
    total = one + other + nu
    return one / total, nu / total


@dataclass(frozen=True)
class Truth:
    """What intervals are to hold: places (n,), log nu, win shares (n,)."""

    places: Floats
    log_nu: float
    shares: Floats


@dataclass(frozen=True)
class Opinions:
    """With chance `stubborn` an answer is the observer's standing one to that pair, else fresh.

    Standing and fresh ones come from the same Davidson model, so its scale is exactly the truth
    however much the answers of one person hang together.
    """

    places: tuple[float, ...]
    nu: float = 0.4
    stubborn: float = 0.6

    def truth(self) -> Truth:
        return _truth(np.array(self.places), self.nu)

    def answer(self, n_observers: int, per_observer: int, rng: np.random.Generator) -> Comparisons:
        observer, first, second = asked(len(self.places), n_observers, per_observer, rng)
        places, n = np.array(self.places), len(self.places)
        index = np.arange(n)
        difference = places[index[:, None]] - places[index[None, :]]
        standing = _draw(np.broadcast_to(difference, (n_observers, n, n)), self.nu, rng)
        fresh = _draw(places[first] - places[second], self.nu, rng)
        low, high = np.minimum(first, second), np.maximum(first, second)
        own = standing[observer, low, high]
        own = np.where(first < second, own, 1 - own)
        share = np.where(rng.random(len(first)) < self.stubborn, own, fresh)
        return Comparisons(n, n_observers, observer, first, second, share)


@dataclass(frozen=True)
class Leanings:
    """Observers differ in sharpness, in taste for single items and in a side; some toss coins.

    The truth is the scale of what the whole population would answer.
    """

    places: tuple[float, ...]
    nu: float = 0.4
    taste: float = 0.4
    sharpness: float = 0.3
    side_bias: float = 0.2
    careless: float = 0.1

    def truth(self) -> Truth:
        rng = np.random.default_rng(99)
        own, side, is_careless = self._people(40_000, rng)
        n = len(self.places)
        wins, ties = np.zeros((n, n)), np.zeros((n, n))
        for i in range(n):
            for j in range(n):
                if i != j:
                    for sign in (1, -1):
                        won, tied = davidson_chances(own[:, i] - own[:, j] + sign * side, self.nu)
                        wins[i, j] += 1e4 * np.where(is_careless, 0.5, won).mean()
                        ties[i, j] += 1e4 * np.where(is_careless, 0.0, tied).mean()
        ties = (ties + ties.T) / 2
        found = fit_davidson(wins, ties, prior_sd=1e3)
        share = (wins + ties / 2).sum(axis=1) / (wins + wins.T + ties).sum(axis=1)
        return Truth(found.places, found.log_nu, share)

    def answer(self, n_observers: int, per_observer: int, rng: np.random.Generator) -> Comparisons:
        observer, first, second = asked(len(self.places), n_observers, per_observer, rng)
        own, side, is_careless = self._people(n_observers, rng)
        seen = own[observer, first] - own[observer, second]
        # The first one stands left or right by chance.
        seen = seen + side[observer] * rng.choice([-1, 1], len(first))
        share = _draw(seen, self.nu, rng)
        coin = rng.integers(0, 2, len(first)).astype(np.float64)
        share = np.where(is_careless[observer], coin, share)
        return Comparisons(len(self.places), n_observers, observer, first, second, share)

    def _people(self, n: int, rng: np.random.Generator) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        sharp = np.exp(self.sharpness * rng.standard_normal(n))
        own = sharp[:, None] * np.array(self.places)
        own = own + self.taste * rng.standard_normal(own.shape)
        return own, self.side_bias * rng.standard_normal(n), rng.random(n) < self.careless


def asked(
    n_items: int, n_observers: int, per_observer: int, rng: np.random.Generator
) -> tuple[Ints, Ints, Ints]:
    """Every observer is asked about as many pairs, each pair about equally often."""
    pairs = np.stack(np.triu_indices(n_items, 1), axis=1)
    rows = []
    for _ in range(n_observers):
        rounds = -(-per_observer // len(pairs))
        order = np.concatenate([rng.permutation(len(pairs)) for _ in range(rounds)])
        rows.append(pairs[order[:per_observer]])
    both = np.concatenate(rows)
    flip = rng.random(len(both)) < 0.5
    first, second = np.where(flip, both[:, 1], both[:, 0]), np.where(flip, both[:, 0], both[:, 1])
    return np.repeat(np.arange(n_observers), per_observer), first, second


def _draw(difference: Floats, nu: float, rng: np.random.Generator) -> Floats:
    won, tied = davidson_chances(difference, nu)
    at = rng.random(difference.shape)
    return np.where(at < won, 1.0, np.where(at < won + tied, 0.5, 0.0))


def _truth(places: Floats, nu: float) -> Truth:
    difference = places[:, None] - places[None, :]
    won, tied = davidson_chances(difference, nu)
    score = won + tied / 2
    np.fill_diagonal(score, 0)
    return Truth(places - places.mean(), float(np.log(nu)), score.sum(axis=1) / (len(places) - 1))


def scale_of(comparisons: Comparisons) -> Davidson:
    return fit_davidson(comparisons.wins(), comparisons.ties())
