"""The learned codec's networks together, and what training asks of them: rate and pixels.

  pixels --analysis--> latent --gain(level, map)--> round(y - mean) --synthesis--> pixels
                                 |                        ^ mean, scale
                                 +--hyper encoder--> z ---+  (entropy_nets)

The quality map steers two gains, the latent's and the hyper-latent's, and is seen by every
network; how strongly is learned per channel and level.
"""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from codecs_eval.codecs.learned.convolutions import ConvolutionAnalysis, ConvolutionSynthesis
from codecs_eval.codecs.learned.entropy_nets import (
    OUTPUT_UNIT,
    HyperDecoder,
    HyperEncoder,
    Parameters,
    around,
    checkerboard,
    seen,
)
from codecs_eval.codecs.learned.quantising import bits_of, index_of, rounded, scale_of
from codecs_eval.codecs.learned.shape import CELL_PX, CodecShape
from codecs_eval.codecs.learned.transforms import BlockAnalysis, BlockSynthesis

# A quantiser of step s errs by s^2 / 12 a coefficient; this much of a bit balances it, as in the
# public ladders of lambda.
_MULTIPLIER = 5.2


@dataclass(frozen=True)
class Coded:
    """`pixels` (n, 3, h, w) unclipped; `bits` (n,) of latent and hyper-latent, estimated;
    `latent_bits` (n, 1, h/stride, w/stride): where they were spent."""

    pixels: Tensor
    bits: Tensor
    latent_bits: Tensor


@dataclass(frozen=True)
class Gains:
    """Factors (n, channels, h, w) of the latent and of the hyper-latent before rounding."""

    latent: Tensor
    hyper: Tensor


