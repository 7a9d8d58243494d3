"""What every metric is: a score for each reconstruction of one source, on 8-bit sRGB images."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


class Metric(Protocol):
    """Scores reconstructions at 1:1, never resized; each has the shape of the reference."""

    @property
    def name(self) -> str: ...

    @property
    def higher_is_better(self) -> bool: ...

    def scores(self, reference: Image, distorted: Sequence[Image]) -> list[float]: ...


def check_images(reference: Image, distorted: Sequence[Image], smallest_px: int) -> None:
    """Raise ValueError unless all are uint8 (height, width, 3) of one shape and large enough."""
    for image in (reference, *distorted):
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise ValueError(
                f"found an image of type {image.dtype} and shape {image.shape}; "
                f"expected uint8 and (height, width, 3)"
            )
        if image.shape != reference.shape:
            raise ValueError(
                f"found a reconstruction of {image.shape[1]}x{image.shape[0]} px; expected "
                f"{reference.shape[1]}x{reference.shape[0]} px as the reference has"
            )
    if min(reference.shape[:2]) < smallest_px:
        raise ValueError(
            f"found an image of {reference.shape[1]}x{reference.shape[0]} px; expected at least "
            f"{smallest_px} px on each side"
        )


def luma(image: Image) -> NDArray[np.float64]:
    """Luma (height, width) in 0..255, unrounded, full range. Source: ITU-R BT.601-7, section 2.5.1.

    A plain sum over channels, not a matrix product: the same bits whatever BLAS is there.
    """
    red, green, blue = (image[..., c].astype(np.float64) for c in range(3))
    return 0.299 * red + 0.587 * green + 0.114 * blue
