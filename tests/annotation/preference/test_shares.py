import numpy as np
import pytest

from annotation.preference.comparisons import Comparisons
from annotation.preference.intervals import UNANIMOUS
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
    assert third.n == 0
    assert np.isnan(third.share.value)
    assert third.share.reason == "nobody compared it"
    assert third.wilson_assuming_independence is None


def test_the_error_is_the_linearised_one_of_a_ratio() -> None:
    # Shares 2/2, 1/2, 0/1, 3/3: p = 6/8; residuals .5, -.5, -.75, .75.
    won, n = np.array([2.0, 1, 0, 3]), np.array([2.0, 2, 1, 3])
    expected = np.sqrt(4 / 3 * (0.25 + 0.25 + 0.5625 + 0.5625)) / 8
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
    assert found.interval.method == UNANIMOUS
    # Wilson of 20 of 20.
    assert found.interval.low == pytest.approx(0.8389, abs=1e-4)
    assert found.interval.high == 1


def test_a_level_that_is_no_share_is_refused() -> None:
    with pytest.raises(ValueError, match="level 95"):
        win_shares(make_study([[1]]), level=95)
