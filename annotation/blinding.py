"""Opaque address -> image bytes that tell nothing of their codec.

A trial's id is random and means something only inside its own session. Every image leaves as
an uncompressed PNG: of one crop size, all files have the same length to the byte.
"""

from annotation.models import Trial
from codecs_eval import storing

SIDES = ("original", "left", "right")


def image_of(trial: Trial, side: str) -> bytes:
    """The PNG shown at a side of the screen. Raises ValueError for an unknown side."""
    if side not in SIDES:
        raise ValueError(f"Found side {side!r}; expected one of {', '.join(SIDES)}.")
    triplet = trial.triplet
    if side == "original":
        path = triplet.source.path
    else:
        is_first = trial.choice_of_side(side) == "first"
        path = (triplet.first if is_first else triplet.second).path
    left, top, right, bottom = triplet.box
    return storing.png_of(storing.read_pixels(path)[top:bottom, left:right], compress_level=0)
