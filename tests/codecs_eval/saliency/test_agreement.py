"""MAE and F-measure of a map with a mask: numbers worked out by hand, and by brute force."""

import numpy as np
import pytest

from codecs_eval.saliency.agreement import (
    agreement,
    as_levels,
    mean_over_photos,
)
from tests.codecs_eval.saliency.pictures import as_map

MASK = as_map([[1, 1, 0, 0], [0, 0, 0, 0]])


def test_a_map_that_is_the_mask_agrees_wholly() -> None:
    found = agreement(MASK, MASK)
    assert (found.mae, found.f_adaptive, found.f_max) == (0, 1, 1)


def test_a_map_that_is_the_mask_s_opposite_agrees_nowhere() -> None:
    found = agreement(1 - MASK, MASK)
    assert found.mae == 1 and found.f_adaptive == 0
    # Only "everything" finds the mask: precision 1/4, recall 1.
    assert found.f_max == pytest.approx(1.3 * 0.25 / (0.3 * 0.25 + 1))


def test_numbers_by_hand() -> None:
    # Mean 0.3, threshold 0.6: the 1.0 (right) and the 0.8 (wrong) are chosen.
    found = agreement(as_map([[1, 0.4, 0.8, 0.2], [0, 0, 0, 0]]), MASK)
    assert found.mae == pytest.approx((0 + 0.6 + 0.8 + 0.2) / 8)
    assert found.f_adaptive == pytest.approx(1.3 * 0.5 * 0.5 / (0.3 * 0.5 + 0.5))
    # At 1.0: precision 1, recall 1/2, which no lower threshold passes.
    assert found.f_max == pytest.approx(1.3 * 0.5 / (0.3 + 0.5))


def test_twice_the_mean_above_every_value_chooses_the_largest() -> None:
    bright = as_map([[0.9, 0.9, 0.8, 0.8], [0.8, 0.8, 0.8, 0.8]])
    assert agreement(bright, MASK).f_adaptive == 1


def test_a_map_of_nothing_finds_nothing() -> None:
    assert agreement(np.zeros_like(MASK), MASK).f_adaptive == 0


def test_a_mask_that_marks_nothing_has_no_f() -> None:
    found = agreement(as_map([[0.5, 0.5]]), as_map([[0, 0.4]]))
    assert found.mae == pytest.approx((128 / 255 + 128 / 255 - 0.4) / 2)
    assert found.f_adaptive is None and found.f_max is None


def test_the_largest_f_is_that_of_trying_every_threshold() -> None:
    rng = np.random.default_rng(7)
    found = rng.random((20, 30)).astype(np.float32)
    mask = (found + rng.normal(0, 0.3, found.shape) > 0.7).astype(np.float32)
    scores = []
    for threshold in range(256):
        chosen = np.floor(found.astype(np.float64) * 255 + 0.5) >= threshold
        right = float((chosen & (mask == 1)).sum())
        if right:
            precision, recall = right / chosen.sum(), right / mask.sum()
            scores.append(1.3 * precision * recall / (0.3 * precision + recall))
    assert agreement(found, mask).f_max == pytest.approx(max(scores))


def test_the_size_and_the_range_are_checked() -> None:
    with pytest.raises(ValueError, match=r"shape \(1, 2\); expected \(2, 4\)"):
        agreement(as_map([[0, 1]]), MASK)
    with pytest.raises(ValueError, match="found values 0 to 2; expected 0 to 1"):
        agreement(2 * MASK, MASK)


def test_a_half_stays_marked_in_eight_bits() -> None:
    below = np.nextafter(np.float32(0.5), np.float32(0))
    levels = as_levels(as_map([[0, 0.5, below, 1]]))
    assert (levels / 255 >= 0.5).tolist() == [[False, True, False, True]]


def test_the_interval_is_student_s_t_over_photos() -> None:
    # Mean 0.4, deviation 0.2, t(3 degrees, 97.5 %) = 3.1824: 0.4 +- 3.1824 * 0.2 / 2.
    spread = 0.2 * np.sqrt(3) / 2
    found = mean_over_photos([0.4 - spread, 0.4 - spread, 0.4 + spread, None, 0.4 + spread])
    assert found is not None and found.n == 4
    assert found.mean == pytest.approx(0.4)
    assert (found.low, found.high) == pytest.approx((0.4 - 0.31824, 0.4 + 0.31824), abs=1e-4)


def test_one_photo_has_a_mean_and_no_interval_and_none_has_neither() -> None:
    one = mean_over_photos([None, 0.3])
    assert one is not None and (one.mean, one.low, one.high, one.n) == (0.3, None, None, 1)
    assert mean_over_photos([None]) is None


def test_an_interval_stays_where_the_number_can_be() -> None:
    found = mean_over_photos([1.0, 1.0, 0.8])
    assert found is not None and found.high == 1
