"""Acuity by Landolt rings: known angles, what the screen can show, what counts as read."""

import math

import pytest

from annotation.design.acuity import (
    DIRECTIONS,
    NOT_SEEN,
    directions_for,
    gap_px,
    pixels_per_degree,
    read_rings,
    sizes_for,
)


def test_pixels_per_degree_of_a_known_screen() -> None:
    # 1 cm at 57.29 cm is one degree of the visual field, to a ten-thousandth.
    assert pixels_per_degree(4.0, 572.9) == pytest.approx(40.0, rel=1e-4)
    assert pixels_per_degree(4.0, 1145.8) == pytest.approx(80.0, rel=1e-4)


@pytest.mark.parametrize(("px_per_mm", "distance_mm"), [(0.0, 600.0), (4.0, 0.0), (math.nan, 1.0)])
def test_a_screen_or_distance_of_nothing_is_refused(px_per_mm: float, distance_mm: float) -> None:
    with pytest.raises(ValueError, match="expected more than 0"):
        pixels_per_degree(px_per_mm, distance_mm)


def test_the_gap_of_20_20_is_one_minute_of_arc() -> None:
    assert gap_px(0.0, 60.0) == pytest.approx(1.0)
    assert gap_px(1.0, 60.0) == pytest.approx(10.0)


def test_no_ring_is_shown_that_the_screen_would_blur() -> None:
    assert sizes_for(40.0) == (0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2)
    assert sizes_for(120.0)[-1] == -0.2
    assert sizes_for(2.0) == (0.8,)


def test_directions_follow_from_the_seed_and_do_not_repeat_within_a_size() -> None:
    found = directions_for(8, 7)
    assert found == directions_for(8, 7) != directions_for(9, 7)
    assert len(found) == 21
    assert all(len(set(found[start : start + 3])) == 3 for start in range(0, 21, 3))
    assert set(found) == set(DIRECTIONS)


SIZES = (0.5, 0.4, 0.3, 0.2)


def answers_with(right: list[int], seed: int = 4) -> list[str]:
    """The first so many rings of each size right, the others not seen."""
    directions = directions_for(seed, len(SIZES))
    return [
        direction if index % 3 < right[index // 3] else NOT_SEEN
        for index, direction in enumerate(directions)
    ]


@pytest.mark.parametrize(
    ("right", "logmar", "is_limit"),
    [
        ([3, 3, 3, 3], 0.2, True),
        ([3, 2, 2, 1], 0.3, False),
        ([3, 1, 3, 3], 0.5, False),
        ([1, 3, 3, 3], None, False),
        ([0, 0, 0, 0], None, False),
    ],
)
def test_the_smallest_size_read_counts_where_all_larger_were_read(
    right: list[int], logmar: float | None, is_limit: bool
) -> None:
    found = read_rings(4, SIZES, answers_with(right))
    assert (found.logmar, found.is_limit_of_screen) == (logmar, is_limit)
    assert found.n_right == tuple(right)


def test_rings_that_were_not_asked_for_are_not_seen() -> None:
    found = read_rings(4, SIZES, answers_with([3, 3, 3, 3])[:6])
    assert (found.logmar, found.n_right) == (0.4, (3, 3, 0, 0))


def test_more_answers_than_rings_are_refused() -> None:
    with pytest.raises(ValueError, match=r"Found 13 answers to the rings; expected 12\."):
        read_rings(4, SIZES, [NOT_SEEN] * 13)
