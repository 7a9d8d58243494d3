from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from annotation.preference.power import StudyDesign, needed, power_of
from annotation.preference.simulated_studies import centre_of

# One judgment of a pair by each observer, all attentive and alike: answers are independent.
PLAIN = StudyDesign(
    n_pairs=15, n_rates=4, n_photos=20, trials=60, observer_spread=0.0, careless_share=0.0
)


def test_of_independent_answers_it_is_the_textbooks_number() -> None:
    """Sign test of 60 % at 5 % / 80 %: (1.96 sqrt(1/4) + 0.84 sqrt(.24))^2 / .1^2 = 194."""
    z, beta = norm.isf(0.025), norm.isf(0.2)
    textbook = ((z * 0.5 + beta * np.sqrt(0.24)) / 0.1) ** 2
    found = needed(PLAIN, share=0.6)
    assert found.n_observers == pytest.approx(textbook, rel=0.07)
    assert found.judgments_of_pair == found.n_observers
    assert found.judgments == 60 * found.n_observers
    assert found.judgments_per_triplet == pytest.approx(found.judgments / 1200)


def test_it_is_the_number_at_which_other_simulated_people_reach_the_power() -> None:
    design = replace(PLAIN, n_rates=1, observer_spread=0.5, careless_share=0.1, not_sure_share=0.2)
    found = needed(design, share=0.6, power=0.9)
    assert found.n_observers is not None
    checked = power_of(design, found.n_observers, share=0.6, seed=77)
    assert checked.power == pytest.approx(0.9, abs=0.03)


def test_equal_items_are_found_different_no_more_often_than_alpha() -> None:
    design = StudyDesign(n_pairs=3, n_rates=1, n_photos=20, trials=30, observer_spread=1.0)
    found = power_of(design, 30, share=0.5, simulations=4000)
    assert 0.035 < found.power < 0.06


def test_people_who_differ_or_do_not_care_or_are_not_sure_cost_observers() -> None:
    # Ten judgments of a pair by each observer.
    plain = replace(PLAIN, n_rates=1, n_pairs=6)
    at_best = needed(plain, share=0.6, simulations=600).n_observers
    assert at_best is not None
    for harder in (
        replace(plain, observer_spread=0.8),
        replace(plain, careless_share=0.3),
        replace(plain, not_sure_share=0.5),
    ):
        observers = needed(harder, share=0.6, simulations=600).n_observers
        assert observers is not None
        assert observers > 1.2 * at_best


def test_many_comparisons_and_smaller_differences_need_more() -> None:
    few = needed(PLAIN, share=0.65).n_observers
    together = needed(PLAIN, share=0.65, n_comparisons=15).n_observers
    smaller = needed(PLAIN, share=0.6).n_observers
    assert few is not None and together is not None and smaller is not None
    assert few < together
    assert smaller > 1.8 * few


def test_the_curve_rises_to_the_power_and_says_how_sure_it_is() -> None:
    found = needed(PLAIN, share=0.6)
    sizes = [point.n_observers for point in found.curve]
    assert sizes == sorted(sizes)
    assert found.curve[0].power < 0.3 < 0.8 < found.curve[-1].power
    assert all(point.low < point.power < point.high for point in found.curve[:-5])
    low, most, high = found.n_observers_low, found.n_observers, found.n_observers_high
    assert low is not None and most is not None and high is not None
    assert low <= most <= high
    assert found.n_simulations == 2000


def test_the_same_seed_gives_the_same_number_and_either_side_the_same_question() -> None:
    found = needed(PLAIN, share=0.65, simulations=300)
    assert needed(PLAIN, share=0.65, simulations=300) == found
    assert needed(PLAIN, share=0.35, simulations=300).n_observers == found.n_observers


def test_a_share_out_of_reach_is_told_with_its_reason() -> None:
    found = needed(PLAIN, share=0.502)
    assert (found.n_observers, found.judgments) == (None, None)
    assert found.reason == "more than 20000 observers"


def test_observers_that_hardly_meet_the_pair_are_counted_until_it_suffices() -> None:
    rare = StudyDesign(n_pairs=100, n_rates=4, n_photos=2, trials=20, careless_share=0.0)
    found = needed(rare, share=0.95)
    assert found.n_observers is not None
    assert found.judgments_of_pair is not None
    assert 6 <= found.judgments_of_pair <= 16


def test_the_mean_of_people_who_spread_is_the_share_that_was_asked() -> None:
    people = centre_of(0.7, 1.5) + 1.5 * np.random.default_rng(1).standard_normal(400_000)
    assert np.mean(1 / (1 + np.exp(-people))) == pytest.approx(0.7, abs=0.002)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"trials": 1201}, "1201 trials of 1200 triplets"),
        ({"n_pairs": 0}, "n_pairs 0"),
        ({"observer_spread": -1.0}, "observer_spread"),
        ({"careless_share": 1.0}, "careless_share"),
        ({"not_sure_share": -0.1}, "not_sure_share"),
    ],
)
def test_designs_that_cannot_be_are_refused(changed: dict[str, float], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        replace(PLAIN, **changed)


@pytest.mark.parametrize(
    "question",
    [{"share": 0.5}, {"share": 1.0}, {"alpha": 0.0}, {"power": 1.0}, {"n_comparisons": 0}],
)
def test_questions_that_cannot_be_are_refused(question: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="Found"):
        needed(PLAIN, **question)  # type: ignore[arg-type]
