"""Where a square is cut: against the slow way, and on made pictures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.design.cropping import place_of_most, squared_difference


def test_the_square_lies_where_the_mass_is() -> None:
    mass = np.zeros((20, 30))
    mass[12:15, 22:25] = 1
    left, top = place_of_most(mass, 4, 4)
    assert 21 <= left <= 22
    assert 11 <= top <= 12


def test_of_equals_the_topmost_then_the_leftmost_is_taken() -> None:
    mass = np.zeros((10, 10))
    mass[2, 7] = mass[2, 1] = mass[8, 0] = 1
    assert place_of_most(mass, 1, 1) == (1, 2)


def test_where_there_is_nothing_the_centre_is_taken() -> None:
    assert place_of_most(np.zeros((10, 21)), 5, 4) == (8, 3)


def test_the_whole_picture_has_one_place() -> None:
    assert place_of_most(np.ones((6, 8)), 8, 6) == (0, 0)


@given(seed=st.integers(0, 10_000), width=st.integers(1, 9), height=st.integers(1, 7))
def test_no_other_place_holds_more(seed: int, width: int, height: int) -> None:
    mass = np.random.default_rng(seed).integers(0, 50, (7, 9))
    left, top = place_of_most(mass, width, height)
    sums = {
        (x, y): int(mass[y : y + height, x : x + width].sum())
        for y in range(7 - height + 1)
        for x in range(9 - width + 1)
    }
    assert sums[left, top] == max(sums.values())


def test_the_difference_is_exact_for_any_two_pictures() -> None:
    one = np.array([[[255, 255, 255], [1, 2, 3]]], dtype=np.uint8)
    other = np.array([[[0, 0, 0], [3, 2, 1]]], dtype=np.uint8)
    assert squared_difference(one, other).tolist() == [[3 * 255**2, 8]]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="fit"):
        place_of_most(np.ones((4, 4)), 5, 4)
    with pytest.raises(ValueError, match="0 or more"):
        place_of_most(-np.ones((4, 4)), 2, 2)
    with pytest.raises(ValueError, match="same size"):
        squared_difference(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 3, 3), np.uint8))
