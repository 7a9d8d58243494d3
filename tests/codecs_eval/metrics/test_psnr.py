"""PSNR against values worked out by hand."""

import math
from pathlib import Path

import numpy as np
import pytest

from codecs_eval.metrics.metric import luma
from codecs_eval.metrics.psnr import HIGHEST_DB
from codecs_eval.metrics.table import load_metric
from tests.codecs_eval.metrics.pictures import make_picture


def no_weights(name: str) -> Path:
    raise AssertionError(f"asked for {name}")


def grey(value: int) -> np.ndarray:
    return np.full((8, 8, 3), value, np.uint8)


def test_one_level_everywhere_is_48_13_db() -> None:
    for name in ("psnr", "psnr-y"):
        [score] = load_metric(name, no_weights).scores(grey(100), [grey(101)])
        assert score == pytest.approx(20 * math.log10(255))


def test_one_channel_counts_a_third_in_rgb_and_by_its_weight_in_luma() -> None:
    changed = grey(100)
    changed[..., 1] += 10
    [rgb] = load_metric("psnr", no_weights).scores(grey(100), [changed])
    [y] = load_metric("psnr-y", no_weights).scores(grey(100), [changed])
    assert rgb == pytest.approx(10 * math.log10(255**2 / (100 / 3)))
    assert y == pytest.approx(20 * math.log10(255 / 5.87))


def test_identical_images_score_the_stated_cap() -> None:
    picture = make_picture(16, 16)
    assert load_metric("psnr", no_weights).scores(picture, [picture]) == [HIGHEST_DB]


def test_luma_of_grey_is_that_grey() -> None:
    assert luma(grey(77)) == pytest.approx(77.0)


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((8, 9, 3), np.uint8), np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3), np.uint16)],
)
def test_a_reconstruction_of_another_shape_or_type_is_refused(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"found .* expected"):
        load_metric("psnr", no_weights).scores(grey(1), [wrong])
