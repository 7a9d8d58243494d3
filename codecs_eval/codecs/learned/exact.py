"""The entropy networks in fixed point: every sum is exact, so any machine gets the same integers.

Activations count in 1/2^8, weights in 1/2^12, carried as whole numbers in float64. Each product
and each partial sum stays below 2^53, where float64 holds every integer: the order of a sum, the
number of threads, fused multiplication, a GPU's kernel cannot change it. A float network decodes
to garbage where one scale index of 600,000 differs (Ballé et al. 2019, "Integer networks for data
compression with latent-variable models").
"""

import torch
from torch import Tensor, nn

ACTIVATION_ONE = 2.0**8
WEIGHT_ONE = 2.0**12
_SLOPE_ONE = 8.0
# Activations are held within +-2^13 = 8192; weights may then sum up to 2^32 per output.
_LARGEST_ACTIVATION = 2.0**21
_LARGEST_SUM = 2.0**53


class Exact:
    """Arithmetic of `entropy_nets` on whole numbers in float64; of one model, on one device."""

    def __init__(self) -> None:
        self._integers: dict[int, tuple[Tensor, Tensor | None]] = {}

    def linear(self, layer: nn.Module, x: Tensor) -> Tensor:
        assert isinstance(layer, nn.Conv2d)
        weight, bias = self._of(layer)
        total = _convolved(x, weight, layer.kernel_size[0])
        # In place: memory, not arithmetic, is what these layers cost.
        if bias is not None:
            total.add_(bias[:, None, None])
        total.mul_(1 / WEIGHT_ONE).add_(0.5).floor_()
        return total.clamp_(-_LARGEST_ACTIVATION, _LARGEST_ACTIVATION)

    def leaky(self, x: Tensor) -> Tensor:
        # A negative whole number is below its eighth, a positive one above.
        return torch.maximum(x, x.mul(1 / _SLOPE_ONE).floor_())

    def magnitude(self, x: Tensor) -> Tensor:
        # frexp takes a number's bits apart: nothing is rounded before the floor.
        fraction, exponent = torch.frexp(x.abs().mul_(1 / ACTIVATION_ONE).add_(1))
        return fraction.mul_(2).add_(exponent).sub_(2).mul_(ACTIVATION_ONE).floor_()

    def _of(self, layer: nn.Conv2d) -> tuple[Tensor, Tensor | None]:
        if id(layer) not in self._integers:
            self._integers[id(layer)] = _integers(layer)
        return self._integers[id(layer)]


def _integers(layer: nn.Conv2d) -> tuple[Tensor, Tensor | None]:
    with torch.no_grad():
        weight = torch.round(layer.weight.double() * WEIGHT_ONE)
        bias = None
        largest = weight.abs().sum((1, 2, 3)) * _LARGEST_ACTIVATION
        if layer.bias is not None:
            bias = torch.round(layer.bias.double() * (WEIGHT_ONE * ACTIVATION_ONE))
            largest = largest + bias.abs()
    if float(largest.max()) >= _LARGEST_SUM:
        raise ValueError(
            "found weights of an entropy network too large to be summed exactly; expected "
            f"less than {_LARGEST_SUM / _LARGEST_ACTIVATION / WEIGHT_ONE:.0f} in all per output"
        )
    return weight, bias


def _convolved(x: Tensor, weight: Tensor, size: int) -> Tensor:
    """Convolution of one image (1, c, h, w) as a plain matrix product: no kernel that would
    transform its operands, and none that copies them."""
    _, _, height, width = x.shape
    if size > 1:
        x = torch.nn.functional.unfold(x, size, padding=size // 2)
    matrix = weight.reshape(weight.shape[0], -1)
    return torch.mm(matrix, x.reshape(matrix.shape[1], -1)).reshape(1, -1, height, width)


def to_fixed(values: Tensor) -> Tensor:
    """Nearest fixed-point numbers, as whole numbers in float64."""
    return torch.round(values.double() * ACTIVATION_ONE)
