"""Small pictures with structure, and damaged copies of them."""

import numpy as np

from codecs_eval.metrics.metric import Image


def make_picture(height: int, width: int, seed: int = 0) -> Image:
    """Smooth waves with some texture, uint8 RGB."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    waves = [
        128
        + 70 * np.sin(x / rng.uniform(4, 30) + rng.uniform(0, 6)) * np.cos(y / rng.uniform(4, 30))
        for _ in range(3)
    ]
    textured = np.stack(waves, axis=2) + rng.normal(0, 8, (height, width, 3))
    return np.clip(textured, 0, 255).astype(np.uint8)


def make_damaged(image: Image, strength: float, seed: int = 1) -> Image:
    noise = np.random.default_rng(seed).normal(0, strength, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)
