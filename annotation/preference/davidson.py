"""Bradley-Terry with ties: how far apart items stand when people may be not sure.

Davidson 1970, "On extending the Bradley-Terry model to accommodate ties in paired comparison
experiments", JASA 65, 317. With d = place of i minus place of j:

    P(i) : P(j) : P(not sure)  =  exp(d / 2) : exp(-d / 2) : nu
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.csgraph import connected_components
from scipy.special import expit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# One just noticeable difference: the better one is preferred by 75 % of those who decide.
JND = float(np.log(3))
# Of each place and of log nu, in log-odds. A place 6 log-odds off (99.75 %) costs as much as one
# answer against expectation: it decides only where answers do not.
PRIOR_SD = 3.0
MOST_STEPS = 60
_TOLERANCE = 1e-10


@dataclass(frozen=True, eq=False)
class Davidson:
    """n items on one line; higher is better.

    places: (n,), log-odds of being chosen among those who decide; mean 0 within each connected
    part, and places of different parts cannot be compared. log_nu: -inf where nobody was unsure.
    part: (n,), connected part of each item. bound: (n,), number of the group of items within
    which the answers alone fix all distances; distances between two groups of one part (where one
    group never lost to the other) are held by the prior and mean only "more than can be told".
    """

    places: Floats
    log_nu: float
    part: Ints
    bound: Ints
    prior_sd: float

    @property
    def places_jnd(self) -> Floats:
        return self.places / JND

    @property
    def is_held_by_prior(self) -> Bools:
        """(n,): whether some distance within the item's part is decided by the prior alone."""
        n_bounds = [len(np.unique(self.bound[self.part == part])) for part in self.part]
        return np.asarray(n_bounds) > 1

    def chances(self, first: int, second: int) -> tuple[float, float, float]:
        """P(first), P(second), P(not sure); they sum to 1."""
        half = (self.places[first] - self.places[second]) / 2
        odds = np.exp([half, -half, self.log_nu])
        one, other, unsure = (odds / odds.sum()).tolist()
        return one, other, unsure


def share_of_jnd(distance_jnd: float) -> float:
    """Share of those who decide that prefers the better one, at a distance in JND."""
    return float(expit(distance_jnd * JND))


def fit_davidson(wins: ArrayLike, ties: ArrayLike, *, prior_sd: float = PRIOR_SD) -> Davidson:
    """Maximum a posteriori by Newton's method; without ties, Bradley-Terry's.

    wins: (n, n), how often i was chosen over j. ties: (n, n) symmetric, how often neither was.
    Prior: places and log nu are Gaussian around 0 with `prior_sd`, so that an item that never
    lost stands at a finite place. ValueError on counts that cannot be, RuntimeError where it does
    not settle.
    """
    won, tied = np.asarray(wins, dtype=np.float64), np.asarray(ties, dtype=np.float64)
    _check_counts(won, tied)
    first, second = np.nonzero(np.triu(won + won.T + tied, 1))
    pairs = np.stack([first, second], axis=1)
    counts = np.stack([won[first, second], won[second, first], tied[first, second]])[None]
    found = settle(len(won), pairs, counts, prior_sd=prior_sd)[0]
    part, bound = parts_of(won, tied)
    return Davidson(found[:-1], float(found[-1]) if tied.any() else -np.inf, part, bound, prior_sd)


def parts_of(wins: Floats, ties: Floats) -> tuple[Ints, Ints]:
    """(n,) connected parts, and groups that wins join both ways (Ford 1957: only within one does
    maximum likelihood have a finite answer). A tie joins both ways."""
    beaten = (wins + ties + ties.T) > 0
    part = connected_components(beaten, directed=True, connection="weak")[1]
    bound = connected_components(beaten, directed=True, connection="strong")[1]
    return part.astype(np.int64), bound.astype(np.int64)


def settle(
    n_items: int,
    pairs: Ints,
    counts: Floats,
    *,
    start: Floats | None = None,
    prior_sd: float = PRIOR_SD,
) -> Floats:
    """Many fits at once: the places and log nu, (fits, n + 1), at the summit of each posterior.

    pairs: (pairs, 2). counts: (fits, 3, pairs), judgments for the pair's first, for its second
    and not sure. start: (n + 1,), where all begin. Without any tie in all fits nu is 0 and the
    last column means nothing.
    """
    fitting = _Fitting(n_items, pairs, counts, prior_sd)
    at = np.zeros((len(counts), n_items + 1))
    if start is not None:
        at += np.where(np.isfinite(start), start, 0.0)
    value, gradient, curvature = fitting.posterior(at)
    for _ in range(MOST_STEPS):
        step: Floats = np.linalg.solve(curvature, gradient[:, :, None])[:, :, 0].astype(np.float64)
        if float((gradient * step).sum(axis=1).max(initial=0)) < _TOLERANCE:
            return at
        at, value, gradient, curvature = fitting.climb(at, step, value)
    raise RuntimeError(f"The scale of {n_items} items did not settle in {MOST_STEPS} steps.")


