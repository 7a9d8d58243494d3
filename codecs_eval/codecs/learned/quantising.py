"""Rounding that lets gradients pass, and the table of scales that symbols are coded with."""

import math
from typing import Any

import torch
from torch import Tensor

# Scales of the Gaussians that code the latent, in quantiser steps: geometric, as in Ballé et al.
# 2018 (arXiv 1802.01436).
N_SCALES = 64
SMALLEST_SCALE = 0.11
LARGEST_SCALE = 256.0
SCALE_RATIO_LOG = math.log(LARGEST_SCALE / SMALLEST_SCALE) / (N_SCALES - 1)
# A symbol of such a small scale is other than 0 once in 3,000 times: it is 0, and is not coded.
N_SKIPPED_SCALES = 3
_SMALLEST_LIKELIHOOD = 1e-9


def rounded(values: Tensor) -> Tensor:
    """Nearest integers, with the gradient of the identity (straight through)."""
    return values + (torch.round(values) - values).detach()


class _Held(torch.autograd.Function):
    """Values held within bounds; a gradient passes inside, and outside where it leads back."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, low: float, high: float) -> Tensor:
        ctx.save_for_backward(values)
        ctx.bounds = (low, high)
        return values.clamp(low, high)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        [values], (low, high), [gradient] = ctx.saved_tensors, ctx.bounds, gradients
        leads_away = ((values < low) & (gradient > 0)) | ((values > high) & (gradient < 0))
        return gradient.masked_fill(leads_away, 0.0), None, None


def scale_of(index: Tensor) -> Tensor:
    """Scale of a position in the table, which need not be whole; beyond the ends it stays there."""
    inside: Tensor = _Held.apply(index, 0.0, N_SCALES - 1.0)
    return SMALLEST_SCALE * torch.exp(inside * SCALE_RATIO_LOG)


def index_of(scale: Tensor) -> Tensor:
    """Position in the table of scales, not rounded."""
    return torch.log(scale / SMALLEST_SCALE) / SCALE_RATIO_LOG


def bits_of(values: Tensor, scale: Tensor) -> Tensor:
    """Bits of values around 0 under a Gaussian integrated over steps of 1."""
    above = _cumulative((0.5 - values.abs()) / scale)
    below = _cumulative((-0.5 - values.abs()) / scale)
    likelihood: Tensor = _Held.apply(above - below, _SMALLEST_LIKELIHOOD, 1.0)
    return -torch.log2(likelihood)


def _cumulative(values: Tensor) -> Tensor:
    return 0.5 * torch.erfc(-values * math.sqrt(0.5))


def magnitude(values: Tensor) -> Tensor:
    """log2(1 + |values|), linear between powers of two, so that integers can follow it exactly."""
    grown = values.abs() + 1
    octave = torch.frexp(grown.detach())[1] - 1
    return octave + torch.ldexp(grown, -octave) - 1
