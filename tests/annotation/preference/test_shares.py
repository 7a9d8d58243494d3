import numpy as np
import pytest

from annotation.preference.comparisons import Comparisons
from annotation.preference.intervals import ALIKE, wilson_limits
from annotation.preference.shares import METHOD, clustered_share, ratio_error, win_shares


def make_study(answers: list[list[float]]) -> Comparisons:
    """Answers of each observer about items 0 and 1: 1, 0 or 0.5."""
    rows = [(observer, share) for observer, given in enumerate(answers) for share in given]
    observer = np.array([row[0] for row in rows])
    zeros = np.zeros(len(rows), dtype=int)
    share = np.array([row[1] for row in rows])
    return Comparisons(3, len(answers), observer, zeros, zeros + 1, share)


def test_a_share_counts_ties_half_and_each_count_is_told() -> None:
    first, second, third = win_shares(make_study([[1, 1, 0.5], [0], [1], [1, 0.5], [0]]))
    assert (first.n_won, first.n_lost, first.n_tied, first.n) == (4, 2, 2, 8)
    assert (second.n_won, second.n_lost, second.n_tied) == (2, 4, 2)
    assert first.n_observers == 5
    assert first.share.value == 5 / 8
    assert second.share.value == 3 / 8
    assert first.wilson_assuming_independence is not None
    low, high = wilson_limits(5 / 8, 8, 0.95)
    assert first.wilson_assuming_independence.low == low
    assert first.wilson_assuming_independence.high == high
    assert third.n == 0
    assert np.isnan(third.share.value)
    assert third.share.reason == "nobody compared it"
    assert third.wilson_assuming_independence is None


def test_the_error_is_that_of_leaving_out_each_observer() -> None:
    # Shares 2/2, 1/2, 0/1, 3/3 together 6/8; without each: 4/6, 5/6, 6/7, 3/5.
    won, n = np.array([2.0, 1, 0, 3]), np.array([2.0, 2, 1, 3])
    without = np.array([4 / 6, 5 / 6, 6 / 7, 3 / 5])
    expected = np.sqrt(3 / 4 * ((without - without.mean()) ** 2).sum())
    assert ratio_error(won, n) == pytest.approx(expected)


def test_answers_that_hang_together_widen_the_interval_beyond_wilsons() -> None:
    found = win_shares(make_study([[1] * 20, [0] * 20] * 6))[0]
    interval, wilson = found.share.interval, found.wilson_assuming_independence
    assert interval is not None and wilson is not None
    assert interval.half_width > 3 * wilson.half_width
    assert (interval.method, interval.n_observers, interval.level) == (METHOD, 12, 0.95)
    assert "independent" in wilson.method


def test_few_observers_get_no_interval_but_the_reason() -> None:
    found = win_shares(make_study([[1, 0]] * 4))[0]
    assert found.share.interval is None
    assert found.share.reason is not None
    assert found.share.reason.startswith("4 observers")


def test_where_all_chose_the_same_each_observer_counts_once() -> None:
    found = clustered_share(np.full(20, 9.0), np.full(20, 9.0))
    assert found.value == 1
    assert found.interval is not None
    assert found.interval.method == ALIKE
    # Wilson of 20 of 20.
    assert found.interval.low == pytest.approx(0.8389, abs=1e-4)
    assert found.interval.high == 1


def test_where_all_were_not_sure_the_interval_is_not_a_point() -> None:
    found = clustered_share(np.full(20, 1.5), np.full(20, 3.0)).interval
    assert found is not None
    assert (found.low, found.high) == pytest.approx(wilson_limits(0.5, 20, 0.95))
    assert found.method == ALIKE


def test_a_level_that_is_no_share_is_refused() -> None:
    with pytest.raises(ValueError, match="level 95"):
        win_shares(make_study([[1]]), level=95)
