from itertools import product

import numpy as np
import pytest

from annotation.preference.sign_flips import is_found, sign_flip_p


def by_hand(balance: list[int]) -> float:
    sums = [abs(float(np.dot(signs, balance))) for signs in product((-1, 1), repeat=len(balance))]
    return float(np.mean(np.array(sums) >= abs(sum(balance))))


@pytest.mark.parametrize(
    "balance",
    [[1, 1, 1, 1, 1], [3, -1, 2, 2, 0, 5], [2, 2, -2, 2, 2, 2, 2], [7, 1, 1, -1, 4, -3, 2, 2, 6]],
)
def test_it_is_the_share_of_all_signs_whose_sum_is_as_far_from_0(balance: list[int]) -> None:
    assert sign_flip_p(np.array(balance)) == pytest.approx(by_hand(balance), abs=1e-12)


def test_with_an_answer_each_it_is_the_sign_test() -> None:
    # 15 of 20: twice the binomial tail.
    assert sign_flip_p(np.array([1] * 15 + [-1] * 5)) == pytest.approx(0.041389, abs=1e-6)


def test_observers_that_lean_to_neither_side_say_nothing() -> None:
    assert sign_flip_p(np.array([1, -1, 0, 0])) == 1
    assert sign_flip_p(np.zeros(4)) == 1
    assert sign_flip_p(np.array([])) == 1


def test_unanimous_observers_reach_what_their_number_allows_and_no_more() -> None:
    assert sign_flip_p(np.full(5, 20)) == pytest.approx(2 / 32)
    assert sign_flip_p(np.full(15, 1)) == pytest.approx(2 / 2**15)
    assert 0 < sign_flip_p(np.full(500, 3)) < 1e-12


def test_one_judge_of_many_answers_convinces_nobody() -> None:
    assert sign_flip_p(np.array([500, 0, 0])) == 1


def test_balances_that_are_no_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="whole numbers"):
        sign_flip_p(np.array([0.5, 1]))


def test_equal_items_are_called_different_no_more_often_than_alpha() -> None:
    """Observers hang together within themselves: each leans to a side, by chance."""
    rng = np.random.default_rng(5)
    chance = rng.beta(2, 2, (3000, 20))
    balances = 2 * rng.binomial(6, chance) - 6
    share = np.mean([sign_flip_p(row) < 0.05 for row in balances])
    assert 0.035 < share < 0.06
    # As if all answers were independent, it would be wrong far more often.
    z = balances.sum(axis=1) / np.sqrt(120)
    assert np.mean(np.abs(z) > 1.96) > 0.12


@pytest.mark.parametrize(("n_observers", "most"), [(9, 1), (9, 12), (17, 1), (30, 2), (60, 3)])
@pytest.mark.parametrize("alpha", [0.05, 0.005])
def test_many_studies_at_once_are_decided_as_each_alone(
    n_observers: int, most: int, alpha: float
) -> None:
    rng = np.random.default_rng(6)
    n = rng.integers(0, most + 1, (400, n_observers))
    balances = (2 * rng.binomial(n, 0.68) - n).astype(np.int32)
    alone = np.array([sign_flip_p(row) < alpha for row in balances])
    assert np.mean(is_found(balances, alpha) != alone) <= 0.005
    assert 0 < alone.sum() < 400 or alpha < 0.05
