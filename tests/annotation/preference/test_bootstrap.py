import numpy as np
import pytest

from annotation.preference.bootstrap import APART, HELD, METHOD, bootstrap_places
from annotation.preference.comparisons import Comparisons
from annotation.preference.davidson import JND
from annotation.preference.intervals import UNVARIED
from tests.annotation.preference.simulated_people import Opinions, scale_of

PEOPLE = Opinions((0.8, 0.2, -0.2, -0.8))


def make_study(seed: int = 1, n_observers: int = 20) -> Comparisons:
    return PEOPLE.answer(n_observers, 30, np.random.default_rng(seed))


def test_every_interval_says_its_level_draws_observers_and_method() -> None:
    found = bootstrap_places(make_study(), level=0.9, resamples=200)
    estimate = found.place(0)
    interval = estimate.interval
    assert interval is not None
    assert interval.low < estimate.value < interval.high
    told = (interval.level, interval.resamples, interval.n_observers, interval.method)
    assert told == (0.9, 200, 20, METHOD)
    assert estimate.value == scale_of(make_study()).places[0]


def test_the_same_seed_gives_the_same_numbers_and_another_others() -> None:
    one, same, other = (bootstrap_places(make_study(), resamples=200, seed=s) for s in (1, 1, 2))
    assert np.array_equal(one.draws, same.draws)
    assert not np.array_equal(one.draws, other.draws)


def test_a_draw_is_the_scale_of_the_observers_drawn() -> None:
    study = make_study()
    found = bootstrap_places(study, resamples=100, seed=3)
    times = np.random.default_rng(3).multinomial(20, np.full(20, 1 / 20), size=100)[7]
    rows = np.concatenate(
        [np.flatnonzero(study.observer == o) for o in np.repeat(range(20), times)]
    )
    drawn = Comparisons(
        4, 20, study.observer[rows], study.first[rows], study.second[rows], study.share_first[rows]
    )
    expected = scale_of(drawn)
    assert found.draws[7] == pytest.approx(expected.places, abs=1e-5)
    assert found.log_nu[7] == pytest.approx(expected.log_nu, abs=1e-5)


def test_a_difference_is_turned_by_turning_the_pair_and_is_paired_draw_by_draw() -> None:
    found = bootstrap_places(make_study(), resamples=200)
    there, back = found.difference(0, 3), found.difference(3, 0)
    assert there.value == -back.value
    assert there.interval is not None and back.interval is not None
    assert there.interval.low == pytest.approx(-back.interval.high)
    in_jnd = found.difference_jnd(0, 3)
    assert in_jnd.value == pytest.approx(there.value / JND)
    assert in_jnd.interval is not None
    assert in_jnd.interval.high == pytest.approx(there.interval.high / JND)


def test_p_is_below_5_percent_where_the_interval_leaves_0_out() -> None:
    for seed in range(6):
        found = bootstrap_places(make_study(seed), resamples=300)
        for other in (1, 2, 3):
            interval, p_value = found.difference(0, other).interval, found.p_value(0, other)
            assert interval is not None and p_value is not None
            assert (p_value < 0.05) == (interval.low > 0 or interval.high < 0)


def test_few_observers_get_no_interval_but_the_reason() -> None:
    found = bootstrap_places(make_study(n_observers=4))
    estimate = found.difference(0, 1)
    assert np.isfinite(estimate.value)
    assert estimate.interval is None
    assert estimate.reason is not None
    assert estimate.reason.startswith("4 observers")
    assert (found.resamples, found.p_value(0, 1)) == (0, None)


def test_what_the_prior_decides_gets_no_interval() -> None:
    study = make_study()
    always = np.where(study.first == 0, 1.0, np.where(study.second == 0, 0.0, study.share_first))
    found = bootstrap_places(
        Comparisons(4, 20, study.observer, study.first, study.second, always), resamples=200
    )
    assert found.difference(0, 1).reason == HELD
    assert found.place(0).reason == HELD
    assert found.p_value(0, 1) is None
    assert found.difference(1, 2).interval is not None


def test_items_of_different_parts_have_no_difference() -> None:
    study = make_study()
    kept = study.where((study.first < 2) == (study.second < 2))
    found = bootstrap_places(kept, resamples=200)
    assert found.difference(0, 2).reason == APART
    assert found.difference(0, 1).interval is not None
    assert found.difference(2, 3).interval is not None


def test_where_nobody_was_unsure_there_is_no_tie_parameter() -> None:
    found = bootstrap_places(
        Opinions((0.5, -0.5), nu=1e-12).answer(20, 5, np.random.default_rng(1)), resamples=100
    )
    assert found.tie_parameter().value == -np.inf
    assert found.tie_parameter().reason == "nobody was not sure"


def test_where_all_were_not_sure_there_is_no_interval_of_no_width() -> None:
    study = make_study()
    ties = np.full(study.n, 0.5)
    found = bootstrap_places(
        Comparisons(4, 20, study.observer, study.first, study.second, ties), resamples=100
    )
    assert found.difference(0, 1).value == pytest.approx(0)
    assert found.difference(0, 1).reason == UNVARIED
    assert found.p_value(0, 1) is None


def test_more_observers_narrow_the_interval() -> None:
    few, many = (
        bootstrap_places(make_study(n_observers=n), resamples=200).place(0).interval
        for n in (20, 180)
    )
    assert few is not None and many is not None
    assert 2.2 < few.half_width / many.half_width < 4.5


@pytest.mark.parametrize(("level", "resamples"), [(95.0, 1000), (0.95, 10)])
def test_what_cannot_be_asked_is_refused(level: float, resamples: int) -> None:
    with pytest.raises(ValueError, match="Found"):
        bootstrap_places(make_study(), level=level, resamples=resamples)
