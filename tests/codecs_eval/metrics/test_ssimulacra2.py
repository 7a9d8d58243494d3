"""SSIMULACRA 2 against scores of libjxl's own program."""

import hashlib

import numpy as np
import pytest

from codecs_eval.metrics.metric import Image
from codecs_eval.metrics.ssimulacra2 import Ssimulacra2, _blurred, _kernel
from tests.codecs_eval.metrics.pictures import make_damaged, make_picture


def uniform(side: int, value: int) -> Image:
    return np.full((side, side, 3), value, np.uint8)


def gradient() -> Image:
    row = (np.arange(64) * 255 // 63).astype(np.uint8)
    return np.broadcast_to(row[None, :, None], (64, 64, 3)).copy()


def noise() -> Image:
    """64-bit linear congruential generator (Knuth's MMIX) from 42, bits 33 to 40."""
    state, values = 42, []
    for _ in range(64 * 64 * 3):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        values.append(state >> 33 & 255)
    return np.array(values, np.uint8).reshape(64, 64, 3)


# Scores that libjxl's ssimulacra2 program gave, from imazen/ssimulacra2, src/reference_data.rs,
# with the SHA-256 of the source's RGB bytes that stands there.
@pytest.mark.parametrize(
    ("source", "sha256", "expected"),
    [
        (gradient(), "bfcfaa06", -64.56872148),
        (noise(), "7f6be7f4", -47.33572558),
    ],
    ids=["gradient", "noise"],
)
def test_scores_equal_those_of_the_original_program(
    source: Image, sha256: str, expected: float
) -> None:
    assert hashlib.sha256(source.tobytes()).hexdigest().startswith(sha256)
    [found] = Ssimulacra2().scores(source, [uniform(64, 128)])
    assert found == pytest.approx(expected, abs=0.003)


@pytest.mark.parametrize(
    ("side", "shift", "expected"),
    [
        (128, 20, 54.27883917),
        (128, 50, -9.82383315),
        (256, 20, 59.77892918),
        (256, 50, -0.39085784),
    ],
)
def test_flat_images_score_as_the_original_within_its_single_precision(
    side: int, shift: int, expected: float
) -> None:
    [found] = Ssimulacra2().scores(uniform(side, 128), [uniform(side, 128 + shift)])
    assert found == pytest.approx(expected, abs=0.1)


def test_identical_images_score_100_and_more_damage_scores_less() -> None:
    picture = make_picture(130, 121)
    values = Ssimulacra2().scores(picture, [make_damaged(picture, s) for s in (0, 3, 10, 40)])
    assert values[0] == 100.0
    assert values == sorted(values, reverse=True)


def test_the_blur_is_the_recursive_filter_that_libjxl_runs() -> None:
    """Equation (35) of Charalampidis 2016, sample by sample, zeros outside."""
    signal = np.random.default_rng(1).random(40)
    radius = 5
    omega = np.array([1, 3, 5]) * np.pi / (2 * radius)
    # The kernel's three cosines, from its values at three offsets.
    half = _kernel(1.5)[radius - 1 :]
    beta = np.linalg.solve(np.cos(np.outer(np.arange(3), omega)), half[:3])
    n2, d1 = -beta * np.cos(omega * (radius + 1)), -2 * np.cos(omega)
    padded = np.pad(signal, 2 * radius)
    before, last, filtered = np.zeros(3), np.zeros(3), []
    for n in range(-radius + 1, len(signal)):
        at = n + 2 * radius
        total = padded[at - radius - 1] + padded[at + radius - 1]
        before, last = last, n2 * total - d1 * last - before
        if n >= 0:
            filtered.append(last.sum())
    planes = np.zeros((3, 41, 40))
    planes[0, 20] = signal
    np.testing.assert_allclose(_blurred(planes)[0, 20] / half[0], filtered, rtol=1e-9)


def test_too_small_images_are_refused() -> None:
    small = np.zeros((7, 40, 3), np.uint8)
    with pytest.raises(ValueError, match=r"40x7 px; expected at least 8 px"):
        Ssimulacra2().scores(small, [small])
