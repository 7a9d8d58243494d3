"""Peak signal-to-noise ratio, on RGB and on luma."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codecs_eval.metrics.metric import Image, check_images, luma

# Finite so that it can be stored, averaged and drawn; 100 dB is less than one grey level in
# a million samples, so nothing that a person could tell apart ties here.
HIGHEST_DB = 100.0


@dataclass(frozen=True)
class Psnr:
    """10 log10(255^2 / MSE) in dB over every sample of `plane(image)`; higher is better."""

    name: str
    plane: Callable[[Image], NDArray[np.float64]]
    higher_is_better: bool = True

    def scores(self, reference: Image, distorted: Sequence[Image]) -> list[float]:
        check_images(reference, distorted, smallest_px=1)
        original = self.plane(reference)
        return [decibels(original, self.plane(image)) for image in distorted]


def decibels(original: NDArray[np.float64], changed: NDArray[np.float64]) -> float:
    """PSNR of two arrays in 0..255, at most HIGHEST_DB."""
    error = float(np.mean(np.square(original - changed)))
    if error == 0.0:
        return HIGHEST_DB
    return min(HIGHEST_DB, 10.0 * math.log10(255.0**2 / error))


def psnr_rgb(weights: Callable[[str], Path]) -> Psnr:
    return Psnr("psnr", lambda image: image.astype(np.float64))


def psnr_luma(weights: Callable[[str], Path]) -> Psnr:
    return Psnr("psnr-y", luma)
