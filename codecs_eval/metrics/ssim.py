"""Structural similarity: SSIM on luma (Wang et al. 2004) and MS-SSIM on RGB (Wang et al. 2003)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

from codecs_eval.metrics.metric import Image, check_images, luma

Plane = NDArray[np.float64]

_RADIUS = 5
_SIGMA = 1.5
_C1 = (0.01 * 255.0) ** 2
_C2 = (0.03 * 255.0) ** 2
# Wang, Simoncelli, Bovik 2003, section 3.2.
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
# The 11x11 window must fit once at the coarsest of five scales: (11 - 1) * 2^4 + 1.
MS_SSIM_SMALLEST_PX = 2 * _RADIUS * 2 ** (len(SCALE_WEIGHTS) - 1) + 1


@dataclass(frozen=True)
class Moments:
    """A plane with its windowed mean and windowed mean square, reused over reconstructions."""

    plane: Plane
    mean: Plane
    square: Plane


@dataclass(frozen=True)
class Ssim:
    """Mean of the SSIM map on luma, in -1..1; higher is better."""

    name: str = "ssim"
    higher_is_better: bool = True

    def scores(self, reference: Image, distorted: Sequence[Image]) -> list[float]:
        check_images(reference, distorted, smallest_px=2 * _RADIUS + 1)
        original = moments(luma(reference))
        return [similarity(original, moments(luma(image)))[0] for image in distorted]


@dataclass(frozen=True)
class MsSsim:
    """Product over five scales, per sRGB channel, then averaged; in 0..1; higher is better."""

    name: str = "ms-ssim"
    higher_is_better: bool = True

    def scores(self, reference: Image, distorted: Sequence[Image]) -> list[float]:
        check_images(reference, distorted, MS_SSIM_SMALLEST_PX)
        totals = np.zeros(len(distorted))
        for channel in range(3):
            original = [moments(plane) for plane in pyramid(reference[..., channel])]
            for i, image in enumerate(distorted):
                totals[i] += _over_scales(original, pyramid(image[..., channel]))
        return [float(total / 3.0) for total in totals]


def moments(plane: Plane) -> Moments:
    return Moments(plane, _window_mean(plane), _window_mean(plane * plane))


def similarity(original: Moments, changed: Moments) -> tuple[float, float]:
    """(mean SSIM, mean of its contrast-structure factor) of two planes in 0..255."""
    product = original.mean * changed.mean
    energy = original.mean**2 + changed.mean**2
    covariance = _window_mean(original.plane * changed.plane) - product
    variances = original.square + changed.square - energy
    structure = (2.0 * covariance + _C2) / (variances + _C2)
    luminance = (2.0 * product + _C1) / (energy + _C1)
    return float(np.mean(luminance * structure)), float(np.mean(structure))


def pyramid(channel: NDArray[np.uint8]) -> list[Plane]:
    """The plane at full, 1/2, 1/4, 1/8 and 1/16 size."""
    planes: list[Plane] = [channel.astype(np.float64)]
    while len(planes) < len(SCALE_WEIGHTS):
        planes.append(_halved(planes[-1]))
    return planes


def _over_scales(original: list[Moments], changed: list[Plane]) -> float:
    value = 1.0
    last = len(SCALE_WEIGHTS) - 1
    for scale, weight in enumerate(SCALE_WEIGHTS):
        whole, structure = similarity(original[scale], moments(changed[scale]))
        # A negative factor has no real power; 0 is what the common implementations use.
        value *= max(whole if scale == last else structure, 0.0) ** weight
    return value


def _window_mean(plane: Plane) -> Plane:
    """Gaussian mean at every place where the 11x11 window lies wholly inside the plane."""
    offsets = np.arange(-_RADIUS, _RADIUS + 1)
    window = np.exp(-0.5 * (offsets / _SIGMA) ** 2)
    window /= window.sum()
    inside = slice(_RADIUS, -_RADIUS)
    across: Plane = correlate1d(plane, window, axis=1)[:, inside]
    down: Plane = correlate1d(across, window, axis=0)[inside, :]
    return down


def _halved(plane: Plane) -> Plane:
    odd = [(side % 2, side % 2) for side in plane.shape]
    padded = np.pad(plane, odd)
    height, width = (side // 2 * 2 for side in padded.shape)
    blocks: Plane = padded[:height, :width].reshape(height // 2, 2, width // 2, 2)
    halved: Plane = blocks.mean(axis=(1, 3))
    return halved


def ssim_luma(weights: Callable[[str], Path]) -> Ssim:
    return Ssim()


def ms_ssim_rgb(weights: Callable[[str], Path]) -> MsSsim:
    return MsSsim()
