"""The digits of the colour plates as strokes, so that no font decides what people see."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

# 0 and 1 are left out: a ring and a bar are seen in any crowd of dots.
DIGITS = "23456789"
_STEP_DEG = 6.0


def distance_to_digit(points: NDArray[np.float64], digit: str) -> NDArray[np.float64]:
    """How far points lie from the middle of the nearest stroke of a digit.

    points: (n, 2), x to the right and y down; the digit stands upright around (0, 0) and is 1.2
    high. Returns (n,), in the same unit. Raises ValueError for a digit that has no strokes.
    """
    if digit not in DIGITS or len(digit) != 1:
        raise ValueError(f"Found digit {digit!r}; expected one of {', '.join(DIGITS)}.")
    segments = _segments(digit)
    start, along = segments[:, 0], segments[:, 1] - segments[:, 0]
    to_points = points[:, None, :] - start[None]
    length_squared = np.maximum((along**2).sum(axis=1), 1e-12)
    share = np.clip((to_points * along).sum(axis=2) / length_squared, 0.0, 1.0)
    nearest = start[None] + share[:, :, None] * along[None]
    away = points[:, None, :] - nearest
    distances: NDArray[np.float64] = np.linalg.norm(away, axis=2).min(axis=1)
    return distances


def _arc(
    centre: tuple[float, float], radii: tuple[float, float], from_deg: float, to_deg: float
) -> list[tuple[float, float]]:
    """Clockwise on the screen: 0 is right, 90 down, 180 left, 270 up."""
    n = max(2, round(abs(to_deg - from_deg) / _STEP_DEG))
    angles = np.radians(np.linspace(from_deg, to_deg, n))
    return [
        (centre[0] + radii[0] * float(np.cos(angle)), centre[1] + radii[1] * float(np.sin(angle)))
        for angle in angles
    ]


def _six() -> list[list[tuple[float, float]]]:
    ring = _arc((0.0, 0.24), (0.34, 0.36), 0, 360)
    return [ring, [(-0.34, 0.24), (-0.31, -0.06), (-0.19, -0.34), (0.0, -0.52), (0.22, -0.6)]]


def _strokes(digit: str) -> list[list[tuple[float, float]]]:
    match digit:
        case "2":
            return [[*_arc((0.0, -0.27), (0.33, 0.33), 195, 395), (-0.34, 0.6), (0.36, 0.6)]]
        case "3":
            upper = _arc((-0.02, -0.3), (0.31, 0.3), 205, 450)
            return [upper, _arc((-0.02, 0.28), (0.36, 0.32), 270, 515)]
        case "4":
            return [[(0.16, 0.6), (0.16, -0.6), (-0.38, 0.24), (0.4, 0.24)]]
        case "5":
            bowl = _arc((-0.02, 0.21), (0.36, 0.39), 230, 510)
            return [[(0.32, -0.6), (-0.24, -0.6), (-0.27, -0.09), *bowl]]
        case "6":
            return _six()
        case "7":
            return [[(-0.35, -0.6), (0.35, -0.6), (-0.1, 0.6)]]
        case "8":
            upper = _arc((0.0, -0.31), (0.28, 0.29), 0, 360)
            return [upper, _arc((0.0, 0.29), (0.35, 0.31), 0, 360)]
        case _:
            return [[(-x, -y) for x, y in stroke] for stroke in _six()]


@cache
def _segments(digit: str) -> NDArray[np.float64]:
    """(n, 2, 2): each straight piece from its start to its end."""
    pieces = [pair for stroke in _strokes(digit) for pair in zip(stroke, stroke[1:], strict=False)]
    return np.array(pieces, dtype=np.float64)
