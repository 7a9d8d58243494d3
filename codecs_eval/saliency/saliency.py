"""What every saliency model is: which places of one photo are expected to stand out."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Map = NDArray[np.float32]


class Saliency(Protocol):
    """The same photo always gives the same map."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def map(self, image: Image) -> Map:
        """uint8 (height, width, 3) -> float32 (height, width) in [0, 1], higher is more salient."""
        ...


def check_image(image: Image) -> None:
    """Raise ValueError unless it is uint8 (height, width, 3)."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ValueError(
            f"found an image of type {image.dtype} and shape {image.shape}; "
            f"expected uint8 and (height, width, 3)"
        )


def stretched(values: NDArray[np.floating]) -> Map:
    """Min-max to [0, 1]; all 0 where nothing differs.

    So a map compares places of one photo; it says nothing of one photo against another.
    """
    low, high = float(values.min()), float(values.max())
    if high <= low:
        return np.zeros(values.shape, np.float32)
    scaled = (values.astype(np.float64) - low) / (high - low)
    return scaled.astype(np.float32)


def resized(values: NDArray[np.floating], height: int, width: int) -> Map:
    """Bilinear, to (height, width) float32."""
    # Pillow: only where maps are made, as everything that opens images.
    from PIL import Image as Pictures

    small = Pictures.fromarray(np.ascontiguousarray(values, np.float32))
    return np.asarray(small.resize((width, height), Pictures.Resampling.BILINEAR), np.float32)