class LearnedModel(nn.Module):
    """Networks and gains of one learned codec. Levels are floats from 0 (coarse) to the top."""

    def __init__(self, shape: CodecShape) -> None:
        super().__init__()
        self.shape = shape
        # Training alone may compute the transforms in 16 bits; a codec never does.
        self.is_bf16 = False
        is_blocks = shape.transform == "blocks"
        self.analysis = BlockAnalysis(shape) if is_blocks else ConvolutionAnalysis(shape)
        self.synthesis = BlockSynthesis(shape) if is_blocks else ConvolutionSynthesis(shape)
        self.hyper_encoder = HyperEncoder(shape)
        self.hyper_decoder = HyperDecoder(shape)
        self.parameters_of = nn.ModuleList(Parameters(shape, g) for g in range(len(shape.groups)))
        log_steps = torch.log(torch.tensor(shape.steps_px))
        n_levels, channels, z = len(shape.steps_px), shape.channels, shape.hyper_channels
        self.log_gain = nn.Parameter(-log_steps[:, None].repeat(1, channels))
        # How much finer a channel becomes where the quality map is at its top.
        self.log_tilt = nn.Parameter(torch.zeros(n_levels, channels))
        rise = (log_steps[0] - log_steps) / 2
        self.log_hyper_gain = nn.Parameter(rise[:, None].repeat(1, z))
        self.log_hyper_tilt = nn.Parameter(torch.zeros(n_levels, z))
        # The hyper-latent's own distribution: a Gaussian per channel and level around its mean.
        self.hyper_mean = nn.Parameter(torch.zeros(z))
        self.hyper_index = nn.Parameter(index_of(torch.ones(n_levels, z)) / OUTPUT_UNIT)

    @property
    def groups(self) -> list[Parameters]:
        """The parameter networks in the order of coding."""
        return [cast(Parameters, parameters) for parameters in self.parameters_of]

    def gains(self, level: Tensor, quality_map: Tensor) -> Gains:
        """`level` (n,); `quality_map` (n, 1, h, w) in 0..1, one value a cell."""
        cells = quality_map
        per_cell = CELL_PX // self.shape.stride_px
        fine = F.interpolate(cells, scale_factor=float(per_cell))
        return Gains(
            _steered(_at(self.log_gain, level), _at(self.log_tilt, level), fine),
            _steered(_at(self.log_hyper_gain, level), _at(self.log_hyper_tilt, level), cells),
        )

    def multiplier(self, level: Tensor) -> Tensor:
        """Bits per pixel that a squared error of 1 (0..255, mean over R, G, B) is worth (n,)."""
        steps = torch.log(torch.tensor(self.shape.steps_px, device=level.device))
        below = level.floor().clamp(0, len(steps) - 2).long()
        return _MULTIPLIER * torch.exp(
            -2 * torch.lerp(steps[below], steps[below + 1], level - below)
        )

    def conditions(self, level: Tensor, quality_map: Tensor) -> tuple[Tensor, Tensor]:
        """What networks see of the settings: (n, 2, h, w) at cells, and at latent positions."""
        share = (level / self.shape.top_level)[:, None, None, None].expand_as(quality_map)
        cells = torch.cat([share, quality_map], 1)
        per_cell = CELL_PX // self.shape.stride_px
        return cells, F.interpolate(cells, scale_factor=float(per_cell))

    def forward(self, pixels: Tensor, level: Tensor, quality_map: Tensor) -> Coded:
        """`pixels` (n, 3, h, w) in 0..255, sides multiples of CELL_PX.

        Bits are those of rounded symbols: noise in their place, as the literature has it, costs
        a tenth of a bit for every symbol that is 0, and here most are.
        """
        gains = self.gains(level, quality_map)
        cells, fine = self.conditions(level, quality_map)
        with self._precision(pixels):
            whole = self.analysis(pixels, fine)
        y = whole.float() * gains.latent
        z = self.hyper_encoder(rounded(y), fine) * gains.hyper - self.hyper_mean[:, None, None]
        z_bits = bits_of(rounded(z), scale_of(_at(self.hyper_index, level) * OUTPUT_UNIT))
        features = self.hyper_decoder(rounded(z), cells)
        decoded, bits = self._latent(y, features, fine)
        with self._precision(pixels):
            pixels_out = self.synthesis(decoded / gains.latent, fine)
        total = bits.sum((1, 2, 3)) + z_bits.sum((1, 2, 3))
        return Coded(pixels_out.float(), total, bits)

    def _precision(self, pixels: Tensor) -> torch.autocast:
        return torch.autocast(pixels.device.type, torch.bfloat16, enabled=self.is_bf16)

    def _latent(self, y: Tensor, features: Tensor, fine: Tensor) -> tuple[Tensor, Tensor]:
        """The decoded latent, and the bits of each position (n, 1, h, w)."""
        first = checkerboard(y.shape[2], y.shape[3], y.device)
        decoded: list[Tensor] = []
        bits = y.new_zeros(y.shape[0], 1, *y.shape[2:])
        start = 0
        for parameters in self.groups:
            own = y[:, start : start + parameters.channels]
            start += parameters.channels
            before = seen(torch.cat(decoded, 1)) if decoded else None
            mean, index = parameters(features, fine, before, None)
            anchors = torch.where(first, rounded(own - mean) + mean, 0.0)
            mean_2, index_2 = parameters(features, fine, before, around(seen(anchors)))
            mean = torch.where(first, mean, mean_2)
            index = torch.where(first, index, index_2)
            bits = bits + bits_of(rounded(own - mean), scale_of(index)).sum(1, keepdim=True)
            decoded.append(rounded(own - mean) + mean)
        return torch.cat(decoded, 1), bits


def _steered(log_gain: Tensor, log_tilt: Tensor, quality_map: Tensor) -> Tensor:
    if not (torch.is_grad_enabled() or quality_map.any()):
        # A codec without a map: the same at every place, no need for an exponential at each.
        return torch.exp(log_gain).expand(-1, -1, *quality_map.shape[2:])
    return torch.exp(log_gain + log_tilt * quality_map)


def _at(table: Tensor, level: Tensor) -> Tensor:
    """Rows of a table (levels, channels) at float levels (n,), as (n, channels, 1, 1)."""
    below = level.detach().floor().clamp(0, table.shape[0] - 2).long()
    share = (level - below)[:, None]
    row = table[below] * (1 - share) + table[below + 1] * share
    return row[:, :, None, None]
