import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from codecs_eval.agreement.scores import (
    agreement_per_triplet,
    human_plugin,
    human_unbiased,
    oracle,
    share_second,
)

distances = arrays(np.float64, 12, elements=st.floats(0, 100) | st.sampled_from([1.0, np.inf]))
shares = arrays(np.float64, 12, elements=st.floats(0, 1))


def test_a_metric_scores_the_share_that_agrees_and_half_on_a_tie() -> None:
    share = np.asarray([0.8, 0.8, 0.8])
    found = agreement_per_triplet(np.asarray([1.0, 2.0, 2.0]), np.asarray([2.0, 1.0, 2.0]), share)
    assert found == pytest.approx([0.2, 0.8, 0.5])


def test_two_perfect_images_are_a_tie() -> None:
    infinite = np.asarray([-np.inf])
    assert agreement_per_triplet(infinite, infinite, np.asarray([0.9])) == 0.5


@given(distances, distances, shares)
def test_swapping_first_and_second_changes_no_agreement(
    first: np.ndarray, second: np.ndarray, share: np.ndarray
) -> None:
    straight = agreement_per_triplet(first, second, share)
    assert straight == pytest.approx(agreement_per_triplet(second, first, 1 - share))


@given(distances, distances, shares)
def test_no_metric_passes_the_oracle(
    first: np.ndarray, second: np.ndarray, share: np.ndarray
) -> None:
    assert (agreement_per_triplet(first, second, share) <= oracle(share) + 1e-12).all()


@given(st.integers(2, 30).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))))
def test_unbiased_agreement_is_the_share_of_agreeing_pairs(counts: tuple[int, int]) -> None:
    n, k = counts
    votes = np.asarray([1] * k + [0] * (n - k))
    pairs = [votes[i] == votes[j] for i in range(n) for j in range(i)]
    found = human_unbiased(np.asarray([float(n)]), np.asarray([float(k)]), np.zeros(1))
    assert found == pytest.approx(np.mean(pairs))
    assert found == pytest.approx(1 - 2 * k * (n - k) / (n * (n - 1)))


@given(st.integers(2, 12), st.data())
def test_the_human_scores_do_not_know_first_from_second(n: int, data: st.DataObject) -> None:
    unsure = data.draw(st.integers(0, n))
    k = data.draw(st.integers(0, n - unsure)) + unsure / 2
    many, first, second = np.asarray([float(n)]), np.asarray([n - k]), np.asarray([k])
    apart = np.asarray([float(unsure)])
    assert human_unbiased(many, second, apart) == pytest.approx(human_unbiased(many, first, apart))
    assert human_plugin(second / n) == pytest.approx(human_plugin(first / n))
    assert oracle(second / n) == pytest.approx(oracle(first / n))


def test_two_who_are_not_sure_agree_by_half() -> None:
    found = human_unbiased(
        np.asarray([2.0, 2.0, 3.0]), np.asarray([1.0, 1.5, 2.5]), np.asarray([2.0, 1.0, 1.0])
    )
    # Of the three votes second, second, not_sure: one pair agrees, two agree by half.
    assert found == pytest.approx([0.5, 0.5, 2 / 3])


def test_one_judgment_tells_nothing_about_agreement() -> None:
    assert np.isnan(human_unbiased(np.ones(1), np.ones(1), np.zeros(1))).all()


@pytest.mark.parametrize("n", range(2, 21))
def test_unbiased_agreement_is_right_at_any_number_of_judgments(n: int) -> None:
    rng = np.random.default_rng(n)
    p = rng.beta(0.9, 0.9, size=400_000)
    truth = float(np.mean(p**2 + (1 - p) ** 2))
    many = np.full(len(p), float(n))
    k = rng.binomial(n, p).astype(float)
    assert human_unbiased(many, k, np.zeros(len(p))).mean() == pytest.approx(truth, abs=0.002)
    plugin = human_plugin(share_second(many, k)).mean()
    assert plugin == pytest.approx(truth + np.mean(2 * p * (1 - p)) / n, abs=0.002)


def test_votes_and_distances_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="votes out of range"):
        share_second(np.asarray([2.0]), np.asarray([3.0]))
    with pytest.raises(ValueError, match="NaN"):
        agreement_per_triplet(np.asarray([np.nan]), np.ones(1), np.ones(1))
    with pytest.raises(ValueError, match="n_not_sure"):
        human_unbiased(np.asarray([2.0]), np.asarray([0.0]), np.asarray([2.0]))
