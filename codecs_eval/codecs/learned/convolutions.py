"""The strided transforms of the literature, stride 16, as ELIC has them (He et al. 2022,
arXiv 2203.10886): residual bottlenecks between the strides, attention at 1/4 and 1/16."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from codecs_eval.codecs.learned.shape import CodecShape
from codecs_eval.codecs.learned.transforms import N_CONDITIONS

_STRIDES = 4


class Bottleneck(nn.Module):
    """x + 1x1, 3x3, 1x1 at half the width."""

    def __init__(self, width: int) -> None:
        super().__init__()
        half = width // 2
        self.layers = nn.Sequential(
            nn.Conv2d(width, half, 1),
            nn.ReLU(),
            nn.Conv2d(half, half, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(half, width, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        added: Tensor = self.layers(x)
        return x + added


class Attention(nn.Module):
    """A gate computed from the surroundings (Cheng et al. 2020, simplified attention)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.trunk = nn.Sequential(*(Bottleneck(width) for _ in range(3)))
        gate = [Bottleneck(width) for _ in range(3)]
        self.gate = nn.Sequential(*gate, nn.Conv2d(width, width, 1))

    def forward(self, x: Tensor) -> Tensor:
        added: Tensor = self.trunk(x) * torch.sigmoid(self.gate(x))
        return x + added


def _stage(width: int, n_blocks: int) -> list[nn.Module]:
    return [Bottleneck(width) for _ in range(n_blocks)]


class ConvolutionAnalysis(nn.Module):
    """Pixels (n, 3, h, w) in 0..255 -> latent (n, channels, h/16, w/16)."""

    def __init__(self, shape: CodecShape) -> None:
        super().__init__()
        width, layers = shape.block_width, list[nn.Module]()
        for stage in range(_STRIDES - 1):
            before = 3 if stage == 0 else width
            layers.append(nn.Conv2d(before, width, 5, stride=2, padding=2))
            layers += _stage(width, shape.n_blocks)
            if stage == 1:
                layers.append(Attention(width))
        self.layers = nn.Sequential(*layers)
        self.conditioned = nn.Conv2d(width + N_CONDITIONS, width, 1)
        self.last = nn.Conv2d(width, shape.channels, 5, stride=2, padding=2)
        self.attention = Attention(shape.channels)

    def forward(self, pixels: Tensor, conditions: Tensor) -> Tensor:
        x = self.layers((pixels - 128) / 64)
        wide = F.interpolate(conditions, scale_factor=2.0)
        latent: Tensor = self.attention(self.last(self.conditioned(torch.cat([x, wide], 1))))
        return latent * 64


class ConvolutionSynthesis(nn.Module):
    """Latent (n, channels, h/16, w/16) -> pixels (n, 3, h, w), unclipped."""

    def __init__(self, shape: CodecShape) -> None:
        super().__init__()
        width = shape.block_width
        self.attention = Attention(shape.channels)
        self.conditioned = nn.Conv2d(shape.channels + N_CONDITIONS, shape.channels, 1)
        layers = list[nn.Module]()
        for stage in range(_STRIDES):
            before = shape.channels if stage == 0 else width
            after = 3 if stage == _STRIDES - 1 else width
            layers.append(
                nn.ConvTranspose2d(before, after, 5, stride=2, padding=2, output_padding=1)
            )
            if stage < _STRIDES - 1:
                layers += _stage(width, shape.n_blocks)
            if stage == 1:
                layers.append(Attention(width))
        self.layers = nn.Sequential(*layers)

    def forward(self, latent: Tensor, conditions: Tensor) -> Tensor:
        x = self.conditioned(torch.cat([self.attention(latent / 64), conditions], 1))
        pixels: Tensor = self.layers(x)
        return pixels * 64 + 128
