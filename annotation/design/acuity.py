"""How fine a detail a person sees on their screen: Landolt rings of decreasing size.

logMAR: log10 of the gap in minutes of arc; 0.0 is 20/20, larger is worse. A screening on an
unknown screen at a stated distance, not a medical test.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

CARD_MM = (85.60, 53.98)  # ISO/IEC 7810 ID-1: bank cards, licences
DIRECTIONS = ("right", "down", "left", "up")
NOT_SEEN = ""
RINGS_A_SIZE = 3
RIGHT_A_SIZE = 2
LARGEST_LOGMAR = 0.8
SMALLEST_LOGMAR = -0.2
# A finer gap is not drawn but blurred.
SMALLEST_GAP_PX = 1.0


@dataclass(frozen=True)
class Acuity:
    """The smallest size read, in logMAR (None: not even the largest), and each size's hits.

    is_limit_of_screen: every size was read; the eye may be better than the screen can tell.
    """

    logmar: float | None
    n_right: tuple[int, ...]
    is_limit_of_screen: bool


def pixels_per_degree(pixels_per_mm: float, distance_mm: float) -> float:
    """Of the visual field, around the middle of the screen: 2 d tan(0.5 deg) pixels_per_mm."""
    for name, value in (("pixels per mm", pixels_per_mm), ("distance in mm", distance_mm)):
        if not value > 0:
            raise ValueError(f"Found {value} {name}; expected more than 0.")
    return 2 * distance_mm * math.tan(math.radians(0.5)) * pixels_per_mm


def gap_px(logmar: float, px_per_degree: float) -> float:
    """The gap of a ring in pixels; the ring is five gaps wide, its line one (ISO 8596)."""
    return float(10**logmar * px_per_degree / 60)


def sizes_for(px_per_degree: float) -> tuple[float, ...]:
    """The sizes to show, in logMAR, from the largest in steps of 0.1 to the screen's finest."""
    sizes = [
        step / 10
        for step in range(round(10 * LARGEST_LOGMAR), round(10 * SMALLEST_LOGMAR) - 1, -1)
        if gap_px(step / 10, px_per_degree) >= SMALLEST_GAP_PX
    ]
    return tuple(sizes) or (LARGEST_LOGMAR,)


def directions_for(seed: int, n_sizes: int) -> tuple[str, ...]:
    """Where each ring is open, RINGS_A_SIZE for each size; a size shows no direction twice."""
    rng = random.Random(f"{seed}:rings")
    found: list[str] = []
    for _ in range(n_sizes):
        found += rng.sample(DIRECTIONS, RINGS_A_SIZE)
    return tuple(found)


def read_rings(seed: int, sizes: Sequence[float], answers: Sequence[str]) -> Acuity:
    """Judge the answers: one a ring, a direction or NOT_SEEN; those left out are not seen.

    A size is read with RIGHT_A_SIZE of its RINGS_A_SIZE rings right (by chance 16 %), and only
    where every larger size was. Raises ValueError for more answers than rings.
    """
    right = directions_for(seed, len(sizes))
    if len(answers) > len(right):
        raise ValueError(f"Found {len(answers)} answers to the rings; expected {len(right)}.")
    hits = [found == answer for found, answer in zip(right, answers, strict=False)]
    starts = range(0, len(right), RINGS_A_SIZE)
    n_right = tuple(sum(hits[start : start + RINGS_A_SIZE]) for start in starts)
    n_read = next(
        (index for index, n in enumerate(n_right) if n < RIGHT_A_SIZE),
        len(n_right),
    )
    return Acuity(
        logmar=sizes[n_read - 1] if n_read else None,
        n_right=n_right,
        is_limit_of_screen=n_read == len(sizes),
    )
