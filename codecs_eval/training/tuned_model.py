"""Trunk, linear heads and judgment head that learn together: images in, logits out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from codecs_eval.metrics.trunk import Trunk
from codecs_eval.training.crops import Crops

# Inside the root: the gradient of a feature vector's direction stays below 1e5 where the vector
# is near 0; distances move by less than 1e-5 of their value.
_EPSILON = 1e-10
# On a CPU a pass of more pixels only loses cache locality.
_CPU_PASS_PX = 1 << 18


@dataclass(frozen=True)
class Batch:
    """Triplets of one size; every distinct image stands once.

    `references` (r, height, width, 3) and `reconstructions` (p, height, width, 3), uint8, p
    distinct pairs; `reference_of` (p,); `first`, `second` (t,): the pairs of each triplet.
    """

    references: Tensor
    reconstructions: Tensor
    reference_of: Tensor
    first: Tensor
    second: Tensor

    def to(self, device: torch.device) -> "Batch":
        parts = (self.references, self.reconstructions, self.reference_of, self.first, self.second)
        return Batch(*(part.to(device, non_blocking=True) for part in parts))


def make_batch(crops: Crops, triplets: Sequence[tuple[str, str, str]]) -> Batch:
    """From triplets (reference, first, second) of image names."""
    references = list(dict.fromkeys(reference for reference, _, _ in triplets))
    firsts = [(reference, first) for reference, first, _ in triplets]
    seconds = [(reference, second) for reference, _, second in triplets]
    pairs = {pair: row for row, pair in enumerate(dict.fromkeys([*firsts, *seconds]))}
    place = {reference: row for row, reference in enumerate(references)}
    return Batch(
        crops.stack(references),
        crops.stack([image for _, image in pairs]),
        torch.tensor([place[reference] for reference, _ in pairs]),
        torch.tensor([pairs[pair] for pair in firsts]),
        torch.tensor([pairs[pair] for pair in seconds]),
    )


class TunedModel(nn.Module):
    """All of it learns; `heads` (channels,) are kept at 0 or more by whoever steps."""

    def __init__(self, trunk: Trunk, heads: Tensor, judge: nn.Module, *, is_bf16: bool) -> None:
        super().__init__()
        self.trunk = trunk.requires_grad_(True)
        self.heads = nn.Parameter(heads.detach().clone())
        self.judge = judge
        self.is_bf16 = is_bf16

    def forward(self, batch: Batch, noise: Tensor | None) -> Tensor:
        """Logits (t,) that the second image is closer; `noise` (2, t, channels) is normal."""
        mean, variance = self.pooled(batch, with_variance=noise is not None)
        d_first, d_second = (
            _picked(mean, variance, rows, None if noise is None else noise[side]) @ self.heads
            for side, rows in enumerate((batch.first, batch.second))
        )
        logits: Tensor = self.judge(d_first, d_second)
        return logits

    def pooled(self, batch: Batch, *, with_variance: bool) -> tuple[Tensor, Tensor | None]:
        """Per pair and channel the mean squared difference, and the variance of map dropout."""
        means: list[Tensor] = []
        variances: list[Tensor] = []
        originals, changed = self._taps(batch.references), self._taps(batch.reconstructions)
        for original, other in zip(originals, changed, strict=True):
            reference = rows_of(smooth_unit(original.float()), batch.reference_of)
            mean, variance = moments(reference, smooth_unit(other.float()))
            means.append(mean)
            variances.append(variance)
        return torch.cat(means, 1), torch.cat(variances, 1) if with_variance else None

    def _taps(self, images: Tensor) -> list[Tensor]:
        height, width = images.shape[1:3]
        at_once = len(images)
        if images.device.type == "cpu":
            at_once = max(1, _CPU_PASS_PX // (height * width))
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.is_bf16):
            passes = [
                list(self.trunk.taps((part.float() / 127.5 - 1.0).permute(0, 3, 1, 2)))
                for part in torch.split(images, at_once)
            ]
        if len(passes) == 1:
            return passes[0]
        return [torch.cat(maps) for maps in zip(*passes, strict=True)]


# Two gradients by hand: autograd's go over the maps about twice as often, which took as long as
# the convolutions of AlexNet.
class _SmoothUnit(torch.autograd.Function):
    """x -> u = x r, r = 1 / sqrt(|x|^2 + epsilon); dx = r (du - u (u . du))."""

    @staticmethod
    def forward(ctx: Any, features: Tensor) -> Tensor:
        inverse = (features.square().sum(dim=1, keepdim=True) + _EPSILON).rsqrt()
        unit = features * inverse
        ctx.save_for_backward(unit, inverse)
        return unit

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, change: Tensor) -> Tensor:
        unit, inverse = ctx.saved_tensors
        along = (unit * change).sum(dim=1, keepdim=True)
        return torch.addcmul(change, unit, along, value=-1.0).mul_(inverse)


class _Moments(torch.autograd.Function):
    """d = a - b of n points -> means of d^2, and means of d^4 / n.

    dL/da = d (2 / n dL/dmean + 4 / n^2 d^2 dL/dvariance).
    """

    @staticmethod
    def forward(ctx: Any, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        difference = first - second
        ctx.save_for_backward(difference)
        points = difference.shape[2] * difference.shape[3]
        square = difference.square()
        return square.mean(dim=(2, 3)), square.square_().mean(dim=(2, 3)) / points

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
        [difference] = ctx.saved_tensors
        points = difference.shape[2] * difference.shape[3]
        change = difference.square().mul_(variance[:, :, None, None] * (4.0 / points**2))
        change.add_(mean[:, :, None, None] * (2.0 / points)).mul_(difference)
        return change, -change


def moments(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Per map the mean squared difference, and the variance that dropping half of it has."""
    mean, variance = _Moments.apply(first, second)
    return mean, variance


def smooth_unit(features: Tensor) -> Tensor:
    """Features of about length 1 over channels; their gradient is finite where all are 0."""
    unit: Tensor = _SmoothUnit.apply(features)
    return unit


def rows_of(values: Tensor, rows: Tensor) -> Tensor:
    """values[rows], by whichever way sums its gradient in the same order every time."""
    return values[rows] if values.device.type == "cuda" else values.index_select(0, rows)


def _picked(mean: Tensor, variance: Tensor | None, rows: Tensor, noise: Tensor | None) -> Tensor:
    if variance is None or noise is None:
        return rows_of(mean, rows)
    # As in the cached fit: noise of the moments that dropping half of the map has.
    return rows_of(mean, rows) + rows_of((variance + 1e-20).sqrt(), rows) * noise
