"""The preference scale's intervals: seconds for 1,000 draws of observers, against choix.

python -m benchmarks.preference --judgments 15000 --observers 100 --repetitions 5

CPU and wall-clock seconds, medians. Two peers, timed on few draws: choix 0.4's optimiser on each
draw's judgments (Bradley-Terry; it has no ties, so they are left out for it), and a loop of
scipy's L-BFGS on each draw's counts, which fits the same model with the same prior.
"""
# make bench: --repetitions 3

import argparse
import time
from collections.abc import Callable
from functools import partial
from statistics import median

import choix
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from annotation.preference.bootstrap import RESAMPLES, bootstrap_places
from annotation.preference.closest import closest
from annotation.preference.comparisons import Comparisons
from annotation.preference.davidson import PRIOR_SD
from annotation.preference.power import StudyDesign, needed
from annotation.preference.shares import win_shares
from annotation.preference.significance import pair_tests
from tests.annotation.preference.simulated_people import davidson_chances

N_CODECS, N_RATES = 6, 4


def made_up_study(n: int, n_observers: int, across_rates: float, seed: int = 1) -> Comparisons:
    """Items are codecs at rates; `across_rates` of the judgments compare neighbouring rates."""
    rng = np.random.default_rng(seed)
    rate, codec = rng.integers(0, N_RATES, n), rng.integers(0, N_CODECS, n)
    other_codec = (codec + rng.integers(1, N_CODECS, n)) % N_CODECS
    is_across = rng.random(n) < across_rates
    other_rate = np.where(is_across, (rate + 1) % N_RATES, rate)
    first, second = rate * N_CODECS + codec, other_rate * N_CODECS + other_codec
    places = (np.linspace(-1, 1, N_CODECS) + np.arange(N_RATES)[:, None]).ravel()
    won, tied = davidson_chances(places[first] - places[second], 0.4)
    at = rng.random(n)
    share = np.where(at < won, 1.0, np.where(at < won + tied, 0.5, 0.0))
    n_items = N_CODECS * N_RATES
    return Comparisons(n_items, n_observers, rng.integers(0, n_observers, n), first, second, share)


def each_rate(study: Comparisons) -> list[Comparisons]:
    return [study.among(range(rate * N_CODECS, (rate + 1) * N_CODECS)) for rate in range(N_RATES)]


def timed(work: Callable[[], object], repetitions: int) -> tuple[float, float]:
    """CPU and wall-clock seconds, medians."""
    cpu_s, wall_s = [], []
    for _ in range(repetitions):
        began = time.process_time(), time.perf_counter()
        work()
        cpu_s.append(time.process_time() - began[0])
        wall_s.append(time.perf_counter() - began[1])
    return median(cpu_s), median(wall_s)


def told(name: str, seconds: tuple[float, float]) -> None:
    print(f"{name:66} {seconds[0]:8.3f} s CPU {seconds[1]:8.3f} s")


def by_choix(study: Comparisons, n_draws: int) -> None:
    """A plain loop: draw observers, gather their judgments, fit."""
    rng = np.random.default_rng(1)
    rows = [np.flatnonzero(study.observer == o) for o in range(study.n_observers)]
    for _ in range(n_draws):
        drawn = np.concatenate([rows[o] for o in rng.integers(0, len(rows), len(rows))])
        drawn = drawn[~study.is_tie[drawn]]
        won = study.share_first[drawn] == 1
        winner = np.where(won, study.first[drawn], study.second[drawn])
        loser = np.where(won, study.second[drawn], study.first[drawn])
        data = list(zip(winner.tolist(), loser.tolist(), strict=True))
        choix.opt_pairwise(study.n_items, data, alpha=0.01)


def by_scipy(study: Comparisons, n_draws: int) -> None:
    """A plain loop: draw observers, sum their counts, fit places and log nu."""
    counts = study.counts()
    pairs, n = counts.pairs, len(counts.won)
    rng = np.random.default_rng(1)
    for _ in range(n_draws):
        times = rng.multinomial(n, np.full(n, 1 / n))
        drawn = [times @ table for table in (counts.won, counts.lost, counts.tied)]
        at = np.zeros(study.n_items + 1)
        minimize(_downhill, at, (pairs, *drawn), method="L-BFGS-B", jac=True)


def _downhill(
    at: NDArray[np.float64],
    pairs: NDArray[np.int64],
    won: NDArray[np.float64],
    lost: NDArray[np.float64],
    tied: NDArray[np.float64],
) -> tuple[float, NDArray[np.float64]]:
    """Minus the log-posterior and its gradient."""
    half = (at[pairs[:, 0]] - at[pairs[:, 1]]) / 2
    log_sum = np.logaddexp(np.logaddexp(half, -half), at[-1])
    n = won + lost + tied
    value = ((won - lost) * half + tied * at[-1] - n * log_sum).sum() - at @ at / 2 / PRIOR_SD**2
    pull = (won - lost) / 2 - n * np.sinh(half) * np.exp(-log_sum)
    slope = np.bincount(pairs[:, 0], pull, len(at)) - np.bincount(pairs[:, 1], pull, len(at))
    slope[-1] = (tied - n * np.exp(at[-1] - log_sum)).sum()
    return -float(value), at / PRIOR_SD**2 - slope


def show(options: argparse.Namespace) -> None:
    apart = made_up_study(options.judgments, options.observers, 0.0)
    joint = made_up_study(options.judgments, options.observers, 0.3)
    print(
        f"{options.judgments} judgments by {options.observers} observers, {N_CODECS} codecs at "
        f"{N_RATES} rates, {RESAMPLES} draws of observers"
    )
    told("Davidson's scale at each rate, 6 items four times", timed(
        lambda: [bootstrap_places(rate) for rate in each_rate(apart)], options.repetitions
    ))  # fmt: skip
    ours = timed(lambda: bootstrap_places(joint), options.repetitions)
    told("one scale across the rates, 24 items", ours)
    told("win shares, pair tests with Holm and the closest at each rate", timed(
        lambda: [everything_else(rate) for rate in each_rate(apart)], options.repetitions
    ))  # fmt: skip
    for name, peer, n_draws in (
        ("choix's optimiser", by_choix, options.peer_draws),
        ("scipy's L-BFGS", by_scipy, 20 * options.peer_draws),
    ):
        cpu_s, wall_s = (
            seconds / n_draws * RESAMPLES for seconds in timed(partial(peer, joint, n_draws), 1)
        )
        told(f"peer, 24 items: {name}, from {n_draws} draws to {RESAMPLES}", (cpu_s, wall_s))
        print(f"  {cpu_s / ours[0]:.0f} times the CPU, {wall_s / ours[1]:.0f} times the time")
    design = StudyDesign(n_pairs=15, n_rates=N_RATES, n_photos=24, trials=60)
    for share in (0.55, 0.6, 0.7):
        found = needed(design, share)
        seconds = timed(partial(needed, design, share), options.repetitions)
        told(f"power of {share:.2f}: {found.n_observers} observers", seconds)


def everything_else(study: Comparisons) -> None:
    win_shares(study)
    pair_tests(study)
    closest(study, bootstrap_places(study, resamples=100))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--judgments", type=int, default=15_000)
    parser.add_argument("--observers", type=int, default=100)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--peer-draws", type=int, default=5)
    show(parser.parse_args())


if __name__ == "__main__":
    main()
