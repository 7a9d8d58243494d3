"""Colour plates of our own making: a digit of dots that some kinds of colour vision do not tell
from the dots around it. A screening, not a medical test.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from annotation.design.digits import DIGITS, distance_to_digit

# Four plates a kind of colour vision, and two that everybody reads who looks.
FAMILIES = ("control", *("protan", "deutan") * 4, "control")
LARGEST_WRONG_SHARE = 0.25
NO_DIGIT = ""
ALL_ANSWERS = (*"0123456789", NO_DIGIT)

# Linear sRGB -> cones L, M, S (Viénot, Brettel and Mollon 1999, after Smith and Pokorny 1975).
LMS_OF_RGB = np.array(
    [
        [17.8824, 43.5161, 4.11935],
        [3.45565, 27.1554, 3.86714],
        [0.0299566, 0.184309, 1.46709],
    ]
)
# The cone that a protanope or a deuteranope lacks: along it two colours differ for others alone.
_CONE = {"protan": 0, "deutan": 1}
_MIDDLE = {"protan": (0.20, 0.155, 0.10), "deutan": (0.22, 0.17, 0.11)}
_CONTROL = {"figure": (0.03, 0.05, 0.32), "ground": (0.40, 0.34, 0.10)}
# Of what the screen can show: at its whole range a weakness, short of a lack, would go unseen.
_CONTRAST = 0.6
# Light and dark dots in both families: brightness alone must not show the digit.
_LIGHTNESS = (0.62, 1.38)
_DOT_RADII = (0.046, 0.037, 0.029, 0.022)
_GAP = 0.008
_STROKE_HALF_WIDTH = 0.125


@dataclass(frozen=True)
class Plate:
    """One plate: its digit, the kind of colour vision that it asks about, and what is drawn.

    dots: (n, 3), x, y and radius in a disc of radius 1, y down; colours: n sRGB colours "#rrggbb".
    """

    digit: str
    family: str
    dots: NDArray[np.float64]
    colours: tuple[str, ...]


@dataclass(frozen=True)
class Seen:
    """How a person read a set of plates; `is_passed` by the plates that ask about colour."""

    n_plates: int
    n_wrong: int
    n_wrong_protan: int
    n_wrong_deutan: int
    n_wrong_control: int

    @property
    def is_passed(self) -> bool:
        return self.n_wrong <= LARGEST_WRONG_SHARE * self.n_plates


def make_plates(seed: int) -> tuple[Plate, ...]:
    """The plates of one person, from a seed; neighbours never show the same digit."""
    rng = np.random.default_rng([seed, len(FAMILIES)])
    return tuple(
        _plate(digit, family, rng) for digit, family in zip(digits_of(seed), FAMILIES, strict=True)
    )


def digits_of(seed: int) -> tuple[str, ...]:
    """The right answers, without drawing a dot."""
    rng = random.Random(f"{seed}:plates")
    digits: list[str] = []
    for _ in FAMILIES:
        digits.append(rng.choice([digit for digit in DIGITS if digits[-1:] != [digit]]))
    return tuple(digits)


def read_plates(seed: int, answers: Sequence[str]) -> Seen:
    """Judge the answers: one a plate, a digit or NO_DIGIT. Raises ValueError for another number."""
    right = digits_of(seed)
    if len(answers) != len(right):
        raise ValueError(f"Found {len(answers)} answers to the plates; expected {len(right)}.")
    wrong = dict.fromkeys(("protan", "deutan", "control"), 0)
    for family, digit, answer in zip(FAMILIES, right, answers, strict=True):
        wrong[family] += answer != digit
    return Seen(
        n_plates=sum(family != "control" for family in FAMILIES),
        n_wrong=wrong["protan"] + wrong["deutan"],
        n_wrong_protan=wrong["protan"],
        n_wrong_deutan=wrong["deutan"],
        n_wrong_control=wrong["control"],
    )


def _plate(digit: str, family: str, rng: np.random.Generator) -> Plate:
    turn = rng.uniform(0, 2 * np.pi)
    turned = _packing().copy()
    x, y = turned[:, 0].copy(), turned[:, 1].copy()
    turned[:, 0] = np.cos(turn) * x - np.sin(turn) * y
    turned[:, 1] = np.sin(turn) * x + np.cos(turn) * y
    dots = turned[rng.permutation(len(turned))]
    is_figure = distance_to_digit(dots[:, :2], digit) <= _STROKE_HALF_WIDTH
    figure, ground = colour_pair(family)
    linear = np.where(is_figure[:, None], figure, ground)
    linear = linear * rng.uniform(*_LIGHTNESS, size=(len(dots), 1))
    return Plate(digit, family, dots, _hex(linear))


@cache
def colour_pair(family: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Linear sRGB of a family's figure and ground, (3,) each, before light and dark.

    protan and deutan: apart along the missing cone's axis alone, to each side of a middle by the
    same share of the room that the screen has there.
    """
    if family == "control":
        return np.array(_CONTROL["figure"]), np.array(_CONTROL["ground"])
    if family not in _CONE:
        raise ValueError(f"Found plate family {family!r}; expected protan, deutan or control.")
    middle = np.array(_MIDDLE[family])
    along = np.linalg.inv(LMS_OF_RGB)[:, _CONE[family]]
    along = along if along[0] > 0 else -along
    lowest, highest = 0.004, 0.98 / _LIGHTNESS[1]
    room = np.where(along > 0, (highest - middle) / along, (lowest - middle) / along)
    back = np.where(along < 0, (highest - middle) / -along, (lowest - middle) / -along)
    ahead, behind = _CONTRAST * float(room.min()), _CONTRAST * float(back.min())
    return middle + ahead * along, middle - behind * along


@cache
def _packing() -> NDArray[np.float64]:
    """(n, 3): dots thrown at random into the disc, large ones first, none touching."""
    rng = np.random.default_rng(1917)
    placed = np.empty((0, 3))
    for radius, n_throws in zip(_DOT_RADII, (900, 1500, 2500, 4000), strict=True):
        distance = (1 - radius) * np.sqrt(rng.random(n_throws))
        angle = rng.uniform(0, 2 * np.pi, n_throws)
        for x, y in zip(distance * np.cos(angle), distance * np.sin(angle), strict=True):
            apart = np.hypot(placed[:, 0] - x, placed[:, 1] - y) - placed[:, 2] - radius
            if (apart >= _GAP).all():
                placed = np.vstack([placed, [x, y, radius]])
    return placed


def _hex(linear: NDArray[np.float64]) -> tuple[str, ...]:
    clipped = np.clip(linear, 0.0, 1.0)
    # sRGB transfer function, IEC 61966-2-1.
    encoded = np.where(clipped <= 0.0031308, 12.92 * clipped, 1.055 * clipped ** (1 / 2.4) - 0.055)
    return tuple("#" + bytes(row).hex() for row in np.round(255 * encoded).astype(np.uint8))
