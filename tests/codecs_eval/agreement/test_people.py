"""What people reach: the bracket of the ideal observer, and which estimate has which interval."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codecs_eval.agreement.intervals import BCA, STUDENT_T, Bootstrap
from codecs_eval.agreement.people import score_people
from codecs_eval.agreement.scores import human_unbiased, majority_left_out, oracle
from codecs_eval.agreement.two_way import PIGEONHOLE, STUDENT_T_TWO_WAY
from tests.codecs_eval.agreement.simulated import World, judged_of


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=2, max_size=9))
def test_a_vote_is_held_against_the_majority_of_the_others(votes: list[float]) -> None:
    expected = []
    for index, vote in enumerate(votes):
        others = votes[:index] + votes[index + 1 :]
        lead = others.count(1.0) - others.count(0.0)
        agrees = 0.5 if lead == 0 or vote == 0.5 else float((lead > 0) == (vote == 1.0))
        expected.append(agrees)
    found = majority_left_out(
        np.asarray([float(len(votes))]),
        np.asarray([sum(votes)]),
        np.asarray([float(votes.count(0.5))]),
    )
    assert found[0] == pytest.approx(np.mean(expected))


def test_with_two_votes_it_is_the_unbiased_agreement_and_with_one_nothing() -> None:
    n, k = np.asarray([2.0, 2.0, 1.0]), np.asarray([1.0, 2.0, 1.0])
    found = majority_left_out(n, k, np.zeros(3))
    assert list(found[:2]) == list(human_unbiased(n, k, np.zeros(3))[:2])
    assert np.isnan(found[2])


@pytest.mark.parametrize("n", [3, 5, 9])
def test_the_bracket_holds_what_an_ideal_observer_reaches(n: int) -> None:
    rng = np.random.default_rng(n)
    p = rng.beta(1.5, 1.5, size=200_000)
    votes = np.full(len(p), float(n))
    k = rng.binomial(n, p).astype(float)
    truth = np.maximum(p, 1 - p).mean()
    low = majority_left_out(votes, k, np.zeros(len(p))).mean()
    assert low < truth < oracle(k / n).mean()


@pytest.mark.parametrize(
    ("n", "two_way", "one_way"), [(25, PIGEONHOLE, BCA), (8, STUDENT_T_TWO_WAY, STUDENT_T)]
)
def test_only_the_unbiased_estimate_takes_raters_as_a_second_factor(
    n: int, two_way: str, one_way: str
) -> None:
    judged = judged_of(*World().votes(np.random.default_rng(1), n, n))
    found = score_people(judged, Bootstrap(resamples=200))
    assert found.unbiased and found.unbiased.interval
    assert found.unbiased.interval.method == two_way
    for other in (found.plugin, found.oracle, found.left_out, found.ideal):
        assert other and other.interval
        assert other.interval.method == one_way
    assert found.left_out and found.oracle and found.ideal
    assert found.left_out.value < found.ideal.value < found.oracle.value
