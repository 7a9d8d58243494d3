"""A triplet's three pictures as people saw them: small for lists, or to the pixel."""

import io

from PIL import Image

from annotation.models import Triplet
from codecs_eval import storing
from codecs_eval.thumbnails import SIDE_PX, kept

SIDES = ("original", "first", "second")
# Small copies shall not add what codecs did not.
QUALITY = 92


def path_of(triplet: Triplet, side: str) -> str:
    """Where a side's whole picture lies in the store; "" where it came without pictures.

    Raises ValueError for an unknown side.
    """
    if side not in SIDES:
        raise ValueError(f"Found side {side!r}; expected one of {', '.join(SIDES)}.")
    row = triplet.source if side == "original" else getattr(triplet, side)
    return str(row.path)


def has_pictures(triplet: Triplet) -> bool:
    return all(path_of(triplet, side) for side in SIDES) and triplet.crop_width_px > 0


def picture(triplet: Triplet, side: str) -> bytes:
    """The crop that people saw as a lossless PNG; ValueError where there is no picture."""
    return _cropped(path_of(triplet, side), triplet.box)


def small_picture(triplet: Triplet, side: str) -> bytes:
    """The same as a WebP that fits a square of SIDE_PX; never made larger."""
    path = path_of(triplet, side)
    place = "-".join(map(str, triplet.box))
    name = f"{path.rpartition('/')[2].partition('.')[0]}.{place}.{SIDE_PX}.webp"
    return kept(name, lambda: _smaller(_cropped(path, triplet.box)))


def _cropped(path: str, box: tuple[int, int, int, int]) -> bytes:
    left, top, right, bottom = box
    return storing.png_of(storing.read_pixels(path)[top:bottom, left:right])


def _smaller(png: bytes) -> bytes:
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
        small = image.convert("RGB")
        small.thumbnail((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS)
        small.save(buffer, "WEBP", quality=QUALITY)
    return buffer.getvalue()
