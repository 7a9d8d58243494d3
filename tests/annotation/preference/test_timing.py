import numpy as np
import pytest

from annotation.preference.timing import by_difficulty, over_session, response_times


def test_the_median_is_that_of_all_times_and_quantiles_are_in_ms() -> None:
    observer = np.repeat(np.arange(6), 3)
    times = np.arange(1, 19) * 100.0
    found = response_times(observer, times)
    assert (found.n, found.n_observers, found.median_ms.value) == (18, 6, 950)
    assert found.quantiles_ms[0.25] == np.quantile(times, 0.25)
    assert found.median_ms.interval is not None
    assert found.median_ms.interval.low < 950 < found.median_ms.interval.high


def test_times_that_were_not_measured_are_left_out() -> None:
    found = response_times([0, 1, 2], [100.0, np.nan, 300.0])
    assert (found.n, found.n_observers, found.median_ms.value) == (2, 2, 200)
    assert found.median_ms.interval is None
    nothing = response_times([0], [np.nan])
    assert nothing.n == 0
    assert nothing.median_ms.reason == "no time was measured"


def test_slow_and_fast_people_widen_the_interval_of_the_median() -> None:
    rng = np.random.default_rng(1)
    observer = np.repeat(np.arange(20), 50)
    noise = np.exp(0.4 * rng.standard_normal(1000))
    own = np.exp(0.5 * rng.standard_normal(20))
    alike, apart = (
        response_times(observer, 2000 * noise * factor).median_ms.interval
        for factor in (1.0, own[observer])
    )
    assert alike is not None and apart is not None
    assert apart.half_width > 3 * alike.half_width


def test_intervals_of_the_median_hold_the_truth() -> None:
    rng = np.random.default_rng(2)
    observer, inside = np.repeat(np.arange(20), 20), []
    for seed in range(200):
        own = np.exp(0.4 * rng.standard_normal(20))
        times = 2500 * own[observer] * np.exp(0.4 * rng.standard_normal(400))
        interval = response_times(observer, times, seed=seed).median_ms.interval
        assert interval is not None
        inside.append(interval.low <= 2500 <= interval.high)
    assert 0.92 <= np.mean(inside) <= 0.98


def test_times_are_told_by_how_evenly_people_were_split() -> None:
    share = [0.5, 0.6, 0.4, 0.65, 0.35, 0.0, 1.0]
    times = [4000.0, 3000, 3200, 2500, 2700, 1000, 1200]
    found = by_difficulty(range(7), times, share)
    assert [(row.low, row.high, row.n) for row in found] == [
        (0.0, 0.1, 1), (0.1, 0.2, 4), (0.2, 0.3, 0), (0.3, 0.4, 0), (0.4, 0.5, 2),
    ]  # fmt: skip
    assert [found[at].median_ms.value for at in (0, 1, 4)] == [4000, 2850, 1100]
    assert found[2].median_ms.reason == "no time was measured"


def test_a_share_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="outside 0..1"):
        by_difficulty([0], [1000.0], [1.2])


def test_people_who_grow_faster_by_2_percent_a_trial_are_found() -> None:
    rng = np.random.default_rng(3)
    observer, place = np.divmod(np.arange(20 * 30), 30)
    own = 3000 * np.exp(0.5 * rng.standard_normal(20))
    noise = np.exp(0.3 * rng.standard_normal(600))
    found = over_session(observer, own[observer] * 0.98**place * noise, place)
    interval = found.change_per_trial.interval
    assert interval is not None and found.p_value is not None
    assert found.change_per_trial.value == pytest.approx(-0.02, abs=0.004)
    assert interval.low < -0.02 < interval.high < 0
    assert found.p_value < 0.001
    assert [row.low for row in found.bins] == [0, 6, 12, 18, 24]
    assert sum(row.n for row in found.bins) == 600
    medians = [row.median_ms.value for row in found.bins]
    assert max(medians) == medians[0] > 1.35 * medians[-1]


def test_slow_people_who_leave_early_are_no_trend() -> None:
    """Each observer is held against the own level: the fast ones alone reach late places."""
    rng = np.random.default_rng(4)
    rows = [
        (o, p, 4000 if o < 10 else 1500) for o in range(20) for p in range(10 if o < 10 else 40)
    ]
    observer, place, level = np.array(rows).T
    found = over_session(observer, level * np.exp(0.2 * rng.standard_normal(len(rows))), place)
    assert abs(found.change_per_trial.value) < 0.003


def test_the_slopes_interval_holds_the_truth() -> None:
    rng = np.random.default_rng(5)
    observer, place = np.divmod(np.arange(15 * 20), 20)
    inside = []
    for _ in range(400):
        slope = -0.01 + 0.01 * rng.standard_normal(15)
        times = 2000 * np.exp(slope[observer] * place + 0.3 * rng.standard_normal(300))
        interval = over_session(observer, times, place, edges=(0, 20)).change_per_trial.interval
        assert interval is not None
        inside.append(interval.low <= np.expm1(-0.01) <= interval.high)
    assert 0.92 <= np.mean(inside) <= 0.98


def test_one_answer_each_shows_no_trend() -> None:
    found = over_session([0, 1, 2], [1000.0, 1100, 1200], [0, 0, 0])
    assert found.change_per_trial.reason == "all judgments have the same place"
    [nothing] = over_session([], [], []).bins
    assert (nothing.n, nothing.median_ms.reason) == (0, "no time was measured")


def test_times_of_no_length_are_refused() -> None:
    with pytest.raises(ValueError, match="0 ms or less"):
        response_times([0], [0.0])
