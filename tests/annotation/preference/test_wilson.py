import pytest
from scipy.stats import binomtest

from annotation.preference.wilson import wilson_interval


@pytest.mark.parametrize(("chosen", "n"), [(0, 5), (3, 5), (5, 5), (41, 160)])
def test_the_interval_is_the_one_of_scipy(chosen: int, n: int) -> None:
    expected = binomtest(chosen, n).proportion_ci(0.95, "wilson")
    assert wilson_interval(chosen, n) == pytest.approx((expected.low, expected.high))


def test_half_votes_lie_between_whole_ones() -> None:
    low, half, high = (wilson_interval(chosen, 10) for chosen in (4, 4.5, 5))
    assert low and half and high
    assert low[0] < half[0] < high[0]


def test_nobody_asked_is_no_interval() -> None:
    assert wilson_interval(0, 0) is None


@pytest.mark.parametrize(("chosen", "n", "level"), [(6, 5, 0.95), (-1, 5, 0.95), (1, 5, 1.0)])
def test_what_cannot_be_is_refused(chosen: float, n: int, level: float) -> None:
    with pytest.raises(ValueError, match="expected"):
        wilson_interval(chosen, n, level)
