"""Opaque address -> image bytes that tell nothing of their codec, after a time that tells nothing.

A trial's id is random and means something only inside its own session. Every image leaves as
an uncompressed PNG: of one crop size, all files have the same length to the byte.
"""

import math
import struct
import threading
import time
import zlib
from collections import OrderedDict
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from annotation.models import Trial
from codecs_eval import storing

SIDES = ("original", "left", "right")

# A stored file decodes the faster the more its codec smoothed it: 6 ms for JPEG at 0.23 bpp, 9 to
# 11 ms for others, of 768 x 512. Steps far longer than that leave nothing to read from the time.
STEP_S = 0.05
# Larger photos take longer; a photo and its copies are of one size, so of one step.
PIXELS_OF_A_STEP = 500_000
# In each web process: some 600 crops of 384 x 384.
KEPT_BYTES = 256 * 2**20


class _Kept:
    """The images asked for last, up to a number of bytes: most are asked for many times."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._n_bytes = 0
        self._images: OrderedDict[object, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: object, make: Callable[[], bytes]) -> bytes:
        with self._lock:
            if key in self._images:
                self._images.move_to_end(key)
                return self._images[key]
        image = make()
        with self._lock:
            if key not in self._images:
                self._images[key] = image
                self._n_bytes += len(image)
            while self._n_bytes > self._most_bytes:
                self._n_bytes -= len(self._images.popitem(last=False)[1])
        return image


_KEPT = _Kept(KEPT_BYTES)


def image_of(trial: Trial, side: str) -> bytes:
    """The PNG shown at a side of the screen; it takes a whole number of steps of time.

    Raises ValueError for an unknown side.
    """
    begun_s = time.monotonic()
    image = crop_of(trial, side)
    source = trial.triplet.source
    step_s = STEP_S * math.ceil(source.width * source.height / PIXELS_OF_A_STEP)
    taken_s = time.monotonic() - begun_s
    time.sleep(math.ceil(taken_s / step_s) * step_s - taken_s)
    return image


def crop_of(trial: Trial, side: str) -> bytes:
    """The same PNG as soon as it is made."""
    if side not in SIDES:
        raise ValueError(f"Found side {side!r}; expected one of {', '.join(SIDES)}.")
    triplet = trial.triplet
    if side == "original":
        path = triplet.source.path
    else:
        is_first = trial.choice_of_side(side) == "first"
        path = (triplet.first if is_first else triplet.second).path
    # A path is its content's own: what was cut from it stays right.
    return _KEPT.get((path, triplet.box), lambda: _cut(path, triplet.box))


def _cut(path: str, box: tuple[int, int, int, int]) -> bytes:
    left, top, right, bottom = box
    return _plain_png(storing.read_pixels(path)[top:bottom, left:right])


def _plain_png(image: NDArray[np.uint8]) -> bytes:
    """Pixels as they are, without filters or compression: a writer that chooses takes its time."""
    height, width, _ = image.shape
    rows = np.zeros((height, 1 + 3 * width), dtype=np.uint8)
    rows[:, 1:] = image.reshape(height, 3 * width)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), level=0)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    check = zlib.crc32(data, zlib.crc32(name))
    return b"".join((struct.pack(">I", len(data)), name, data, struct.pack(">I", check)))
