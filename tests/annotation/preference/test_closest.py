import numpy as np
import pytest

from annotation.preference.bootstrap import bootstrap_places
from annotation.preference.closest import DIRECT, PLACES, Closest, closest
from annotation.preference.comparisons import Comparisons
from annotation.preference.sign_flips import sign_flip_p
from tests.annotation.preference.simulated_people import Opinions


def found_in(study: Comparisons, level: float = 0.95) -> Closest:
    return closest(study, bootstrap_places(study, resamples=200, level=level))


def make_study(places: tuple[float, ...], seed: int = 1, per_observer: int = 30) -> Comparisons:
    return Opinions(places).answer(30, per_observer, np.random.default_rng(seed))


def test_a_clear_winner_stands_alone() -> None:
    found = found_in(make_study((-1.0, 2.0, 0.0, -1.5)))
    assert (found.top, found.tied, found.is_tied) == (1, (1,), False)
    assert [row.item for row in found.against] == [2, 0, 3]
    assert all(row.test == PLACES for row in found.against)
    assert all(row.p_adjusted is not None and row.p_adjusted < 0.05 for row in found.against)


def test_items_that_are_not_told_from_the_top_share_the_first_rank() -> None:
    found = found_in(make_study((1.0, 1.0, -1.5, 1.0), seed=2))
    assert sorted(found.tied) == [0, 1, 3]
    assert found.tied[0] == found.top
    assert found.is_tied


def test_the_comparisons_with_the_top_are_one_family_for_holm() -> None:
    found = found_in(make_study((1.0, 0.5, 0.4, -1.5), seed=3))
    raw = [row.p_value for row in found.against]
    adjusted = [row.p_adjusted for row in found.against]
    assert all(
        p is not None and q is not None and q >= p for p, q in zip(raw, adjusted, strict=True)
    )
    smallest = int(np.argmin([p or 0.0 for p in raw]))
    assert adjusted[smallest] == pytest.approx(3 * (raw[smallest] or 0.0))


def test_items_that_only_met_others_are_tested_too() -> None:
    study = make_study((2.0, 0.0, -2.0), per_observer=60)
    found = found_in(study.where((study.first == 1) | (study.second == 1)))
    assert (found.top, found.tied) == (0, (0,))
    assert {row.test for row in found.against} == {PLACES}


def test_one_far_below_shares_no_first_rank_however_seldom_it_met_the_top() -> None:
    study = make_study((2.0, 0.5, 0.0, -2.0), per_observer=40)
    between = (np.minimum(study.first, study.second) == 0) & (
        np.maximum(study.first, study.second) == 3
    )
    met = np.flatnonzero(between)
    seldom = np.ones(study.n, dtype=bool)
    seldom[met[4:]] = False
    found = found_in(study.where(seldom))
    assert sign_flip_p(study.where(seldom).among([0, 3]).counts().score.sum(axis=1)) > 0.05
    assert found.tied == (0,)


def test_one_that_never_lost_is_told_from_the_others_by_the_votes_between_them() -> None:
    study = make_study((0.0, 0.0, 0.0))
    always = np.where(study.first == 2, 1.0, np.where(study.second == 2, 0.0, study.share_first))
    found = found_in(Comparisons(3, 30, study.observer, study.first, study.second, always))
    assert (found.top, found.tied) == (2, (2,))
    assert {row.test for row in found.against} == {DIRECT}


def test_unconnected_items_have_no_top_but_a_reason() -> None:
    study = make_study((0.0,) * 4)
    found = found_in(study.where((study.first < 2) == (study.second < 2)))
    assert (found.top, found.tied) == (None, ())
    assert found.reason == "some items were never compared, not even through others"


def test_no_judgments_are_a_reason_and_an_item_without_any_is_left_out() -> None:
    study = make_study((1.0, 0.0, -1.0))
    assert found_in(study.where(np.zeros(study.n, dtype=bool))).reason == "no judgments"
    two = found_in(study.where((study.first != 2) & (study.second != 2)))
    assert two.top == 0
    assert [row.item for row in two.against] == [1]


def test_four_observers_can_tell_nothing_apart() -> None:
    study = make_study((3.0, -3.0)).where(make_study((3.0, -3.0)).observer < 4)
    assert set(found_in(study).tied) == {0, 1}


def test_the_best_of_all_is_seldom_left_out_of_the_first_rank() -> None:
    kept = [0 in found_in(make_study((0.3, 0.2, 0.0, -0.3), seed)).tied for seed in range(100)]
    assert np.mean(kept) >= 0.93