class _Fitting:
    """The log-posteriors of several tables of counts; each is concave, so it has one summit."""

    def __init__(self, n_items: int, pairs: Ints, counts: Floats, prior_sd: float) -> None:
        self._pairs, self._precision = pairs, 1 / prior_sd**2
        self._won, self._lost, self._tied = counts[:, 0], counts[:, 1], counts[:, 2]
        self._n = counts.sum(axis=1)
        self._has_ties = bool(self._tied.any())
        design = np.zeros((len(pairs), n_items))
        design[np.arange(len(pairs)), pairs[:, 0]] = 1
        design[np.arange(len(pairs)), pairs[:, 1]] = -1
        self._design = design
        self._squares = (design[:, :, None] * design[:, None, :]).reshape(len(pairs), -1)

    def posterior(self, at: Floats) -> tuple[Floats, Floats, Floats]:
        """Values (fits,) up to a constant, gradients (fits, n + 1), curvatures, sign turned."""
        half = (at[:, :-1] @ self._design.T) / 2
        log_nu = at[:, -1:] if self._has_ties else np.full((len(at), 1), -np.inf)
        log_sum = np.logaddexp(np.logaddexp(half, -half), log_nu)
        one, other, unsure = (
            np.exp(half - log_sum),
            np.exp(-half - log_sum),
            np.exp(log_nu - log_sum),
        )
        value = (self._won - self._lost) * half - self._n * log_sum
        if self._has_ties:
            value = value + self._tied * log_nu
        lean = (one - other) / 2
        pull = (self._won - self._lost) / 2 - self._n * lean
        gradient = np.empty_like(at)
        gradient[:, :-1] = pull @ self._design
        gradient[:, -1] = (self._tied - self._n * unsure).sum(axis=1)
        gradient -= self._precision * at
        total = value.sum(axis=1) - self._precision * (at**2).sum(axis=1) / 2
        return total, gradient, self._curvature(at, lean, (one + other) / 4, unsure)

    def _curvature(self, at: Floats, lean: Floats, spread: Floats, unsure: Floats) -> Floats:
        size = at.shape[1]
        found = np.zeros((len(at), size, size))
        bend = self._n * (spread - lean**2)
        found[:, :-1, :-1] = (bend @ self._squares).reshape(len(at), size - 1, size - 1)
        mixed = -(self._n * lean * unsure) @ self._design
        found[:, :-1, -1], found[:, -1, :-1] = mixed, mixed
        found[:, -1, -1] = (self._n * unsure * (1 - unsure)).sum(axis=1)
        found[:, np.arange(size), np.arange(size)] += self._precision
        return found

    def climb(
        self, at: Floats, step: Floats, value: Floats
    ) -> tuple[Floats, Floats, Floats, Floats]:
        """A Newton step, halved where it would lead down."""
        share = np.ones(len(at))
        for _ in range(40):
            found = self.posterior(at + share[:, None] * step)
            is_down = found[0] < value - 1e-9 * np.maximum(1.0, np.abs(value))
            if not is_down.any():
                break
            share = np.where(is_down, share / 2, share)
        return at + share[:, None] * step, *found


def _check_counts(wins: Floats, ties: Floats) -> None:
    if wins.ndim != 2 or wins.shape[0] != wins.shape[1] or wins.shape != ties.shape:
        raise ValueError(
            f"Found wins of shape {wins.shape} and ties of {ties.shape}; expected (n, n) both."
        )
    for name, counts in (("wins", wins), ("ties", ties)):
        if not np.all(np.isfinite(counts) & (counts >= 0)):
            raise ValueError(f"Found {name} that are negative or no numbers; expected 0 or more.")
        if np.any(np.diag(counts) != 0):
            raise ValueError(f"Found {name} of an item with itself; expected a diagonal of 0.")
    if not np.array_equal(ties, ties.T):
        raise ValueError("Found ties that differ by order; expected a symmetric table.")
