"""The networks that hand probabilities back: in training floats, in the codec exact integers.

  hyper-latent z --HyperDecoder--> features --+
  coded part of the latent --context----------+--Parameters--> mean and scale index per symbol

Each group of channels is coded in two passes over a checkerboard: the second sees its four
neighbours from the first (He et al. 2021, arXiv 2103.15306), and every group sees those before it.
"""

import math
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from codecs_eval.codecs.learned.quantising import magnitude
from codecs_eval.codecs.learned.shape import CodecShape
from codecs_eval.codecs.learned.transforms import N_CONDITIONS, SLOPE

# What an output of 1 means, in steps of a mean and in scale indexes: a learned number moves by
# about the learning rate a step, and a scale of half the size is six indexes away.
OUTPUT_UNIT = 8


_LOUD = 2.0


class Arithmetic(Protocol):
    """How a network's layers are computed: in floats, or exactly in fixed point."""

    def linear(self, layer: nn.Module, x: Tensor) -> Tensor: ...

    def leaky(self, x: Tensor) -> Tensor: ...

    def magnitude(self, x: Tensor) -> Tensor: ...


class Floats:
    """Plain float arithmetic, for training."""

    def linear(self, layer: nn.Module, x: Tensor) -> Tensor:
        out: Tensor = layer(x)
        return out

    def leaky(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x, SLOPE)

    def magnitude(self, x: Tensor) -> Tensor:
        return magnitude(x)


FLOATS = Floats()


class HyperEncoder(nn.Module):
    """Rounded latent -> hyper-latent, 1/32 of the image, before its gain; for encoders alone."""

    def __init__(self, shape: CodecShape) -> None:
        super().__init__()
        width = 2 * shape.hyper_width
        n_strides = {8: 2, 16: 1}[shape.stride_px]
        self.first = nn.Conv2d(shape.channels + N_CONDITIONS, width, 1)
        self.strided = nn.ModuleList(
            nn.Conv2d(width, width, 5, stride=2, padding=2) for _ in range(n_strides)
        )
        self.last = nn.Conv2d(width, shape.hyper_channels, 1)
        # A hyper-latent that rounds to 0 everywhere tells nothing, and learns slowly to.
        nn.init.normal_(self.last.weight, std=_LOUD / math.sqrt(width))

    def forward(self, latent: Tensor, conditions: Tensor) -> Tensor:
        x = torch.cat([torch.sign(latent) * magnitude(latent), conditions], 1)
        x = F.leaky_relu(self.first(x), SLOPE)
        for layer in self.strided:
            x = F.leaky_relu(layer(x), SLOPE)
        z: Tensor = self.last(x)
        return z


class HyperDecoder(nn.Module):
    """Hyper-latent (n, z, h, w) -> features (n, hyper_width, h * 32 / stride, ...)."""

    def __init__(self, shape: CodecShape) -> None:
        super().__init__()
        width = shape.hyper_width
        self.first = nn.Conv2d(shape.hyper_channels + N_CONDITIONS, 2 * width, 3, padding=1)
        n_doublings = {8: 2, 16: 1}[shape.stride_px]
        self.rising = nn.ModuleList(
            nn.Conv2d((2 if i == 0 else 1) * width, 4 * width, 1) for i in range(n_doublings)
        )
        self.around = nn.ModuleList(
            nn.Conv2d(width, width, 3, padding=1) for _ in range(n_doublings - 1)
        )

    def forward(self, z: Tensor, conditions: Tensor, how: Arithmetic = FLOATS) -> Tensor:
        x = how.leaky(how.linear(self.first, torch.cat([z, conditions], 1)))
        for index, layer in enumerate(self.rising):
            x = how.leaky(F.pixel_shuffle(how.linear(layer, x), 2))
            if index < len(self.around):
                x = how.leaky(how.linear(self.around[index], x))
        return x


class Parameters(nn.Module):
    """Mean and scale index of one group's channels, from features, earlier groups, neighbours."""

    def __init__(self, shape: CodecShape, group: int) -> None:
        super().__init__()
        own, before = shape.groups[group], sum(shape.groups[:group])
        width = shape.entropy_width
        self.channels = own
        self.features = nn.Conv2d(shape.hyper_width + N_CONDITIONS + 2 * before, width, 1)
        # Over the four neighbours: up, down, left, right of each position, stacked as channels.
        self.neighbours = nn.Conv2d(8 * own, width, 1, bias=False)
        self.hidden = nn.Conv2d(width, width, 1)
        self.outward = nn.Conv2d(width, 2 * own, 1)
        # Straight ways around the network: the level alone says most of a scale, the neighbours'
        # values most of a mean.
        self.direct = nn.Conv2d(N_CONDITIONS, own, 1, bias=False)
        self.straight = nn.Conv2d(8 * own, own, 1, bias=False)
        for layer in (self.outward, self.direct, self.straight):
            nn.init.zeros_(layer.weight)
        nn.init.zeros_(self.outward.bias)  # type: ignore[arg-type]

    def forward(
        self,
        features: Tensor,
        conditions: Tensor,
        before: Tensor | None,
        neighbours: Tensor | None,
        how: Arithmetic = FLOATS,
    ) -> tuple[Tensor, Tensor]:
        """`before`, `neighbours`: as `seen` gives them; None where nothing is known yet."""
        known = [features, conditions] if before is None else [features, conditions, before]
        x = how.linear(self.features, torch.cat(known, 1))
        if neighbours is not None:
            x = x + how.linear(self.neighbours, neighbours)
        x = how.leaky(how.linear(self.hidden, how.leaky(x)))
        out = how.linear(self.outward, x) * OUTPUT_UNIT
        mean, index = out[:, : self.channels], out[:, self.channels :]
        if neighbours is not None:
            mean = mean + how.linear(self.straight, neighbours)
        return mean, index + how.linear(self.direct, conditions) * OUTPUT_UNIT


def seen(latent: Tensor, how: Arithmetic = FLOATS) -> Tensor:
    """What a context network sees of symbols: their values, and how large they are."""
    return torch.cat([latent, how.magnitude(latent)], 1)


def around(x: Tensor) -> Tensor:
    """(n, c, h, w) -> (n, 4c, h, w): the values up, down, left and right of each position."""
    wide = F.pad(x, (1, 1, 1, 1))
    middle = slice(1, -1)
    return torch.cat(
        [
            wide[:, :, :-2, middle],
            wide[:, :, 2:, middle],
            wide[:, :, middle, :-2],
            wide[:, :, middle, 2:],
        ],
        1,
    )


def checkerboard(height: int, width: int, device: torch.device) -> Tensor:
    """(height, width) booleans: the positions of the first pass, the upper left one among them."""
    rows = torch.arange(height, device=device)[:, None]
    return (rows + torch.arange(width, device=device)[None, :]) % 2 == 0
