"""LPIPS (Zhang et al. 2018, arXiv 1801.03924): the metric that reports use and training refits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from codecs_eval.metrics.heads import check_heads, official_heads
from codecs_eval.metrics.metric import Image
from codecs_eval.metrics.pooling import CPU_BATCH_PX, pool, squared_difference, unit
from codecs_eval.metrics.trunk import Trunk, backbone
from codecs_eval.weights import load_backbone_state

INPUT_RANGES = ((-1.0, 1.0), (0.0, 1.0), (0.0, 255.0))


@dataclass(frozen=True, eq=False)
class Reference:
    """What a metric keeps of its references, to be scored against many reconstructions.

    `taps`: unit features (n, channels, h, w) of each tapped layer, shallow to deep.
    """

    trunk: Trunk
    shape: tuple[int, ...]
    taps: tuple[Tensor, ...]


class Lpips(nn.Module):
    """LPIPS distance on tensors, differentiable in its inputs; permanently in eval, frozen.

    Called with references and reconstructions, float RGB of shape (n, 3, height, width), it gives
    distances (n,), 0 for identical images and more for less alike ones; with `spatial`, maps
    (n, height, width) as the lpips package makes them. One reference (n = 1) serves any number of
    reconstructions, and `reference` keeps its features from call to call.

    `input_range` says what the caller feeds and is checked at every call: [0, 1] fed to a metric
    that expects [-1, 1] is the commonest mistake with LPIPS and gives 0.3 of the distance.
    """

    def __init__(
        self,
        trunk: Trunk,
        heads: Sequence[Tensor],
        *,
        input_range: tuple[float, float],
        spatial: bool = False,
    ) -> None:
        super().__init__()
        if input_range not in INPUT_RANGES:
            raise ValueError(f"found input range {input_range}; expected one of {INPUT_RANGES}")
        check_heads(heads, trunk.backbone.name)
        self.trunk = trunk
        self.input_range = input_range
        self.spatial = spatial
        self.heads = nn.ParameterList(
            nn.Parameter(head.detach().reshape(-1).clone(), requires_grad=False) for head in heads
        )
        super().train(False)

    def train(self, mode: bool = True) -> "Lpips":
        """Does nothing: a metric has no training mode."""
        return self

    def forward(self, reference: Tensor | Reference, distorted: Tensor) -> Tensor:
        return self.per_layer(reference, distorted).sum(dim=1)

    def reference(self, images: Tensor) -> Reference:
        """Features of references (n, 3, height, width), to be passed in their place."""
        self._check_images(images)
        taps = tuple(unit(tap) for tap in self.trunk.taps(self._centred(images)))
        return Reference(self.trunk, tuple(images.shape), taps)

    def per_layer(self, reference: Tensor | Reference, distorted: Tensor) -> Tensor:
        """What each layer adds: (n, layers), or (n, layers, height, width) where `spatial`."""
        kept = reference if isinstance(reference, Reference) else self.reference(reference)
        self._check_images(distorted)
        self._check_pair(kept, distorted)
        n_at_once = self._at_once(distorted)
        pieces = [
            self._layers(kept, slice(start, start + n_at_once), distorted)
            for start in range(0, len(distorted), n_at_once)
        ]
        return torch.cat(pieces) if len(pieces) > 1 else pieces[0]

    def _layers(self, reference: Reference, rows: slice, distorted: Tensor) -> Tensor:
        size = tuple(distorted.shape[2:])
        layers = []
        taps = self.trunk.taps(self._centred(distorted[rows]))
        for kept, changed, head in zip(reference.taps, taps, self.heads, strict=True):
            original = kept if len(kept) == 1 else kept[rows]
            difference = squared_difference(original, changed)
            if self.spatial:
                weighted = (difference.permute(0, 2, 3, 1) @ head)[:, None]
                # As lpips 0.1.4: corners not aligned.
                layers.append(
                    interpolate(weighted, size=size, mode="bilinear", align_corners=False)[:, 0]
                )
            else:
                layers.append(difference.mean(dim=(2, 3)) @ head)
        return torch.stack(layers, dim=1)

    def _at_once(self, images: Tensor) -> int:
        if images.device.type != "cpu":
            return len(images)
        return max(1, CPU_BATCH_PX // (images.shape[2] * images.shape[3]))

    def _centred(self, images: Tensor) -> Tensor:
        low, high = self.input_range
        return images if low == -1.0 else images * (2.0 / high) - 1.0

    def _check_images(self, images: Tensor) -> None:
        if images.ndim != 4 or images.shape[1] != 3 or not images.is_floating_point():
            raise ValueError(
                f"found {images.dtype} of shape {tuple(images.shape)}; "
                f"expected floats of shape (n, 3, height, width)"
            )
        smallest = self.trunk.backbone.smallest_px
        if len(images) == 0 or min(images.shape[2:]) < smallest:
            raise ValueError(
                f"found {len(images)} images of {images.shape[3]}x{images.shape[2]} px; "
                f"expected one or more of at least {smallest} px on each side"
            )
        low, high = self.input_range
        least, most = (float(value) for value in images.detach().aminmax())
        if not (low <= least and most <= high):
            raise ValueError(
                f"found values from {least:g} to {most:g}; expected {low:g} to {high:g}, the "
                f"input range that this metric was made for"
            )

    def _check_pair(self, reference: Reference, distorted: Tensor) -> None:
        if reference.trunk is not self.trunk:
            raise ValueError("found a reference of another trunk; expected one of this metric's")
        n, *size = reference.shape
        if size != list(distorted.shape[1:]) or n not in (1, len(distorted)):
            raise ValueError(
                f"found a reference of shape {reference.shape} for reconstructions of "
                f"{tuple(distorted.shape)}; expected equal sizes, and one reference or as many"
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
    """The trunk `alex`, `vgg` or `squeeze` on `device`; the GPU where there is one if None."""
    plan = backbone(name)
    trunk = Trunk(name, load_backbone_state(plan.weights, weights(plan.weights)))
    return trunk.to(default_device() if device is None else device)


def default_device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def lpips_alex(weights: Callable[[str], Path]) -> LpipsMetric:
    return LpipsMetric("lpips-alex", load_trunk("alex", weights), official_heads("alex"))


def lpips_vgg(weights: Callable[[str], Path]) -> LpipsMetric:
    return LpipsMetric("lpips-vgg", load_trunk("vgg", weights), official_heads("vgg"))


def lpips_squeeze(weights: Callable[[str], Path]) -> LpipsMetric:
    return LpipsMetric("lpips-squeeze", load_trunk("squeeze", weights), official_heads("squeeze"))
