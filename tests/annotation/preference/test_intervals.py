import pytest

from annotation.preference.intervals import (
    Interval,
    share_limits,
    student_limits,
    too_few,
    wilson_limits,
)


def test_wilsons_interval_is_the_published_one() -> None:
    # Newcombe 1998, Statistics in Medicine 17, 857, table I: 81 of 263, 15 of 148, 0 of 20.
    assert wilson_limits(81 / 263, 263, 0.95) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson_limits(15 / 148, 148, 0.95) == pytest.approx((0.0624, 0.1605), abs=1e-4)
    assert wilson_limits(0, 20, 0.95) == pytest.approx((0, 0.1611), abs=1e-4)


def test_limits_by_students_t() -> None:
    # t of 9 degrees of freedom at 97.5 %: 2.2622.
    assert student_limits(1.0, 0.5, 9, 0.95) == pytest.approx((-0.1311, 2.1311), abs=1e-4)


def test_limits_of_a_share_stay_within_0_and_1_and_are_mirrored_with_it() -> None:
    low, high = share_limits(0.97, 0.05, 9, 0.95)
    assert 0 < low < 0.97 < high < 1
    assert share_limits(0.03, 0.05, 9, 0.95) == pytest.approx((1 - high, 1 - low))


def test_few_observers_are_a_reason() -> None:
    assert too_few(5) is None
    assert too_few(4) == (
        "4 observers gave answers; expected 5 or more for an interval over observers"
    )
    assert Interval(0.2, 0.6, 0.95, 9, "").half_width == pytest.approx(0.2)
