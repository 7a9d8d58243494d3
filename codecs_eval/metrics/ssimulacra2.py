"""SSIMULACRA 2.1 (Sneyers 2022, updated April 2023): a metric of compression artifacts.

    sRGB -> linear RGB -> (halved five times) -> XYB -> 3 error maps x 2 norms -> weighted sum

Source: tools/ssimulacra2.cc and tools/gauss_blur.cc of libjxl, whose numbers this gives.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

from codecs_eval.metrics.metric import Image, check_images

Planes = NDArray[np.float64]  # (3, height, width)

_N_SCALES = 6
_SMALLEST_PX = 8
_C2 = 0.0009
_SIGMA = 1.5
# libjxl, lib/jxl/cms/opsin_params.h: cone responses of linear RGB, and their bias.
_OPSIN = np.array(
    [
        [0.30, 0.622, 0.078],
        [0.23, 0.692, 0.078],
        [0.24342268924547819, 0.20476744424496821, 0.5518098665095536],
    ]
)
_OPSIN_BIAS = 0.0037930732552754493
# By component (X, Y, B - Y), scale, norm (1, 4) and map (structure, ringing, blurring).
# fmt: off
_WEIGHTS = np.array([
    0, 0.0007376606707406586, 0, 0, 0.0007793481682867309, 0, 0, 0.0004371155730107379, 0,
    1.1041726426657346, 0.00066284834129271, 0.00015231632783718752, 0, 0.0016406437456599754,
    0, 1.8422455520539298, 11.441172603757666, 0, 0.0007989109436015163, 0.000176816438078653,
    0, 1.8787594979546387, 10.94906990605142, 0, 0.0007289346991508072, 0.9677937080626833, 0,
    0.00014003424285435884, 0.9981766977854967, 0.00031949755934435053, 0.0004550992113792063,
    0, 0, 0.0013648766163243398, 0, 0, 0, 0, 0, 7.466890328078848, 0, 17.445833984131262,
    0.0006235601634041466, 0, 0, 6.683678146179332, 0.00037724407979611296, 1.027889937768264,
    225.20515300849274, 0, 0, 19.213238186143016, 0.0011401524586618361, 0.001237755635509985,
    176.39317598450694, 0, 0, 24.43300999870476, 0.28520802612117757, 0.0004485436923833408, 0,
    0, 0, 34.77906344483772, 44.835625328877896, 0, 0, 0, 0, 0, 0, 0, 0, 0.0008680556573291698,
    0, 0, 0, 0, 0, 0.0005313191874358747, 0, 0.00016533814161379112, 0, 0, 0, 0, 0,
    0.0004179171803251336, 0.0017290828234722833, 0, 0.0020827005846636437, 0, 0,
    8.826982764996862, 23.19243343998926, 0, 95.1080498811086, 0.9863978034400682,
    0.9834382792465353, 0.0012286405048278493, 171.2667255897307, 0.9807858872435379, 0, 0, 0,
    0.0005130064588990679, 0, 0.00010854057858411537,
])
# fmt: on


@dataclass(frozen=True, eq=False)
class _Scale:
    """One scale of an image: XYB in 0..1, its blurred mean and blurred square."""

    planes: Planes
    mean: Planes
    square: Planes


@dataclass(frozen=True)
class Ssimulacra2:
    """100 for identical images, below 0 for very bad ones; higher is better."""

    name: str = "ssimulacra2"
    higher_is_better: bool = True

    def scores(self, reference: Image, distorted: Sequence[Image]) -> list[float]:
        check_images(reference, distorted, _SMALLEST_PX)
        original = _scales(reference)
        return [_score(original, _scales(image)) for image in distorted]


def _score(original: list[_Scale], changed: list[_Scale]) -> float:
    norms = np.stack(
        [_norms(first, second) for first, second in zip(original, changed, strict=True)], axis=1
    )
    # As the original: an image with fewer scales takes the first weights, not its own scales'.
    error = float(np.sum(_WEIGHTS[: norms.size] * norms.ravel())) * 0.9562382616834844
    error = (
        2.326765642916932 * error
        - 0.020884521182843837 * error**2
        + 6.248496625763138e-05 * error**3
    )
    return 100.0 - 10.0 * error**0.6276336467831387 if error > 0.0 else 100.0


def _norms(original: _Scale, changed: _Scale) -> NDArray[np.float64]:
    """(3 components, 2 norms, 3 maps): means, and fourth roots of mean fourth powers."""
    product = original.mean * changed.mean
    covariance = _blurred(original.planes * changed.planes) - product
    variances = (original.square - original.mean**2) + (changed.square - changed.mean**2)
    luminance = 1.0 - (original.mean - changed.mean) ** 2
    structure = 1.0 - luminance * (2.0 * covariance + _C2) / (variances + _C2)
    sharper = (1.0 + np.abs(changed.planes - changed.mean)) / (
        1.0 + np.abs(original.planes - original.mean)
    ) - 1.0
    maps = [np.maximum(each, 0.0) for each in (structure, sharper, -sharper)]
    first = [np.mean(each, axis=(1, 2)) for each in maps]
    fourth = [np.mean(np.square(np.square(each)), axis=(1, 2)) ** 0.25 for each in maps]
    return np.stack([np.stack(first, axis=1), np.stack(fourth, axis=1)], axis=1)


def _scales(image: Image) -> list[_Scale]:
    linear = np.ascontiguousarray(_LINEAR[image].transpose(2, 0, 1))
    scales: list[_Scale] = []
    # The original looks at the size before it halves: the last scale may be below 8 px.
    while len(scales) < _N_SCALES and min(linear.shape[1:]) >= _SMALLEST_PX:
        if scales:
            linear = _halved(linear)
        planes = _xyb(linear)
        scales.append(_Scale(planes, _blurred(planes), _blurred(planes * planes)))
    return scales


def _linear_values() -> NDArray[np.float64]:
    """Linear light in 0..1 of the 256 sRGB values (IEC 61966-2-1)."""
    values = np.arange(256) / 255.0
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _xyb(linear: Planes) -> Planes:
    red, green, blue = linear
    cones = [
        np.cbrt(np.maximum(row[0] * red + row[1] * green + row[2] * blue + _OPSIN_BIAS, 0.0))
        - np.cbrt(_OPSIN_BIAS)
        for row in _OPSIN
    ]
    x, y = 0.5 * (cones[0] - cones[1]), 0.5 * (cones[0] + cones[1])
    # MakePositiveXYB: every component in about 0..1.
    return np.stack([14.0 * x + 0.42, y + 0.01, cones[2] - y + 0.55])


def _halved(planes: Planes) -> Planes:
    """Means of 2x2, the last row and column repeated where their number is odd."""
    _, height, width = planes.shape
    even = np.pad(planes, ((0, 0), (0, height % 2), (0, width % 2)), mode="edge")
    rows = even[:, 0::2] + even[:, 1::2]
    halved: Planes = 0.25 * (rows[:, :, 0::2] + rows[:, :, 1::2])
    return halved


def _blurred(planes: Planes) -> Planes:
    """Gaussian of sigma 1.5 as libjxl has it; 0 is outside the image."""
    across = correlate1d(planes, _KERNEL, axis=2, mode="constant")
    down: Planes = correlate1d(across, _KERNEL, axis=1, mode="constant")
    return down


def _kernel(sigma: float) -> NDArray[np.float64]:
    """The truncated-cosine Gaussian of Charalampidis 2016 (doi 10.1109/TSP.2016.2549985).

    libjxl runs it as a recursive filter; its impulse response is this finite sum of three
    cosines. Equation numbers are the paper's.
    """
    radius = round(3.2795 * sigma + 0.2546)  # (57)
    omega = np.array([1, 3, 5]) * math.pi / (2 * radius)
    signs = np.array([1.0, -1.0, 1.0])
    p = signs / np.tan(0.5 * omega)  # (37)
    r = signs * p**2 / np.sin(omega)  # (44)
    rho = np.exp(-0.5 * sigma**2 * omega**2) / radius  # (50)
    d_13, d_35, d_51 = (p[i] * r[j] - r[i] * p[j] for i, j in ((0, 1), (1, 2), (2, 0)))
    zeta = np.array([d_35, d_51, d_13]) / d_13  # (52)
    # (53) to (56)
    beta = np.linalg.solve(
        np.stack([p, r, zeta]), np.array([1.0, radius**2 - sigma**2, float(zeta @ rho)])
    )
    offsets = np.arange(1 - radius, radius)
    response: NDArray[np.float64] = np.cos(np.outer(offsets, omega)) @ beta
    return response


_LINEAR = _linear_values()
_KERNEL = _kernel(_SIGMA)


def ssimulacra2(weights: Callable[[str], Path]) -> Ssimulacra2:
    return Ssimulacra2()
