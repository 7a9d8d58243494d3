"""RGB to YCbCr and back for the video codecs, here rather than in ffmpeg: one rule, on any build.

ITU-R BT.601 weights, full range, as in JPEG (JFIF) and BPG; chroma halved by 2x2 means, centred.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from codecs_eval.codecs.codec import Image

Plane = NDArray[np.uint16]
Floats = NDArray[np.float32]

_RED, _BLUE = 0.299, 0.114
_GREEN = 1 - _RED - _BLUE


def to_ycbcr(image: Image, bits: int, is_chroma_halved: bool) -> list[Plane]:
    """Planes Y, Cb, Cr of 0..2**bits - 1; halved chroma needs even sides."""
    red, green, blue = (image[..., channel].astype(np.float32) for channel in range(3))
    luma = _RED * red + _GREEN * green + _BLUE * blue
    chroma = [(blue - luma) / (2 * (1 - _BLUE)), (red - luma) / (2 * (1 - _RED))]
    if is_chroma_halved:
        chroma = [_halved(plane) for plane in chroma]
    scale, middle = (2**bits - 1) / 255, 2 ** (bits - 1)
    return [_rounded(luma * scale, bits)] + [
        _rounded(plane * scale + middle, bits) for plane in chroma
    ]


def from_ycbcr(planes: Sequence[Plane], bits: int) -> Image:
    """The uint8 RGB image of planes as `to_ycbcr` makes them."""
    scale, middle = 255 / (2**bits - 1), 2 ** (bits - 1)
    luma = planes[0].astype(np.float32) * np.float32(scale)
    blueness, redness = (
        (plane.astype(np.float32) - middle) * np.float32(scale) for plane in planes[1:]
    )
    if blueness.shape != luma.shape:
        blueness, redness = _doubled(blueness), _doubled(redness)
    red = luma + 2 * (1 - _RED) * redness
    blue = luma + 2 * (1 - _BLUE) * blueness
    green = (luma - _RED * red - _BLUE * blue) / _GREEN
    stacked = np.stack([red, green, blue], axis=-1)
    return np.asarray(np.clip(np.rint(stacked), 0, 255), dtype=np.uint8)


def _rounded(plane: Floats, bits: int) -> Plane:
    return np.clip(np.rint(plane), 0, 2**bits - 1).astype(np.uint16)


def _halved(plane: Floats) -> Floats:
    quarters = plane[0::2, 0::2] + plane[0::2, 1::2] + plane[1::2, 0::2] + plane[1::2, 1::2]
    return np.asarray(quarters / 4, dtype=np.float32)


def _doubled(plane: Floats) -> Floats:
    """Linear interpolation between the centres of the 2x2 blocks."""
    return _doubled_rows(_doubled_rows(plane).T).T


def _doubled_rows(plane: Floats) -> Floats:
    above = np.concatenate([plane[:1], plane[:-1]])
    below = np.concatenate([plane[1:], plane[-1:]])
    rows = np.empty((2 * plane.shape[0], plane.shape[1]), dtype=np.float32)
    rows[0::2] = 0.75 * plane + 0.25 * above
    rows[1::2] = 0.75 * plane + 0.25 * below
    return rows
