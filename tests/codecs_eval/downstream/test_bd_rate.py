"""BD-rate with AP as the quality: known answers, and what it refuses to say."""

import math

import pytest

from codecs_eval.downstream.bd_rate import bd_rate

# Points of a curve that rises: (bpp, AP).
CURVE = [(0.23, 0.30), (0.37, 0.36), (0.67, 0.41), (1.0, 0.43)]


def test_nine_tenths_of_the_rate_is_minus_ten_per_cent() -> None:
    found = bd_rate(CURVE, [(0.9 * rate, quality) for rate, quality in CURVE])
    assert found.percent == pytest.approx(-10)
    assert found.overlap == 1 and found.status == "" and found.n_points == (4, 4)


def test_a_straight_line_in_log_rate_is_integrated_exactly() -> None:
    """By hand: log rate = 2 q against log rate = q over q in 1..3: the mean gap is q = 2."""
    anchor = [(math.exp(q), q) for q in (1.0, 2.0, 3.0)]
    other = [(math.exp(2 * q), q) for q in (1.0, 2.0, 3.0)]
    found = bd_rate(anchor, other)
    assert found.percent == pytest.approx(100 * (math.exp(2) - 1))


def test_the_order_of_the_points_does_not_matter() -> None:
    other = [(1.1 * rate, quality) for rate, quality in CURVE]
    assert bd_rate(CURVE[::-1], other) == bd_rate(CURVE, other[::-1])


def test_points_that_cost_more_for_no_more_are_left_out_and_told() -> None:
    bumpy = [*CURVE, (0.8, 0.40)]
    found = bd_rate(CURVE, bumpy)
    assert found.percent == pytest.approx(0)
    assert found.n_points == (4, 4) and found.status.startswith("1 point left out")


def test_little_common_quality_is_no_answer() -> None:
    found = bd_rate(CURVE, [(rate, quality + 0.1) for rate, quality in CURVE])
    assert found.percent is None and found.overlap == pytest.approx(3 / 23)
    assert "13 % of the qualities are common" in found.status


def test_a_curve_that_does_not_rise_is_no_answer() -> None:
    found = bd_rate(CURVE, [(rate, 0.4) for rate, _ in CURVE])
    assert found.percent is None and "4 and 1 points rise" in found.status


def test_a_rate_of_nought_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a rate above 0"):
        bd_rate(CURVE, [(0.0, 0.1), *CURVE])
