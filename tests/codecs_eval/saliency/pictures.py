"""Small photos and maps with known answers."""

import numpy as np
from numpy.typing import NDArray

from codecs_eval.saliency.saliency import Image, Map


def make_odd_patch(height: int = 240, width: int = 320) -> tuple[Image, NDArray[np.bool_]]:
    """Upright bars, which lie flat in one place; and where that is."""
    y, x = np.mgrid[:height, :width]
    place = (y >= 80) & (y < 130) & (x >= 200) & (x < 250)
    grey = np.where(np.where(place, y, x) % 25 < 12, 60, 200)
    noise = np.random.default_rng(2).integers(-20, 21, grey.shape)
    return np.repeat((grey + noise).astype(np.uint8)[..., None], 3, axis=2), place


def make_ball(height: int = 200, width: int = 260) -> tuple[Image, NDArray[np.bool_]]:
    """A red ball on a green lawn, left of the centre; and where it is."""
    y, x = np.mgrid[:height, :width]
    place = (y - 110) ** 2 + (x - 80) ** 2 < 45**2
    noise = np.random.default_rng(3).integers(-12, 13, (height, width, 1))
    lawn, ball = np.array([70, 140, 60]), np.array([210, 40, 40])
    image = np.where(place[..., None], ball, lawn) + noise
    return np.clip(image, 0, 255).astype(np.uint8), place


def as_map(rows: list[list[float]]) -> Map:
    return np.array(rows, np.float32)
