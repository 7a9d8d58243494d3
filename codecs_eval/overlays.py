"""A saliency map as heat over its photo, for people's eyes; numbers never come from it."""

import io
from functools import cache
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from codecs_eval import storing
from codecs_eval.models import SaliencyMap
from codecs_eval.thumbnails import SIDE_PX, kept

LARGE_SIDE_PX = 1600
# How much of what is seen is heat; the rest is the photo in grey, so that hue tells heat alone.
HEAT = 0.65


def overlay(row: SaliencyMap, *, is_large: bool = False) -> bytes:
    """WebP that fits a square; never made larger than the photo."""
    side_px = LARGE_SIDE_PX if is_large else SIDE_PX
    # Two photos may have one map (an empty mask), so the name holds both.
    name = f"{row.source.sha256}.{PurePosixPath(row.path).stem}.{side_px}.webp"
    return kept(
        name, lambda: _overlaid(storing.read(row.source.path), storing.read(row.path), side_px)
    )


def _overlaid(photo_png: bytes, map_png: bytes, side_px: int) -> bytes:
    grey, found = (_small(png, side_px) for png in (photo_png, map_png))
    buffer = io.BytesIO()
    Image.fromarray(heated(grey, found)).save(buffer, "WEBP", quality=85)
    return buffer.getvalue()


def heated(grey: NDArray[np.uint8], found: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Photo and map (height, width) -> (height, width, 3): inferno, dark at 0, light at 255."""
    mixed = (1 - HEAT) * grey[..., None] + HEAT * _inferno()[found]
    return np.rint(mixed).astype(np.uint8)


def _small(png: bytes, side_px: int) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
        small = image.convert("L")
        small.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
        return np.asarray(small)


@cache
def _inferno() -> NDArray[np.float64]:
    """(256, 3) in 0..255; its lightness rises evenly with the value."""
    # matplotlib: only where a picture is made, not at the start of every process.
    from matplotlib import colormaps

    return np.asarray(colormaps["inferno"](np.arange(256))[:, :3] * 255, np.float64)
