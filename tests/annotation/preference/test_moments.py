"""Shares from sums alone say what shares from every observer's counts say."""

import numpy as np
import pytest
from scipy import stats

from annotation.preference.moments import (
    Moments,
    even_p,
    even_p_assuming_independence,
    forecast_half_width,
    share_of,
)
from annotation.preference.shares import clustered_share


@pytest.mark.parametrize("seed", range(20))
def test_sums_give_the_same_interval_as_the_counts(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = rng.integers(1, 60, 5 + seed).astype(float)
    won = rng.binomial(n.astype(int), rng.uniform(0, 1, len(n))) + 0.0
    won[0] = min(won[0] + 0.5, n[0])
    one, other = share_of(Moments.of(won, n)), clustered_share(won, n)
    assert one.value == pytest.approx(other.value)
    assert one.interval and other.interval
    assert one.interval.low == pytest.approx(other.interval.low)
    assert one.interval.high == pytest.approx(other.interval.high)
    assert one.interval.n_observers == other.interval.n_observers


@pytest.mark.parametrize("won", [[0.0] * 6, [3.0] * 6])
def test_unanimity_is_told_as_the_counts_have_it(won: list[float]) -> None:
    n = np.full(6, 3.0)
    assert share_of(Moments.of(won, n)) == clustered_share(np.array(won), n)


def test_few_or_no_observers_have_no_interval_and_no_p() -> None:
    few = Moments.of([1.0, 2.0], [3.0, 3.0])
    assert share_of(few).interval is None
    assert even_p(few) is None
    none = Moments(0, 0, 0, 0, 0, 0)
    assert np.isnan(share_of(none).value)
    assert even_p(none) is None
    assert even_p_assuming_independence(0, 0) is None


def test_with_equal_counts_it_is_the_t_test_of_the_observers_shares() -> None:
    won = np.array([7.0, 5, 6, 8, 4, 9, 5, 6])
    n = np.full(8, 10.0)
    assert even_p(Moments.of(won, n)) == pytest.approx(stats.ttest_1samp(won / n, 0.5).pvalue)


def test_a_side_that_all_observers_chose_always_is_told_by_their_number() -> None:
    assert even_p(Moments.of([4.0] * 6, [4.0] * 6)) == pytest.approx(2 / 2**6)
    assert even_p(Moments.of([2.0] * 6, [4.0] * 6)) == 1.0


def test_under_no_preference_p_is_below_five_percent_one_time_in_twenty() -> None:
    """Observers who lean to a side of their own, none on average: a binomial test would cry."""
    rng, n = np.random.default_rng(3), np.full(20, 30)
    clustered, independent = [], []
    for _ in range(1000):
        won = rng.binomial(n, rng.beta(5, 5, len(n)))
        clustered.append((even_p(Moments.of(won, n)) or 0) < 0.05)
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
            interval = share_of(Moments.of(won[:g], n[:g])).interval
            if interval and interval.half_width <= wanted:
                break
        assert interval is not None
        shares.append(won[:g].sum() / n[:g].sum())
        is_inside.append(interval.low <= truth <= interval.high)
    assert abs(np.mean(shares) - truth) < 0.005
    assert 0.91 <= np.mean(is_inside) <= 0.97
