"""Where a square is cut from a photo: where there is most of something, found at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def squared_difference(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(height, width, 3) uint8 twice -> (height, width): squared difference summed over RGB.

    Exact: at most 3 * 255^2, which a float32 holds. Raises ValueError where the sizes differ.
    """
    if one.shape != other.shape:
        raise ValueError(f"images of {one.shape} and {other.shape}, expected the same size")
    difference = one.astype(np.float32) - other.astype(np.float32)
    found: NDArray[np.float32] = np.einsum("ijk,ijk->ij", difference, difference)
    return found


def place_of_most(mass: NDArray[Any], width: int, height: int) -> tuple[int, int]:
    """left, top of the `width` x `height` rectangle that holds most of `mass` (rows, columns).

    Of several with as much, the topmost, then the leftmost one; where there is no mass at all,
    the centre. Every place is looked at, by the integral image (Crow 1984, "Summed-area tables
    for texture mapping"). `mass` is 0 or more. Raises ValueError for a rectangle that does not
    fit, or negative mass.
    """
    rows, columns = mass.shape
    if not (0 < width <= columns and 0 < height <= rows):
        raise ValueError(f"a crop of {width} x {height} in {columns} x {rows}, expected to fit")
    if mass.min() < 0:
        raise ValueError(f"mass {mass.min()}, expected 0 or more")
    integral = np.zeros((rows + 1, columns + 1), dtype=np.float64)
    np.cumsum(np.cumsum(mass, axis=0, dtype=np.float64), axis=1, out=integral[1:, 1:])
    if integral[-1, -1] == 0:
        return (columns - width) // 2, (rows - height) // 2
    held = (
        integral[height:, width:]
        - integral[:-height, width:]
        - integral[height:, :-width]
        + integral[:-height, :-width]
    )
    top, left = np.unravel_index(int(np.argmax(held)), held.shape)
    return int(left), int(top)
