"""Spectral residual: what stands out from a photo's own statistics. Needs no weights.

    L = log|F(photo)|,  R = L - mean3x3(L),  map = g * |F^-1(exp(R + i phase))|^2

Source: Hou and Zhang: Saliency Detection: A Spectral Residual Approach, CVPR 2007; sizes,
borders and the smoothing are those of the authors' published MATLAB code.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from codecs_eval.saliency.saliency import Image, Map, check_image, resized, stretched
from codecs_eval.saliency.table import SALIENCY

LONGER_SIDE_PX = 64
SMOOTHING_PX = 2.5
# The authors' window is 10x10; an odd one that wide at least has a centre.
SMOOTHING_RADIUS_PX = 5
# Amplitudes below this share of the largest are float32's rounding, whose phase means nothing.
NOISE = 1e-8
FLAT = 1e-5


class SpectralResidual:
    name = "spectral-residual"
    version = SALIENCY["spectral-residual"].version

    def map(self, image: Image) -> Map:
        """uint8 (height, width, 3) -> float32 (height, width) in [0, 1]."""
        check_image(image)
        height, width = image.shape[:2]
        scale = LONGER_SIDE_PX / max(height, width)
        grey = resized(_grey(image), max(1, round(height * scale)), max(1, round(width * scale)))
        return stretched(resized(residual_map(grey.astype(np.float64)), height, width))


def residual_map(grey: NDArray[np.float64]) -> NDArray[np.float64]:
    """(height, width) in 0..1 -> (height, width), not yet stretched; 0 where nothing differs."""
    # A plain surface has no spectrum but its mean: its residual would be amplified rounding.
    if float(np.ptp(grey)) < FLAT:
        return np.zeros_like(grey)
    spectrum = np.fft.fft2(grey)
    amplitude = np.abs(spectrum)
    noise = NOISE * amplitude.max()
    log_amplitude = np.log(np.maximum(amplitude, noise))
    residual = log_amplitude - ndimage.uniform_filter(log_amplitude, 3, mode="nearest")
    kept = np.where(amplitude > noise, np.exp(residual + 1j * np.angle(spectrum)), 0)
    found = np.abs(np.fft.ifft2(kept)) ** 2
    smooth: NDArray[np.float64] = ndimage.gaussian_filter(
        found, SMOOTHING_PX, mode="constant", radius=SMOOTHING_RADIUS_PX
    )
    return smooth


def _grey(image: Image) -> NDArray[np.float32]:
    """Luma in 0..1, full range. Source: ITU-R BT.601-7, as MATLAB's rgb2gray."""
    red, green, blue = (image[..., c].astype(np.float64) / 255 for c in range(3))
    return (0.299 * red + 0.587 * green + 0.114 * blue).astype(np.float32)


def spectral_residual(weights: Callable[[str], Path]) -> SpectralResidual:
    return SpectralResidual()
