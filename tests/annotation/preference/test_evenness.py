"""Whether a side is favoured, told over observers; and what a stop at a width does to a share."""

import numpy as np
import pytest
from scipy import stats

from annotation.preference.evenness import (
    even_p,
    even_p_assuming_independence,
    forecast_half_width,
)
from annotation.preference.shares import clustered_share


def test_few_or_no_observers_have_no_p() -> None:
    assert even_p(np.array([1.0, 2.0]), np.array([3.0, 3.0])) is None
    assert even_p(np.array([]), np.array([])) is None
    assert even_p_assuming_independence(0, 0) is None


def test_with_equal_counts_it_is_the_t_test_of_the_observers_shares() -> None:
    won = np.array([7.0, 5, 6, 8, 4, 9, 5, 6])
    n = np.full(8, 10.0)
    assert even_p(won, n) == pytest.approx(stats.ttest_1samp(won / n, 0.5).pvalue)


def test_a_side_that_all_observers_chose_always_is_told_by_their_number() -> None:
    n = np.full(6, 4.0)
    assert even_p(n, n) == pytest.approx(2 / 2**6)
    assert even_p(n / 2, n) == 1.0


def test_under_no_preference_p_is_below_five_percent_one_time_in_twenty() -> None:
    """Observers who lean to a side of their own, none on average: a binomial test would cry."""
    rng, n = np.random.default_rng(3), np.full(20, 30.0)
    clustered, independent = [], []
    for _ in range(1000):
        won = rng.binomial(30, rng.beta(5, 5, len(n))).astype(float)
        clustered.append((even_p(won, n) or 0) < 0.05)
        p = even_p_assuming_independence(int(won.sum()), int(n.sum()))
        independent.append((p or 0) < 0.05)
    assert 0.03 < np.mean(clustered) < 0.07
    assert np.mean(independent) > 0.15


def test_the_forecast_shrinks_by_the_root_and_never_grows() -> None:
    assert forecast_half_width(0.1, 25, 100) == pytest.approx(0.05)
    assert forecast_half_width(0.1, 100, 25) == 0.1
    with pytest.raises(ValueError, match="Found 0 answers"):
        forecast_half_width(0.1, 0, 10)


def test_stopping_at_a_width_leaves_shares_and_intervals_nearly_right() -> None:
    """What the page says of the stop rule: +- 5 points, from 15 observers on, looked at each."""
    rng = np.random.default_rng(7)
    truth, n_each, wanted = 0.6, 20, 0.05
    shares, is_inside = [], []
    for _ in range(400):
        n = np.full(400, float(n_each))
        won = rng.binomial(n_each, rng.beta(12, 8, len(n))).astype(float)
        for g in range(15, len(n) + 1):
            estimate = clustered_share(won[:g], n[:g])
            interval = estimate.interval
            if interval and interval.half_width <= wanted:
                break
        assert interval is not None
        shares.append(estimate.value)
        is_inside.append(interval.low <= truth <= interval.high)
    assert abs(np.mean(shares) - truth) < 0.005
    assert 0.91 <= np.mean(is_inside) <= 0.97
