"""Masks as COCO writes them: polygons, run lengths, compressed run lengths; one form inside."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from faster_coco_eval.core import mask as coco_mask
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Box = tuple[float, float, float, float]  # left, top, width, height in pixels


@dataclass(frozen=True)
class Rle:
    """A mask as COCO's compressed run lengths, column by column, beginning with background."""

    height: int
    width: int
    counts: str

    def to_coco(self) -> dict[str, Any]:
        return {"size": [self.height, self.width], "counts": self.counts}


def rle_of(mask: Mask) -> Rle:
    """(height, width) booleans -> run lengths."""
    packed = coco_mask.encode(np.asfortranarray(mask, dtype=np.uint8))
    return _packed(packed)


def mask_of(rle: Rle) -> Mask:
    """Run lengths -> (height, width) booleans."""
    return np.asarray(coco_mask.decode(rle.to_coco()), dtype=bool)


def joined(*rles: Rle) -> Rle:
    """Pixels of any."""
    return _packed(coco_mask.merge([rle.to_coco() for rle in rles], 0))


def common(*rles: Rle) -> Rle:
    """Pixels of all."""
    return _packed(coco_mask.merge([rle.to_coco() for rle in rles], 1))


def area_of(rle: Rle) -> float:
    return float(coco_mask.area(rle.to_coco()))


def box_of(rle: Rle) -> Box:
    left, top, width, height = (float(value) for value in coco_mask.toBbox(rle.to_coco()))
    return left, top, width, height


def rle_from_coco(segmentation: Any, height: int, width: int, where: str) -> Rle | None:
    """Any of COCO's three forms -> one mask; None for an empty one. Polygons of one or two
    corners, which annotation tools leave behind, are passed over.

    Raises ValueError naming `where` for what is none of them or has another size.
    """
    if segmentation is None or segmentation == [] or segmentation == {}:
        return None
    if isinstance(segmentation, Mapping):
        return _from_runs(segmentation, height, width, where)
    if not isinstance(segmentation, Sequence) or isinstance(segmentation, str):
        raise ValueError(
            f"{where}: found a segmentation of type {type(segmentation).__name__}, expected "
            "polygons or run lengths"
        )
    rings = [ring for ring in (_ring(each, where) for each in segmentation) if len(ring) >= 6]
    if not rings:
        return None
    return _packed(coco_mask.merge(coco_mask.frPyObjects(rings, height, width)))


def halved(rle: Rle) -> Rle | None:
    """The mask of a photo shrunk by two: set where at least half of 2x2 is; None if empty then."""
    mask = mask_of(rle)[: rle.height // 2 * 2, : rle.width // 2 * 2]
    rows, columns = (side // 2 for side in mask.shape)
    small = mask.reshape(rows, 2, columns, 2).sum(axis=(1, 3)) >= 2
    return rle_of(small) if small.any() else None


def _ring(ring: Any, where: str) -> list[float]:
    """One polygon: x, y, x, y, ...; of fewer than three corners it encloses nothing."""
    is_list = isinstance(ring, Sequence) and not isinstance(ring, str)
    if not is_list or len(ring) % 2:
        found = f"{len(ring)} numbers" if is_list else type(ring).__name__
        raise ValueError(f"{where}: found a polygon of {found}, expected pairs of x, y")
    if not all(isinstance(value, int | float) and math.isfinite(value) for value in ring):
        raise ValueError(f"{where}: found a polygon with a corner that is no number")
    return [float(value) for value in ring]


def _from_runs(found: Mapping[str, Any], height: int, width: int, where: str) -> Rle:
    counts, size = found.get("counts"), found.get("size")
    if list(size or []) != [height, width]:
        raise ValueError(
            f"{where}: found run lengths of size {size}, expected [{height}, {width}] "
            "(height, width) as its image has"
        )
    if isinstance(counts, bytes):
        counts = counts.decode("ascii")
    if isinstance(counts, str):
        rle = Rle(height, width, counts)
        n_pixels = _n_pixels(counts)
    elif isinstance(counts, Sequence) and all(isinstance(n, int) and n >= 0 for n in counts):
        n_pixels = sum(counts)
        rle = None
    else:
        raise ValueError(f"{where}: found run lengths without counts, expected numbers or a text")
    # The C code behind decoding trusts the sum; we do not.
    if n_pixels != height * width:
        raise ValueError(
            f"{where}: found run lengths of {n_pixels} pixels in all, expected {height * width}"
        )
    if rle is not None:
        return rle
    packed = coco_mask.frPyObjects({"counts": list(counts), "size": [height, width]}, height, width)
    return _packed(packed)


def _n_pixels(counts: str) -> int:
    """Pixels that compressed run lengths cover; -1 where the text is none.

    Five bits a character, lowest first; from the third run on, each is a difference to the one
    before the last (rleFrString of the COCO API).
    """
    runs: list[int] = []
    at = 0
    while at < len(counts):
        value, shift, more = 0, 0, True
        while more:
            if at >= len(counts):
                return -1
            code = ord(counts[at]) - 48
            if not 0 <= code < 64:
                return -1
            value |= (code & 0x1F) << shift
            more = bool(code & 0x20)
            shift += 5
            at += 1
            if not more and code & 0x10:
                value |= -1 << shift
        if len(runs) > 2:
            value += runs[-2]
        if value < 0:
            return -1
        runs.append(value)
    return sum(runs)


def _packed(found: Mapping[str, Any]) -> Rle:
    counts = found["counts"]
    text = counts.decode("ascii") if isinstance(counts, bytes) else str(counts)
    height, width = (int(side) for side in found["size"])
    return Rle(height, width, text)
