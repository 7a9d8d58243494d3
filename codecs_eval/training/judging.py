"""Two distances -> logit that the second image is the closer one; antisymmetric by construction.

Swapping the images turns p into 1 - p: which side an image stood on carries no information.
"""

import math

import torch
from torch import Tensor, nn


class LogisticHead(nn.Module):
    """logit = a (d_first - d_second), a > 0, begun at the a that fits the given distances best."""

    unit: Tensor

    def __init__(self, difference: Tensor, share_second: Tensor, weight: Tensor) -> None:
        super().__init__()
        self.register_buffer("unit", difference.abs().mean().clamp_min(1e-12))
        slope = _best_slope(difference / self.unit, share_second, weight)
        self.log_slope = nn.Parameter(torch.tensor(math.log(slope)))

    def forward(self, d_first: Tensor, d_second: Tensor) -> Tensor:
        return self.log_slope.exp() * (d_first - d_second) / self.unit


class ReferenceHead(nn.Module):
    """Dist2LogitLayer of richzhang/PerceptualSimilarity, averaged over both orders of the images.

    5 -> 32 -> 32 -> 1 with LeakyReLU 0.2; the original, of one order, gave p(d, d) of 0.40 to
    0.58 after training.
    """

    def __init__(self, generator: torch.Generator) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(5, 32),
            nn.LeakyReLU(0.2),
            nn.Linear(32, 32),
            nn.LeakyReLU(0.2),
            nn.Linear(32, 1),
        )
        for parameter_name, parameter in self.layers.named_parameters():
            # torch's own start for a layer, drawn from our seed.
            fan_in = 5 if parameter_name.startswith("0.") else 32
            with torch.no_grad():
                parameter.uniform_(-(fan_in**-0.5), fan_in**-0.5, generator=generator)

    def forward(self, d_first: Tensor, d_second: Tensor) -> Tensor:
        return 0.5 * (self._one_order(d_first, d_second) - self._one_order(d_second, d_first))

    def _one_order(self, d0: Tensor, d1: Tensor) -> Tensor:
        parts = (d0, d1, d0 - d1, d0 / (d1 + 0.1), d1 / (d0 + 0.1))
        logit: Tensor = self.layers(torch.stack(parts, dim=1)).squeeze(1)
        return logit


def _best_slope(difference: Tensor, share: Tensor, weight: Tensor) -> float:
    """Newton's method on the one-parameter logistic likelihood; 1 where it has no maximum > 0."""
    x, h, w = difference.double(), share.double(), weight.double()
    slope = 0.0
    for _ in range(50):
        p = torch.sigmoid(slope * x)
        gradient = float((w * x * (h - p)).sum())
        curvature = float((w * x * x * p * (1 - p)).sum())
        if curvature < 1e-12:
            return 1.0
        step = gradient / curvature
        # Damped: separable votes would send the slope to infinity.
        slope += max(-2.0, min(2.0, step))
        if abs(step) < 1e-9 or slope > 50.0:
            break
    return min(slope, 50.0) if slope > 0.0 else 1.0
