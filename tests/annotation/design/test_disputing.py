"""Which comparisons two metrics dispute most, worked out by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.design.disputing import most_disputed


def test_the_smaller_of_the_two_certainties_decides() -> None:
    """One metric is in dB, the other in shares: each is measured by its own usual difference."""
    decibel = [3.0, -1.0, 2.0, -2.0]
    share = [-0.012, 0.03, -0.02, -0.02]
    # Root mean squares: sqrt(18 / 4) = 2.12 and sqrt(0.001844 / 4) = 0.0215; scaled, the first
    # three are disputed with min(1.41, 0.56), min(0.47, 1.40) and min(0.94, 0.93).
    found = most_disputed(decibel, share, 2)
    assert found.chosen == (2, 0)
    assert found.n_disputed == 3


def test_metrics_that_agree_dispute_nothing() -> None:
    assert most_disputed([1.0, -2.0], [5.0, -0.1], 9) == most_disputed([], [], 1)


def test_a_metric_that_sees_no_difference_disputes_nothing() -> None:
    assert most_disputed([1.0, -1.0], [0.0, 0.0], 9).chosen == ()


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        most_disputed([1.0], [math.nan], 1)
    with pytest.raises(ValueError):
        most_disputed([1.0], [1.0, 2.0], 1)


NUMBERS = st.lists(st.floats(-100, 100), min_size=12, max_size=12)


@given(one=NUMBERS, other=NUMBERS, scale=st.floats(0.001, 1000))
def test_the_choice_does_not_depend_on_a_metrics_unit(
    one: list[float], other: list[float], scale: float
) -> None:
    found = most_disputed(one, other, 12)
    signs = np.sign(one) * np.sign(other)
    assert all(signs[index] < 0 for index in found.chosen)
    rescaled = most_disputed([scale * value for value in one], other, 12)
    assert set(rescaled.chosen) >= {i for i in found.chosen if abs(one[i]) > 1e-6}


@given(one=NUMBERS, other=NUMBERS)
def test_whichever_metric_comes_first_the_disputes_are_the_same(
    one: list[float], other: list[float]
) -> None:
    assert most_disputed(one, other, 4) == most_disputed(other, one, 4)
