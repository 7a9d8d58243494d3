"""The active scheduler against the balanced one: judgments for the same accuracy of the order.

python -m benchmarks.scheduling --repetitions 200 --size 20
"""
# make bench: --repetitions 40

import argparse
import time

import numpy as np

from annotation.design.scheduling import choose_block
from annotation.preference.scale import count_wins, fit_scale
from tests.annotation.design.race import PROFILES, Curve, race, share_needed

CRITERIA = ("order", "scale")


def show_race(profile: str, repetitions: int, size: int) -> None:
    balanced = race(profile, "balanced", repetitions=repetitions, size=size)
    print(f"{profile}, {balanced.n_judgments[-1]} judgments, blocks of {size}")
    print("  judgments        " + " ".join(f"{n:6}" for n in balanced.n_judgments))
    show_curve("balanced", balanced)
    for criterion in CRITERIA:
        active = race(profile, criterion, repetitions=repetitions, size=size)
        show_curve(criterion, active)
        share = share_needed(active, balanced)
        print(f"    the balanced one's last tau after {100 * share:.0f} % of its judgments")


def show_curve(name: str, curve: Curve) -> None:
    print(f"  {name:9} tau    " + " ".join(f"{tau:6.3f}" for tau in curve.tau))
    print(f"  {'':9} +-     " + " ".join(f"{error:6.3f}" for error in curve.tau_error))
    print(f"  {'':9} ranks  " + " ".join(f"{error:6.2f}" for error in curve.rank_error))


def show_times() -> None:
    rng = np.random.default_rng(1)
    for n, n_comparisons in ((120, 15_000), (20, 400), (40, 800)):
        places = rng.normal(0, 2, n)
        one = rng.integers(0, n, n_comparisons)
        other = (one + rng.integers(1, n, n_comparisons)) % n
        chosen = rng.random(n_comparisons) < 1 / (1 + np.exp(places[other] - places[one]))
        capacity = np.full((n, n), 99)
        fit_ms, block_ms = [], []
        for seed in range(9):
            start = time.perf_counter()
            scale = fit_scale(count_wins(n, one, other, chosen))
            fitted = time.perf_counter()
            choose_block(scale.mean, scale.covariance, capacity, 50, seed)
            fit_ms.append(1000 * (fitted - start))
            block_ms.append(1000 * (time.perf_counter() - fitted))
        print(
            f"{n} conditions, {n_comparisons} comparisons: fit {np.median(fit_ms):.1f} ms "
            f"(most {max(fit_ms):.1f}), block of 50 {np.median(block_ms):.1f} ms "
            f"(most {max(block_ms):.1f})"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=100)
    parser.add_argument("--size", type=int, default=20)
    parser.add_argument("--profiles", help="some of them, by a part of their name")
    options = parser.parse_args()
    show_times()
    for profile in PROFILES:
        if not options.profiles or options.profiles in profile:
            show_race(profile, options.repetitions, options.size)


if __name__ == "__main__":
    main()
