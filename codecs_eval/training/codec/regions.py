"""A photo's salient part and its background: the error of each, and pictures of where bits went."""

from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray
from PIL import Image as PillowImage

from codecs_eval.metrics.psnr import decibels

Pixels = NDArray[np.uint8]
Map = NDArray[np.float32]


@dataclass(frozen=True)
class RegionPsnr:
    """PSNR (RGB, dB) within and outside the salient part; `share` of pixels within, 0..1."""

    salient_db: float
    background_db: float
    share: float


def region_psnr(original: Pixels, decoded: Pixels, saliency: Map) -> RegionPsnr | None:
    """Salient: at least twice the mean saliency (Achanta et al. 2009); None where all or nothing
    is."""
    inside = saliency >= min(2 * float(saliency.mean()), 1.0)
    if inside.all() or not inside.any():
        return None
    first, second = original.astype(np.float64), decoded.astype(np.float64)
    return RegionPsnr(
        decibels(first[inside], second[inside]),
        decibels(first[~inside], second[~inside]),
        float(inside.mean()),
    )


def laid_over(photo: Pixels, values: Map, colours: str = "inferno") -> Pixels:
    """The photo in grey under a map (h, w) of any range, largest value brightest."""
    low, high = float(values.min()), float(values.max())
    scaled = (values - low) / (high - low) if high > low else np.zeros_like(values)
    size = (photo.shape[1], photo.shape[0])
    small = PillowImage.fromarray(np.round(scaled * 255).astype(np.uint8))
    wide = np.asarray(small.resize(size, PillowImage.Resampling.BILINEAR)) / 255
    heat = colormaps[colours](wide)[..., :3] * 255
    grey = (photo.astype(np.float64) @ [0.299, 0.587, 0.114])[..., None]
    return np.round(0.45 * grey + 0.55 * heat).astype(np.uint8)
