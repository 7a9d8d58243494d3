"""DISTS (Ding et al. 2020, arXiv 2004.07728): structure and texture similarity of VGG16 features.

image + 5 maps of VGG16 -> per channel: similarity of means, correlation -> weighted sum
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from codecs_eval.metrics.lpips import load_trunk
from codecs_eval.metrics.metric import Image, check_images
from codecs_eval.metrics.pooling import exact_float32, to_tensor
from codecs_eval.metrics.trunk import Trunk

# Sides of 16 px leave one value in the deepest map, which has no variance.
_SMALLEST_PX = 32
# The statistics are of the whole image: it passes in one piece, 1.3 GB a megapixel.
MOST_PX = 1 << 22
_STABLE = 1e-6


@dataclass(frozen=True, eq=False)
class _Statistics:
    """Of one layer of one image: (channels,) means and variances, (channels, h, w) deviations."""

    mean: Tensor
    variance: Tensor
    deviation: Tensor


class Dists:
    """1 - weighted similarity, whole 8-bit images at 1:1; 0 is identical, lower is better.

    `structure` and `texture`: (channels,) weights of the correlations and of the means, of the
    image's own 3 channels and then of the trunk's; their sum over both is 1.
    """

    name = "dists"
    higher_is_better = False

    def __init__(self, trunk: Trunk, texture: Tensor, structure: Tensor) -> None:
        self.trunk = trunk
        device = trunk.shift.device
        self.channels = (3, *trunk.backbone.channels)
        for weights in (texture, structure):
            if weights.shape != (sum(self.channels),) or float(weights.min()) < 0.0:
                raise ValueError(
                    f"found weights of shape {tuple(weights.shape)}, least "
                    f"{float(weights.min()):g}; expected {sum(self.channels)} of at least 0"
                )
        total = texture.sum() + structure.sum()
        self.texture = (texture / total).to(device)
        self.structure = (structure / total).to(device)

    def scores(self, reference: Image, distorted: Sequence[Image]) -> list[float]:
        check_images(reference, distorted, _SMALLEST_PX)
        if reference.shape[0] * reference.shape[1] > MOST_PX:
            raise ValueError(
                f"found an image of {reference.shape[1]}x{reference.shape[0]} px; DISTS takes at "
                f"most {MOST_PX / 1e6:.1f} megapixels"
            )
        with torch.no_grad(), exact_float32():
            original = list(self._layers(reference))
            return [self._score(original, image) for image in distorted]

    def _score(self, original: list[_Statistics], image: Image) -> float:
        texture, structure = [], []
        for first, second in zip(original, self._layers(image), strict=True):
            texture.append(
                (2.0 * first.mean * second.mean + _STABLE)
                / (first.mean.square() + second.mean.square() + _STABLE)
            )
            covariance = (first.deviation * second.deviation).mean(dim=(1, 2))
            structure.append(
                (2.0 * covariance + _STABLE) / (first.variance + second.variance + _STABLE)
            )
        alike = self.texture @ torch.cat(texture) + self.structure @ torch.cat(structure)
        return max(0.0, 1.0 - float(alike))

    def _layers(self, image: Image) -> Iterator[_Statistics]:
        pixels = to_tensor([image], self.trunk.shift.device)
        # The image's own layer is in 0..1, before ImageNet's normalisation.
        yield _statistics((pixels[0] + 1.0) / 2.0)
        x = ((pixels - self.trunk.shift) / self.trunk.scale).contiguous(
            memory_format=torch.channels_last
        )
        for index, layer in enumerate(self.trunk.features):
            x = _root_mean_square_pooled(x) if isinstance(layer, nn.MaxPool2d) else layer(x)
            if index in self.trunk.backbone.taps:
                yield _statistics(x[0])
            if index == self.trunk.backbone.taps[-1]:
                return


def _statistics(features: Tensor) -> _Statistics:
    mean = features.mean(dim=(1, 2))
    deviation = features - mean[:, None, None]
    return _Statistics(mean, deviation.square().mean(dim=(1, 2)), deviation)


def _root_mean_square_pooled(features: Tensor) -> Tensor:
    """Halved by a 3x3 Hann window over squares: the pooling that replaces VGG16's maxima."""
    row = torch.tensor([0.25, 0.5, 0.25], device=features.device)
    n_channels = features.shape[1]
    window = torch.outer(row, row).expand(n_channels, 1, 3, 3)
    pooled = conv2d(features.square(), window, stride=2, padding=1, groups=n_channels)
    return (pooled + 1e-12).sqrt()


def dists(weights: Callable[[str], Path]) -> Dists:
    """With the authors' weights: alpha is of the means, beta of the correlations."""
    state = torch.load(weights("dists"), map_location="cpu", weights_only=True)
    if set(state) != {"alpha", "beta"}:
        raise ValueError(f"the DISTS weights hold {sorted(state)}; expected alpha and beta")
    alpha, beta = (state[key].detach().reshape(-1).float() for key in ("alpha", "beta"))
    return Dists(load_trunk("vgg", weights), texture=alpha, structure=beta)
