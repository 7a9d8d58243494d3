"""DISTS against the values of its authors' own code."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from codecs_eval.metrics.dists import MOST_PX, Dists, dists
from tests.codecs_eval.metrics.pictures import make_damaged, make_picture

Weights = Callable[[str], Path]

# What DISTS_pytorch 0.1 gives with the same VGG16, for these very pictures.
KNOWN = {
    (64, 64): (0.0108355, 0.1313900, 0.3741862),
    (67, 131): (0.0068862, 0.1546682, 0.3982242),
}


@pytest.fixture(scope="module")
def metric(weight_file: Weights) -> Dists:
    return dists(weight_file)


@pytest.mark.parametrize(("size", "expected"), KNOWN.items())
def test_distances_equal_those_of_the_authors_code(
    size: tuple[int, int], expected: tuple[float, ...], metric: Dists
) -> None:
    picture = make_picture(*size)
    found = metric.scores(picture, [make_damaged(picture, s) for s in (2, 15, 60)])
    assert found == pytest.approx(expected, abs=2e-6)
    assert metric.scores(picture, [picture]) == [0.0]


def test_what_it_cannot_take_is_refused(metric: Dists) -> None:
    small = np.zeros((31, 80, 3), np.uint8)
    with pytest.raises(ValueError, match=r"80x31 px; expected at least 32 px"):
        metric.scores(small, [small])
    large = np.zeros((MOST_PX // 1024 + 1, 1024, 3), np.uint8)
    with pytest.raises(ValueError, match=r"1024x4097 px; DISTS takes at most 4.2 megapixels"):
        metric.scores(large, [large])
    with pytest.raises(ValueError, match=r"expected 1475 of at least 0"):
        Dists(metric.trunk, torch.ones(1472), torch.ones(1475))
