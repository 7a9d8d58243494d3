"""Pooled LPIPS features: one vector per (reference, reconstruction); a metric is its dot product.

Whole images at 1:1, in overlapping tiles when they are large, so that memory stays bounded.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from codecs_eval.metrics.metric import Image, check_images
from codecs_eval.metrics.trunk import Trunk

# A tile's own rows and columns start at a multiple of the deepest tap's stride.
_STRIDE = 16
_SHORTEST = 64
# Pixels that pass the trunk at once: about 1.3 GB at VGG16's first block.
TILE_PX = 1 << 20
# On a CPU larger batches only lose cache locality.
CPU_BATCH_PX = 1 << 17


@dataclass(frozen=True)
class Pooled:
    """`mean` (n, channels): spatial mean of the squared difference s of unit-normalised features.

    `noise` (n, channels) = mean(s^2) / (h w): the variance that dropping map elements with
    p = 0.5 gives to `mean` (None unless asked for).
    """

    mean: Tensor
    noise: Tensor | None


@dataclass(frozen=True)
class _Span:
    """Rows or columns first..last are fed; own..own_end (None: to the end) are counted."""

    first: int
    last: int
    own: int
    own_end: int | None

    @property
    def fed(self) -> slice:
        return slice(self.first, self.last)

    def counted(self, stride: int) -> slice:
        """The counted part of a map that has one row or column every `stride` pixels."""
        start = (self.own - self.first) // stride
        return slice(start, None if self.own_end is None else (self.own_end - self.first) // stride)


def unit(features: Tensor) -> Tensor:
    """Features of length 1 over channels, as lpips: x / (|x| + 1e-10).

    With a gradient, the clamp keeps it finite where all channels are 0; values do not change.
    """
    if not features.requires_grad:
        length: Tensor = torch.linalg.vector_norm(features, dim=1, keepdim=True)
        return features / (length + 1e-10)
    square = features.square().sum(dim=1, keepdim=True)
    return features / (square.clamp_min(1e-20).sqrt() + 1e-10)


def squared_difference(original: Tensor, changed: Tensor) -> Tensor:
    """(original - unit(changed))^2; `original` is of length 1 already, one or as many images."""
    if original.requires_grad or changed.requires_grad:
        return (original - unit(changed)).square()
    # In place: a fresh map of this size costs more than the arithmetic on it.
    return unit(changed).sub_(original).square_()


def to_tensor(images: Sequence[Image], device: torch.device) -> Tensor:
    """uint8 images (height, width, 3) -> (n, 3, height, width) float32 in -1..1."""
    stacked = torch.from_numpy(np.stack(images)).to(device)
    return (stacked.to(torch.float32) / 127.5 - 1.0).permute(0, 3, 1, 2)


def pool(
    trunk: Trunk,
    reference: Image,
    distorted: Sequence[Image],
    with_noise: bool = False,
    tile_px: int = TILE_PX,
    before_pass: Callable[[int], None] | None = None,
) -> Pooled:
    """Pooled differences of each reconstruction; the reference passes the trunk once a tile.

    `before_pass(i)` is called before reconstruction i goes in; it may raise to stop.
    """
    check_images(reference, distorted, trunk.backbone.smallest_px)
    height, width = reference.shape[:2]
    sums = _Sums(trunk, len(distorted), with_noise)
    with torch.no_grad(), exact_float32():
        for rows, columns in _tiles(height, width, tile_px, trunk.backbone.halo_px):
            _add_tile(sums, rows, columns, reference, distorted, before_pass)
    return sums.pooled()


@contextmanager
def exact_float32() -> Iterator[None]:
    """No TF32 in convolutions: its 10-bit mantissa shows in the third digit of a distance."""
    with torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    ):
        yield


class _Sums:
    """Running sums over the tiles of one image, in float64."""

    def __init__(self, trunk: Trunk, n: int, with_noise: bool) -> None:
        self.trunk = trunk
        self.with_noise = with_noise
        widths = trunk.backbone.channels
        self.first = [torch.zeros(n, width, dtype=torch.float64) for width in widths]
        self.second = [torch.zeros(n, width, dtype=torch.float64) for width in widths]
        self.counts = [0] * len(widths)

    def add(self, tap: int, rows: slice, original: Tensor, changed: Tensor) -> None:
        difference = squared_difference(original, changed)
        self.first[tap][rows] += difference.sum(dim=(2, 3)).double().cpu()
        if self.with_noise:
            self.second[tap][rows] += difference.square_().sum(dim=(2, 3)).double().cpu()

    def pooled(self) -> Pooled:
        pairs = list(zip(self.first, self.second, self.counts, strict=True))
        mean = torch.cat([first / count for first, _, count in pairs], dim=1)
        noise = torch.cat([second / count**2 for _, second, count in pairs], dim=1)
        return Pooled(mean.float(), noise.float() if self.with_noise else None)


def _add_tile(
    sums: _Sums,
    rows: _Span,
    columns: _Span,
    reference: Image,
    distorted: Sequence[Image],
    before_pass: Callable[[int], None] | None,
) -> None:
    trunk = sums.trunk
    device = trunk.shift.device
    strides = trunk.backbone.strides
    counted = [(..., rows.counted(stride), columns.counted(stride)) for stride in strides]
    fed = to_tensor([reference[rows.fed, columns.fed]], device)
    originals = [unit(tap[own]) for tap, own in zip(trunk.taps(fed), counted, strict=True)]
    for tap, original in enumerate(originals):
        sums.counts[tap] += original.shape[2] * original.shape[3]
    batch_px = TILE_PX if device.type == "cuda" else CPU_BATCH_PX
    at_once = max(1, batch_px // (fed.shape[2] * fed.shape[3]))
    for start in range(0, len(distorted), at_once):
        if before_pass is not None:
            before_pass(start)
        some = [image[rows.fed, columns.fed] for image in distorted[start : start + at_once]]
        taps = trunk.taps(to_tensor(some, device))
        for tap, (changed, own, original) in enumerate(zip(taps, counted, originals, strict=True)):
            sums.add(tap, slice(start, start + len(some)), original, changed[own])


def _tiles(height: int, width: int, tile_px: int, halo_px: int) -> Iterator[tuple[_Span, _Span]]:
    if height * width <= tile_px:
        yield _Span(0, height, 0, None), _Span(0, width, 0, None)
        return
    side = math.isqrt(tile_px)
    across = _spans(width, side, halo_px)
    broadest = max(span.last - span.first for span in across)
    for rows in _spans(height, tile_px // broadest, halo_px):
        for columns in across:
            yield rows, columns


def _spans(length: int, most: int, halo_px: int) -> list[_Span]:
    """Spans of at most about `most` pixels, halos included, that count every pixel once."""
    if length <= most:
        return [_Span(0, length, 0, None)]
    step = max(_SHORTEST, most - 2 * halo_px) // _STRIDE * _STRIDE
    # The last span is never short: the maps of a trunk end some rows before the image does.
    starts = list(range(0, max(1, length - _SHORTEST), step))
    ends = [*starts[1:], None]
    return [
        _Span(
            max(0, own - halo_px), length if end is None else min(length, end + halo_px), own, end
        )
        for own, end in zip(starts, ends, strict=True)
    ]
