"""Image to latent and back: in training and in the codec the same float networks.

Only what an entropy decoder depends on must be exact; a last bit here is a last bit of a pixel.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from codecs_eval.codecs.learned.shape import CodecShape

SLOPE = 0.125
# One image's conditions at each position: the level over the top one, the quality map over its top.
N_CONDITIONS = 2
_BLOCK_PX = 8
_SUPPORT_PX = 16
_FILTER_STRIDE_PX = 4


def cosine_kernels() -> Tensor:
    """64 x 8 x 8 orthonormal DCT-II kernels in zigzag order of frequency."""
    at = torch.arange(_BLOCK_PX, dtype=torch.float64)
    rows = torch.cos(math.pi / _BLOCK_PX * (at[None, :] + 0.5) * at[:, None])
    rows *= torch.where(at[:, None] == 0, 1.0, math.sqrt(2.0)) / math.sqrt(_BLOCK_PX)
    order = sorted(
        ((u, v) for u in range(_BLOCK_PX) for v in range(_BLOCK_PX)), key=lambda f: (sum(f), f)
    )
    return torch.stack([torch.outer(rows[u], rows[v]) for u, v in order]).float()


def first_kernels(channels: int) -> Tensor:
    """channels x 3 x 16 x 16: cosines of luma and two chroma planes, each 8x8 block alone.

    The colour planes are orthonormal, so that squared errors of the latent are those of pixels.
    The most energetic of a natural image come first.
    """
    cosines = cosine_kernels()
    luma = torch.tensor([1.0, 1.0, 1.0]) / math.sqrt(3.0)
    warm = torch.tensor([1.0, 0.0, -1.0]) / math.sqrt(2.0)
    green = torch.tensor([1.0, -2.0, 1.0]) / math.sqrt(6.0)
    # In natural photos chroma of a frequency has about as much energy as luma of a higher one.
    ranked = [(f, luma, f) for f in range(64)] + [
        (3.7 * f + 4, plane, f) for f in range(64) for plane in (warm, green)
    ]
    ranked.sort(key=lambda row: row[0])
    kernels = torch.zeros(channels, 3, _SUPPORT_PX, _SUPPORT_PX)
    edge = (_SUPPORT_PX - _BLOCK_PX) // 2
    inner = slice(edge, edge + _BLOCK_PX)
    for channel, (_, plane, frequency) in enumerate(ranked[:channels]):
        kernels[channel, :, inner, inner] = plane[:, None, None] * cosines[frequency]
    return kernels


class Residual(nn.Module):
    """x + a narrow network of x and the conditions; at first it adds nothing."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.inward = nn.Conv2d(channels + N_CONDITIONS, width, 1)
        self.around = nn.Conv2d(width, width, 3, padding=1)
        self.outward = nn.Conv2d(width, channels, 1)
        nn.init.zeros_(self.outward.weight)
        nn.init.zeros_(self.outward.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, conditions: Tensor) -> Tensor:
        inside = F.leaky_relu(self.inward(torch.cat([x, conditions], 1)), SLOPE)
        added: Tensor = self.outward(F.leaky_relu(self.around(inside), SLOPE))
        return x + added


class BlockAnalysis(nn.Module):
    """Pixels (n, 3, h, w) in 0..255 -> latent (n, channels, h/8, w/8) in units of pixel values."""

    spread: Tensor

    def __init__(self, shape: CodecShape) -> None:
        super().__init__()
        self.kernels = nn.Parameter(first_kernels(shape.channels))
        self.blocks = nn.ModuleList(
            Residual(shape.channels, shape.block_width) for _ in range(shape.n_blocks)
        )
        # Standard deviation of each channel over photos, so that the networks see unit variance.
        self.register_buffer("spread", torch.ones(shape.channels))

    def forward(self, pixels: Tensor, conditions: Tensor) -> Tensor:
        spread = self.spread[:, None, None]
        x = F.conv2d(pixels - 128, self.kernels, stride=_BLOCK_PX, padding=4) / spread
        for block in self.blocks:
            x = block(x, conditions)
        return x * spread


def _overlapped(x: Tensor, kernels: Tensor) -> Tensor:
    """The transposed convolution of BlockAnalysis: as matrix products a quarter of its time."""
    n, channels, rows, columns = x.shape
    matrix = kernels.reshape(channels, -1).T.contiguous()
    parts = torch.stack([matrix @ one for one in x.reshape(n, channels, -1)])
    size = (rows * _BLOCK_PX, columns * _BLOCK_PX)
    return F.fold(parts, size, _SUPPORT_PX, stride=_BLOCK_PX, padding=4)


class BlockSynthesis(nn.Module):
    """Latent (n, channels, h/8, w/8) in units of pixel values -> pixels (n, 3, h, w), unclipped."""

    spread: Tensor

    def __init__(self, shape: CodecShape) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            Residual(shape.channels, shape.block_width) for _ in range(shape.n_blocks)
        )
        self.kernels = nn.Parameter(first_kernels(shape.channels))
        self.register_buffer("spread", torch.ones(shape.channels))
        width, pixels = shape.filter_width, 3 * _FILTER_STRIDE_PX**2
        self.first = nn.Conv2d(pixels + N_CONDITIONS, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.last = nn.Conv2d(width, pixels, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def forward(self, latent: Tensor, conditions: Tensor) -> Tensor:
        spread = self.spread[:, None, None]
        x = latent / spread
        for block in self.blocks:
            x = block(x, conditions)
        pixels = _overlapped(x * spread, self.kernels)
        return pixels + self._filtered(pixels, conditions) + 128

    def _filtered(self, pixels: Tensor, conditions: Tensor) -> Tensor:
        small = F.pixel_unshuffle(pixels, _FILTER_STRIDE_PX) / 64
        wide = F.interpolate(conditions, scale_factor=_BLOCK_PX / _FILTER_STRIDE_PX)
        inside = F.leaky_relu(self.first(torch.cat([small, wide], 1)), SLOPE)
        inside = F.leaky_relu(self.second(inside), SLOPE)
        return F.pixel_shuffle(self.last(inside), _FILTER_STRIDE_PX) * 64
