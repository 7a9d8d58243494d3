"""The convolutional trunks of LPIPS (AlexNet, VGG16, SqueezeNet 1.1): image in, maps out."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, relu

# Version of everything between pixels and features; part of a feature cache's key.
PREPROCESSING = "rgb -1..1, shift .030 .088 .188, scale .458 .448 .450, 1:1"


# On a CPU, float32 convolutions of many maps of few points (3x3, 4x4) take two thirds of the time
# channel by channel; larger maps are faster channels_last, and few repay no copy of the weights.
_FEW_POINTS, _MANY_MAPS = 16, 16

# A convolution followed by ReLU, or a max pool where `channels` is 0.
Layer = tuple[int, int, int, int]  # channels, kernel, stride, padding
FireLayer = tuple[int, int]  # channels squeezed to, channels of each of the two expansions


@dataclass(frozen=True)
class Backbone:
    """A tap follows each layer whose index in torchvision's `features` is in `taps`.

    `strides`: input pixels per step of each tapped map. `halo_px`: pixels around a tile that its
    deepest tap sees, in whole strides. `is_pool_ceiled`: a pool's last window may reach over the
    edge.
    """

    name: str
    weights: str
    channels: tuple[int, ...]
    strides: tuple[int, ...]
    taps: tuple[int, ...]
    smallest_px: int
    layers: tuple[Layer | FireLayer, ...]
    halo_px: int = 96
    is_pool_ceiled: bool = False


def _conv3(*widths: int) -> tuple[Layer, ...]:
    return tuple((width, 3, 1, 1) for width in widths)


_HALVE: Layer = (0, 2, 2, 0)
_HALVE_3: Layer = (0, 3, 2, 0)

BACKBONES: dict[str, Backbone] = {
    "alex": Backbone(
        name="alex",
        weights="alexnet",
        channels=(64, 192, 384, 256, 256),
        strides=(4, 8, 16, 16, 16),
        taps=(1, 4, 7, 9, 11),
        smallest_px=31,
        layers=(
            (64, 11, 4, 2),
            (0, 3, 2, 0),
            (192, 5, 1, 2),
            (0, 3, 2, 0),
            *_conv3(384, 256, 256),
        ),
    ),
    "vgg": Backbone(
        name="vgg",
        weights="vgg16",
        channels=(64, 128, 256, 512, 512),
        strides=(1, 2, 4, 8, 16),
        taps=(3, 8, 15, 22, 29),
        smallest_px=16,
        layers=(
            *_conv3(64, 64),
            _HALVE,
            *_conv3(128, 128),
            _HALVE,
            *_conv3(256, 256, 256),
            _HALVE,
            *_conv3(512, 512, 512),
            _HALVE,
            *_conv3(512, 512, 512),
        ),
    ),
    "squeeze": Backbone(
        name="squeeze",
        weights="squeezenet1_1",
        channels=(64, 128, 256, 384, 384, 512, 512),
        strides=(2, 4, 8, 16, 16, 16, 16),
        taps=(1, 4, 7, 9, 10, 11, 12),
        # lpips itself computes from 17 px on; below, its last pool has no window.
        smallest_px=17,
        layers=(
            (64, 3, 2, 0),
            _HALVE_3,
            (16, 64),
            (16, 64),
            _HALVE_3,
            (32, 128),
            (32, 128),
            _HALVE_3,
            (48, 192),
            (48, 192),
            (64, 256),
            (64, 256),
        ),
        # A point of the last map sees 88 px to its left and 118 to its right.
        halo_px=112,
        is_pool_ceiled=True,
    ),
}


def backbone(name: str) -> Backbone:
    if name not in BACKBONES:
        raise ValueError(f"unknown backbone {name!r}; expected one of {', '.join(BACKBONES)}")
    return BACKBONES[name]


class Trunk(nn.Module):
    """Frozen features; input (n, 3, height, width) in -1..1, channels_last for speed."""

    shift: Tensor
    scale: Tensor

    def __init__(self, name: str, state: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.backbone = backbone(name)
        self.features = _layers(self.backbone)
        self.features.load_state_dict(dict(state), strict=True)
        # lpips 0.1.4, ScalingLayer: ImageNet's normalisation for inputs in -1..1.
        shift = torch.tensor([-0.030, -0.088, -0.188]).view(1, 3, 1, 1)
        scale = torch.tensor([0.458, 0.448, 0.450]).view(1, 3, 1, 1)
        self.register_buffer("shift", shift, persistent=False)
        self.register_buffer("scale", scale, persistent=False)
        self.requires_grad_(False)
        self.to(memory_format=torch.channels_last)
        self.sha256 = _sha256(self.features)

    def taps(self, images: Tensor) -> Iterator[Tensor]:
        """Feature maps (n, channels, h, w) after ReLU, shallow to deep, one at a time."""
        x = (images - self.shift) / self.scale
        x = x.contiguous(memory_format=torch.channels_last)
        for index, layer in enumerate(self.features):
            x = layer(x)
            if index in self.backbone.taps:
                yield x
                if index == self.backbone.taps[-1]:
                    return

    def forward(self, images: Tensor) -> list[Tensor]:
        return list(self.taps(images))


class Convolution(nn.Conv2d):
    """In whichever order of memory is faster for the map; the values are the same."""

    def forward(self, x: Tensor) -> Tensor:
        if not _are_many_and_small(x):
            return super().forward(x)
        weight = self.weight.contiguous()
        return conv2d(x.contiguous(), weight, self.bias, self.stride, self.padding)


def _are_many_and_small(x: Tensor) -> bool:
    # An exported graph serves all sizes.
    if torch.compiler.is_compiling() or x.device.type != "cpu" or x.dtype != torch.float32:
        return False
    return len(x) >= _MANY_MAPS and x.shape[2] * x.shape[3] <= _FEW_POINTS


class Fire(nn.Module):
    """SqueezeNet's block (Iandola et al. 2016, arXiv 1602.07360), torchvision's parameter names."""

    def __init__(self, width: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(width, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = Convolution(squeezed, expanded, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = relu(self.squeeze(x))
        return relu(torch.cat([self.expand1x1(x), self.expand3x3(x)], dim=1))


def random_state(name: str, generator: torch.Generator) -> dict[str, Tensor]:
    """A state for Trunk with He's start (2015, arXiv 1502.01852): normal, biases 0."""
    state: dict[str, Tensor] = {}
    for key, tensor in _layers(backbone(name)).state_dict().items():
        spread = (2.0 / tensor[0].numel()) ** 0.5 if key.endswith("weight") else 0.0
        state[key] = torch.randn(tensor.shape, generator=generator) * spread
    return state


def _layers(plan: Backbone) -> nn.Sequential:
    layers: list[nn.Module] = []
    width = 3
    for layer in plan.layers:
        if len(layer) == 2:
            layers.append(Fire(width, *layer))
            width = 2 * layer[1]
            continue
        channels, kernel, stride, padding = layer
        if channels == 0:
            layers.append(nn.MaxPool2d(kernel, stride, ceil_mode=plan.is_pool_ceiled))
            continue
        layers.append(Convolution(width, channels, kernel, stride, padding))
        # In place on what the convolution made: a tap itself stays as it was yielded.
        layers.append(nn.ReLU(inplace=True))
        width = channels
    return nn.Sequential(*layers)


def _sha256(features: nn.Sequential) -> str:
    digest = hashlib.sha256()
    for name, tensor in features.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
