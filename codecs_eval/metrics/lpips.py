"""LPIPS (Zhang et al. 2018, arXiv 1801.03924): the metric that reports use and training refits."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from codecs_eval.metrics.heads import check_heads, official_heads
from codecs_eval.metrics.metric import Image
from codecs_eval.metrics.pooling import pool, unit
from codecs_eval.metrics.trunk import Trunk, backbone
from codecs_eval.weights import load_backbone_state

INPUT_RANGES = ((-1.0, 1.0), (0.0, 1.0), (0.0, 255.0))


class Lpips(nn.Module):
    """LPIPS distance on tensors, differentiable in its inputs; permanently in eval, frozen.

    `input_range` says what the caller feeds and is checked at every call: [0, 1] fed to a metric
    that expects [-1, 1] is the commonest mistake with LPIPS and gives 0.3 of the distance.
    """

    def __init__(
        self, trunk: Trunk, heads: Sequence[Tensor], *, input_range: tuple[float, float]
    ) -> None:
        super().__init__()
        if input_range not in INPUT_RANGES:
            raise ValueError(f"found input range {input_range}; expected one of {INPUT_RANGES}")
        check_heads(heads, trunk.backbone.name)
        self.trunk = trunk
        self.input_range = input_range
        self.heads = nn.ParameterList(
            nn.Parameter(head.detach().clone(), requires_grad=False) for head in heads
        )
        super().train(False)

    def train(self, mode: bool = True) -> "Lpips":
        """Does nothing: a metric has no training mode."""
        return self

    def forward(self, reference: Tensor, distorted: Tensor) -> Tensor:
        """Distances (n,) of (n, 3, height, width) pairs; a reference of n = 1 serves all."""
        self._check(reference, distorted)
        originals = [unit(tap) for tap in self.trunk.taps(self._centred(reference))]
        total = torch.zeros(len(distorted), device=distorted.device)
        taps = self.trunk.taps(self._centred(distorted))
        for original, changed, head in zip(originals, taps, self.heads, strict=True):
            difference = (original - unit(changed)).square().mean(dim=(2, 3))
            total = total + difference @ head
        return total

    def _centred(self, images: Tensor) -> Tensor:
        low, high = self.input_range
        return images if low == -1.0 else images * (2.0 / high) - 1.0

    def _check(self, reference: Tensor, distorted: Tensor) -> None:
        low, high = self.input_range
        smallest = self.trunk.backbone.smallest_px
        for images in (reference, distorted):
            if images.ndim != 4 or images.shape[1] != 3 or not images.is_floating_point():
                raise ValueError(
                    f"found {images.dtype} of shape {tuple(images.shape)}; "
                    f"expected floats of shape (n, 3, height, width)"
                )
            found = (float(images.detach().min()), float(images.detach().max()))
            if not (low <= found[0] and found[1] <= high):
                raise ValueError(f"found values in {found}; expected {low:g} to {high:g}")
        if reference.shape[2:] != distorted.shape[2:] or len(reference) not in (1, len(distorted)):
            raise ValueError(
                f"found a reference of shape {tuple(reference.shape)} for reconstructions of "
                f"{tuple(distorted.shape)}; expected equal sizes"
            )
        if min(distorted.shape[2:]) < smallest:
            raise ValueError(
                f"found images of {distorted.shape[3]}x{distorted.shape[2]} px; "
                f"expected at least {smallest} px on each side"
            )


class LpipsMetric:
    """LPIPS of whole 8-bit images at 1:1, the reference's features shared; lower is better."""

    higher_is_better = False

    def __init__(self, name: str, trunk: Trunk, heads: Sequence[Tensor]) -> None:
        check_heads(heads, trunk.backbone.name)
        self.name = name
        self.trunk = trunk
        self.weights = torch.cat([head.reshape(-1) for head in heads]).cpu()

    def scores(self, reference: Image, distorted: Sequence[Image]) -> list[float]:
        pooled = pool(self.trunk, reference, distorted)
        return [float(value) for value in distances(pooled.mean, self.weights)]


def distances(pooled: Tensor, weights: Tensor) -> Tensor:
    """LPIPS from pooled vectors (n, channels) and concatenated heads (channels,)."""
    return pooled.double() @ weights.double()


def load_trunk(
    name: str, weights: Callable[[str], Path], device: torch.device | None = None
) -> Trunk:
    """The trunk of backbone `alex` or `vgg` on `device`; the GPU where there is one if None."""
    plan = backbone(name)
    trunk = Trunk(name, load_backbone_state(plan.weights, weights(plan.weights)))
    return trunk.to(default_device() if device is None else device)


def default_device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def lpips_alex(weights: Callable[[str], Path]) -> LpipsMetric:
    return LpipsMetric("lpips-alex", load_trunk("alex", weights), official_heads("alex"))


def lpips_vgg(weights: Callable[[str], Path]) -> LpipsMetric:
    return LpipsMetric("lpips-vgg", load_trunk("vgg", weights), official_heads("vgg"))
