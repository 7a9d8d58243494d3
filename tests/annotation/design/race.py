"""Two schedulers ask simulated observers about conditions whose true order is known."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau, norm

from annotation.design.scheduling import choose_block
from annotation.design.simulation import SimulatedObserver, make_population
from annotation.preference.scale import count_wins, fit_scale

Floats = NDArray[np.float64]
# Places are told in JND: at 1 JND the better one is chosen in 75 % of comparisons.
JND = float(norm.ppf(0.75))
SESSION = 30
# The balanced scheduler's judgments for each pair: what scaling is said to want at least.
JUDGMENTS_A_PAIR = 10
CHECKPOINTS = 10
JUDGMENTS_A_CONDITION = 4

PROFILES: dict[str, Callable[[np.random.Generator], Floats]] = {
    "8 even, 5 JND": lambda rng: np.linspace(0, 5, 8),
    "12 even, 7 JND": lambda rng: np.linspace(0, 7, 12),
    "12 in 4 clusters": lambda rng: np.add.outer([0.0, 2, 4, 6], [0.0, 0.25, 0.5]).ravel(),
    "16 drawn, SD 2 JND": lambda rng: rng.normal(0, 2, 16),
    "20 even, 7 JND": lambda rng: np.linspace(0, 7, 20),
    "5 close, 3 far": lambda rng: np.array([0, 0.2, 0.4, 0.6, 0.8, 3, 5, 6.0]),
    "12 drawn, SD 1 JND": lambda rng: rng.normal(0, 1, 12),
    "8 even, 1.5 JND": lambda rng: np.linspace(0, 1.5, 8),
}


@dataclass(frozen=True, eq=False)
class Curve:
    """After each share of the judgments, 1/10 to 10/10: means over the repetitions.

    tau: Kendall's, of the posterior mean against the truth. rank_error: mean distance of a
    condition's rank from its true rank, in ranks.
    """

    n_judgments: NDArray[np.int64]
    tau: Floats
    tau_error: Floats
    rank_error: Floats


class _Panel:
    """Observers who come one after another, each for a session."""

    def __init__(self, places_jnd: Floats, seed: int) -> None:
        self._quality = places_jnd * JND
        self._people: Iterator[SimulatedObserver] = iter(make_population(400, seed))
        self._rng = np.random.default_rng(seed)
        self._n_answers = 0

    def ask(self, one: int, other: int) -> float:
        """1 where the first is chosen, 0 where the second is."""
        if self._n_answers % SESSION == 0:
            self._observer = next(self._people)
        self._n_answers += 1
        first, second = self._quality[one], self._quality[other]
        is_left = bool(self._rng.random() < 0.5)
        return float(self._observer.choose(first, second, is_left, self._rng).choice == "first")


def _balanced(n: int, n_judgments: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Every pair once before any pair twice, in another order each time."""
    pairs = list(combinations(range(n), 2))
    rounds = -(-n_judgments // len(pairs))
    return [pairs[k] for _ in range(rounds) for k in rng.permutation(len(pairs))][:n_judgments]


def _answers(
    n: int, n_judgments: int, scheduler: str, panel: _Panel, rng: np.random.Generator, size: int
) -> list[tuple[int, int, float]]:
    """Every comparison in the order in which it was asked, and its answer.

    A block is planned while the one before it is asked: without its answers.
    """
    first = n_judgments if scheduler == "balanced" else JUDGMENTS_A_CONDITION * n
    asked = [(i, j, panel.ask(i, j)) for i, j in _balanced(n, first, rng)]
    capacity = np.full((n, n), n_judgments)
    n_known = len(asked)
    while len(asked) < n_judgments:
        known, pending = asked[:n_known], [(i, j) for i, j, _ in asked[n_known:]]
        scale = fit_scale(count_wins(n, *zip(*known, strict=True)))
        block = choose_block(
            scale.mean, scale.covariance, capacity, size, len(asked),
            pending=pending, criterion=scheduler,
        )  # fmt: skip
        n_known = len(asked)
        asked += [(ask.first, ask.second, panel.ask(ask.first, ask.second)) for ask in block]
    return asked[:n_judgments]


def race(
    profile: str, scheduler: str, *, repetitions: int, size: int = 20, ends: Sequence[float] = ()
) -> Curve:
    """`scheduler`: "balanced", or a criterion of the active one. The same seeds for each.

    `ends`: the shares of the judgments to look at; all tenths unless told otherwise.
    """
    shares = np.asarray(ends or np.arange(1, CHECKPOINTS + 1) / CHECKPOINTS)
    found = []
    for repetition in range(repetitions):
        rng = np.random.default_rng(repetition)
        truth = rng.permutation(PROFILES[profile](rng))
        n = len(truth)
        n_judgments = np.round(shares * JUDGMENTS_A_PAIR * n * (n - 1) / 2).astype(np.int64)
        panel = _Panel(truth, repetition)
        answers = _answers(n, int(n_judgments[-1]), scheduler, panel, rng, size)
        found.append([_accuracy(truth, answers[:end]) for end in n_judgments])
    tau, rank_error = np.array(found).transpose(2, 0, 1)
    error = tau.std(axis=0, ddof=1) / np.sqrt(repetitions)
    return Curve(n_judgments, tau.mean(axis=0), error, rank_error.mean(axis=0))


def _accuracy(truth: Floats, answers: list[tuple[int, int, float]]) -> tuple[float, float]:
    mean = fit_scale(count_wins(len(truth), *zip(*answers, strict=True))).mean
    ranks, true_ranks = mean.argsort().argsort(), truth.argsort().argsort()
    return float(kendalltau(mean, truth).statistic), float(np.abs(ranks - true_ranks).mean())


def share_needed(active: Curve, balanced: Curve) -> float:
    """Of all the balanced scheduler's judgments, the share at which the active is as accurate.

    By linear interpolation on the active one's curve, made monotone; nan: not reached.
    """
    tau = np.maximum.accumulate(active.tau)
    if tau[-1] < balanced.tau[-1]:
        return float("nan")
    reached = np.interp(balanced.tau[-1], tau, active.n_judgments)
    return float(reached / balanced.n_judgments[-1])
