"""An answer's worth against quadrature; blocks; and the race against the balanced scheduler."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.special import entr, expit
from scipy.stats import norm

from annotation.design.scheduling import (
    CRITERIA,
    answer_precision,
    choose_block,
    information_gain,
    order_gain,
)
from tests.annotation.design.race import race

Floats = NDArray[np.float64]
DIFFERENCES = [(0.0, 0.2), (0.0, 4.0), (0.7, 0.5), (1.5, 2.0), (-3.0, 1.0), (5.0, 8.0)]


def expectation(function: object, mean: float, variance: float) -> float:
    """By adaptive quadrature, of a function of a Gaussian difference."""
    sd = variance**0.5

    def weighted(x: float) -> float:
        return float(function(x) * norm.pdf(x, mean, sd))  # type: ignore[operator]

    return float(quad(weighted, mean - 9 * sd, mean + 9 * sd, limit=200)[0])


def entropy(chance: float) -> float:
    return float(entr(chance) + entr(1 - chance)) / np.log(2)


# What one answer is worth


@pytest.mark.parametrize(("mean", "variance"), DIFFERENCES)
def test_the_information_of_an_answer_is_the_one_of_quadrature(
    mean: float, variance: float
) -> None:
    chance = expectation(expit, mean, variance)
    expected = entropy(chance) - expectation(lambda x: entropy(float(expit(x))), mean, variance)
    assert float(information_gain(mean, variance)) == pytest.approx(expected, abs=0.001)


@pytest.mark.parametrize(("mean", "variance"), DIFFERENCES)
def test_an_answer_narrows_a_difference_as_quadrature_says(mean: float, variance: float) -> None:
    chance = expectation(expit, mean, variance)
    if_first = expectation(lambda x: x * expit(x), mean, variance) / chance
    if_second = (mean - chance * if_first) / (1 - chance)
    # The fall of the variance is the spread of the mean to come.
    expected = chance * (1 - chance) * (if_first - if_second) ** 2
    found = float(answer_precision(mean, variance)) * variance**2
    assert found == pytest.approx(expected, abs=0.025 * variance)


def test_nothing_is_told_by_an_answer_that_is_known() -> None:
    assert float(information_gain(0.0, 0.0)) == 0
    assert information_gain([40.0, -40.0, 4000.0], 0.1) == pytest.approx(0, abs=1e-12)
    assert np.all(np.isfinite(answer_precision([100.0, -1000.0], 0.1)))


def make_posterior(seed: int, n: int = 5) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    root = rng.normal(0, 0.5, (n, n))
    return rng.normal(0, 1, n), root @ root.T + 0.2 * np.eye(n)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_gain_for_the_order_is_the_fall_of_the_orders_uncertainty(seed: int) -> None:
    """Against the exact expectation over a weak answer: a Gaussian observation of much noise."""
    mean, covariance = make_posterior(seed)
    everything = np.ones((5, 5), dtype=bool)
    gain = order_gain(mean, covariance, everything) / answer_precision(
        mean[:, None] - mean[None, :],
        np.diag(covariance)[:, None] + np.diag(covariance)[None, :] - 2 * covariance,
    )
    nodes, weights = np.polynomial.hermite_e.hermegauss(31)
    noise = 1e4
    for one, other in ((0, 1), (2, 4), (1, 3)):
        along = covariance[:, one] - covariance[:, other]
        total = along[one] - along[other] + noise
        after = covariance - np.outer(along, along) / total
        to_come = mean + np.outer(nodes, along / np.sqrt(total))
        left = (weights / weights.sum()) @ [doubt(places, after) for places in to_come]
        fall = (doubt(mean, covariance) - left) * total
        assert gain[one, other] == pytest.approx(fall, rel=0.01)


def doubt(mean: Floats, covariance: Floats) -> float:
    """The sum of P (1 - P) over all pairs."""
    one, other = np.triu_indices(len(mean), 1)
    spread = np.diag(covariance)
    sd = np.sqrt(spread[one] + spread[other] - 2 * covariance[one, other])
    above = norm.cdf((mean[one] - mean[other]) / sd)
    return float((above * (1 - above)).sum())


# A block


def test_close_conditions_are_asked_about_and_far_ones_are_not() -> None:
    mean = np.array([0.0, 0.2, 6.0, 6.2, 12.0])
    block = choose_block(mean, 0.3 * np.eye(5), np.full((5, 5), 99), 20, 1)
    assert {(ask.first, ask.second) for ask in block} == {(0, 1), (2, 3)}


def test_a_block_is_not_all_the_same_pair() -> None:
    mean = np.array([0.0, 0.1, 0.4, 0.8])
    block = choose_block(mean, np.eye(4), np.full((4, 4), 99), 12, 1)
    counts = Counter((ask.first, ask.second) for ask in block)
    assert len(counts) >= 4
    assert max(counts.values()) <= 4


def test_the_one_that_tells_most_comes_first() -> None:
    mean, covariance = make_posterior(4, 8)
    block = choose_block(mean, covariance, np.full((8, 8), 99), 15, 1)
    assert all(before.gain > after.gain for before, after in pairwise(block))


def test_what_is_asked_and_not_answered_is_not_asked_again_at_once() -> None:
    mean, covariance = np.zeros(3), np.diag([0.5, 0.5, 0.6])
    first = choose_block(mean, covariance, np.full((3, 3), 99), 1, 1)[0]
    asked = [(first.first, first.second)] * 5
    (then,) = choose_block(mean, covariance, np.full((3, 3), 99), 1, 1, pending=asked)
    assert (then.first, then.second) != (first.first, first.second)


def test_no_pair_is_asked_more_often_than_it_can_be() -> None:
    capacity = np.zeros((4, 4), dtype=int)
    capacity[0, 1], capacity[1, 3] = 2, 3
    block = choose_block(np.zeros(4), np.eye(4), capacity, 50, 1)
    counts = Counter((ask.first, ask.second) for ask in block)
    assert counts == {(0, 1): 2, (1, 3): 3}


def test_nothing_is_asked_where_every_order_is_certain() -> None:
    mean = 50.0 * np.arange(4)
    assert choose_block(mean, 0.1 * np.eye(4), np.full((4, 4), 9), 10, 1) == ()


def test_the_order_across_groups_is_nobodys_question() -> None:
    """Two rates: an answer at one says nothing of the other, however near they stand."""
    covariance = np.diag([0.01, 0.01, 1.0, 1.0])
    capacity = np.full((4, 4), 99)
    block = choose_block(np.zeros(4), covariance, capacity, 1, 1, groups=[0, 0, 1, 1])
    assert [(ask.first, ask.second) for ask in block] == [(2, 3)]
    mean = np.array([0.0, 40.0, 0.1, 40.1])
    asked = choose_block(mean, np.eye(4), capacity, 5, 1, groups=[0, 0, 1, 1])
    assert asked == ()


@pytest.mark.parametrize("criterion", CRITERIA)
def test_the_seed_decides_among_equals_and_the_same_seed_alike(criterion: str) -> None:
    def first(seed: int) -> tuple[int, int]:
        (ask,) = choose_block(np.zeros(6), np.eye(6), np.ones((6, 6)), 1, seed, criterion=criterion)
        return ask.first, ask.second

    assert first(3) == first(3)
    assert len({first(seed) for seed in range(20)}) > 5


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"capacity": np.ones((2, 3))}, "Found capacity of shape"),
        ({"covariance": np.ones((2, 2))}, "Found covariance of shape"),
        ({"size": 0}, "Found a block of 0"),
        ({"criterion": "luck"}, "Found criterion 'luck'"),
    ],
)
def test_a_block_that_cannot_be_is_refused(settings: dict[str, object], sentence: str) -> None:
    asked = {
        "mean": np.zeros(3),
        "covariance": np.eye(3),
        "capacity": np.ones((3, 3)),
        "size": 4,
        "seed": 1,
        **settings,
    }
    with pytest.raises(ValueError, match=sentence):
        choose_block(**asked)  # type: ignore[arg-type]


# The race

RACES = ["12 even, 7 JND", "12 in 4 clusters", "16 drawn, SD 2 JND"]


@pytest.mark.slow
@pytest.mark.parametrize("profile", RACES)
def test_the_active_scheduler_is_as_accurate_after_60_percent_of_the_judgments(
    profile: str,
) -> None:
    """Kendall's tau of the posterior mean and the truth, mean of 30 repetitions.

    Blocks of 20, each planned without the answers of the one before. `benchmarks.scheduling`
    shows whole curves, and profiles where less is won.
    """
    balanced = race(profile, "balanced", repetitions=30, ends=(1.0,))
    active = race(profile, "order", repetitions=30, ends=(0.6,))
    assert active.n_judgments[0] == round(0.6 * balanced.n_judgments[0])
    assert active.tau[0] > balanced.tau[0] + 2 * active.tau_error[0]
    assert active.rank_error[0] < balanced.rank_error[0]


@pytest.mark.slow
def test_asking_for_the_order_orders_better_than_asking_for_the_scale() -> None:
    order = race("12 even, 7 JND", "order", repetitions=20, ends=(0.6,))
    scale = race("12 even, 7 JND", "scale", repetitions=20, ends=(0.6,))
    assert order.tau[0] > scale.tau[0] + 2 * scale.tau_error[0]
