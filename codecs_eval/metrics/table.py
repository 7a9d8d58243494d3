"""The table of metrics: name -> definition, range, direction, dotted path. Imports no torch."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from codecs_eval.metrics.metric import Metric


@dataclass(frozen=True)
class MetricEntry:
    """`path` is module:function of a factory that takes `weights` and returns the metric."""

    name: str
    label: str
    definition: str
    version: str
    low: float
    high: float
    higher_is_better: bool
    path: str
    colour: str
    marker: str
    needs_weights: tuple[str, ...] = ()


METRICS: dict[str, MetricEntry] = {
    "psnr": MetricEntry(
        name="psnr",
        label="PSNR (RGB)",
        definition="10 log10(255^2 / MSE), one MSE over all pixels and the three sRGB channels, "
        "in dB; capped at 100 dB, which is also the score of identical images",
        version="1",
        low=0.0,
        high=100.0,
        higher_is_better=True,
        path="codecs_eval.metrics.psnr:psnr_rgb",
        colour="#0072B2",
        marker="o",
    ),
    "psnr-y": MetricEntry(
        name="psnr-y",
        label="PSNR (luma)",
        definition="10 log10(255^2 / MSE) on unrounded full-range BT.601 luma, in dB; capped at "
        "100 dB, which is also the score of identical images",
        version="1",
        low=0.0,
        high=100.0,
        higher_is_better=True,
        path="codecs_eval.metrics.psnr:psnr_luma",
        colour="#56B4E9",
        marker="s",
    ),
    "ssim": MetricEntry(
        name="ssim",
        label="SSIM (luma)",
        definition="mean SSIM (Wang et al. 2004) on unrounded full-range BT.601 luma, full "
        "resolution, 11x11 Gaussian window of sigma 1.5 wholly inside the image, K1 0.01, "
        "K2 0.03, L 255, population covariance",
        version="1",
        low=-1.0,
        high=1.0,
        higher_is_better=True,
        path="codecs_eval.metrics.ssim:ssim_luma",
        colour="#E69F00",
        marker="^",
    ),
    "ms-ssim": MetricEntry(
        name="ms-ssim",
        label="MS-SSIM (RGB)",
        definition="MS-SSIM (Wang et al. 2003) of each sRGB channel, averaged over the three: "
        "five scales with weights .0448 .2856 .3001 .2363 .1333, 2x2 mean between them (odd "
        "sides padded by a zero row before and after, the padding counted), window and "
        "constants as SSIM, negative factors set to 0; needs 161 px on each side",
        version="1",
        low=0.0,
        high=1.0,
        higher_is_better=True,
        path="codecs_eval.metrics.ssim:ms_ssim_rgb",
        colour="#D55E00",
        marker="v",
    ),
    "lpips-alex": MetricEntry(
        name="lpips-alex",
        label="LPIPS (AlexNet)",
        definition="LPIPS v0.1 (Zhang et al. 2018) with the AlexNet trunk and its official linear "
        "heads, whole image at 1:1, spatial mean; 0 is identical",
        version="1",
        low=0.0,
        high=float("inf"),
        higher_is_better=False,
        path="codecs_eval.metrics.lpips:lpips_alex",
        colour="#009E73",
        marker="D",
        needs_weights=("alexnet",),
    ),
    "lpips-vgg": MetricEntry(
        name="lpips-vgg",
        label="LPIPS (VGG16)",
        definition="LPIPS v0.1 (Zhang et al. 2018) with the VGG16 trunk and its official linear "
        "heads, whole image at 1:1, spatial mean; 0 is identical",
        version="1",
        low=0.0,
        high=float("inf"),
        higher_is_better=False,
        path="codecs_eval.metrics.lpips:lpips_vgg",
        colour="#CC79A7",
        marker="P",
        needs_weights=("vgg16",),
    ),
    "lpips-squeeze": MetricEntry(
        name="lpips-squeeze",
        label="LPIPS (SqueezeNet)",
        definition="LPIPS v0.1 (Zhang et al. 2018) with the SqueezeNet 1.1 trunk and its official "
        "linear heads, whole image at 1:1, spatial mean; 0 is identical",
        version="1",
        low=0.0,
        high=float("inf"),
        higher_is_better=False,
        path="codecs_eval.metrics.lpips:lpips_squeeze",
        colour="#117733",
        marker="d",
        needs_weights=("squeezenet1_1",),
    ),
    "dists": MetricEntry(
        name="dists",
        label="DISTS",
        definition="DISTS (Ding et al. 2020) with the VGG16 trunk and the authors' weights of "
        "dists-pytorch 0.1, whole image at 1:1 (their script first shrinks the shorter side to "
        "256 px), at most 4.2 megapixels; 0 is identical; needs 32 px on each side",
        version="1",
        low=0.0,
        # Correlations can be negative, and weigh 0.124.
        high=1.124,
        higher_is_better=False,
        path="codecs_eval.metrics.dists:dists",
        colour="#882255",
        marker="p",
        needs_weights=("vgg16", "dists"),
    ),
    "ssimulacra2": MetricEntry(
        name="ssimulacra2",
        label="SSIMULACRA 2",
        definition="SSIMULACRA 2.1 (Sneyers 2023) as libjxl's tool computes it, in double "
        "precision, sRGB at 1:1; 100 is identical, 90 hardly visible, 70 high quality, 30 low, "
        "without a floor; below 113 px on a side it has fewer scales and, as in the tool, other "
        "weights: not comparable; needs 8 px on each side",
        version="1",
        low=float("-inf"),
        high=100.0,
        higher_is_better=True,
        path="codecs_eval.metrics.ssimulacra2:ssimulacra2",
        colour="#332288",
        marker="h",
    ),
    "vmaf": MetricEntry(
        name="vmaf",
        label="VMAF (luma)",
        definition="VMAF, model vmaf_v0.6.1, by the libvmaf of imageio-ffmpeg, one frame without "
        "motion; sRGB values turned into 8-bit BT.709 limited-range Y'CbCr 4:2:0 (of which it "
        "reads luma alone), 1:1; a still that is identical scores about 97.4, not 100; needs "
        "64 px on each side",
        version="1",
        low=0.0,
        high=100.0,
        higher_is_better=True,
        path="codecs_eval.metrics.libvmaf:vmaf",
        colour="#999933",
        marker="<",
    ),
    "psnr-hvs": MetricEntry(
        name="psnr-hvs",
        label="PSNR-HVS",
        definition="PSNR-HVS as libvmaf's psnr_hvs computes it (errors of 8x8 DCT coefficients "
        "weighted by contrast sensitivity and masked, 7 px apart; 0.8 luma, 0.1 Cb, 0.1 Cr), in "
        "dB; sRGB values turned into 8-bit BT.709 limited-range Y'CbCr, chroma 4:2:0 by means of "
        "2x2, 1:1; capped at 100 dB, which is also the score of identical images; needs 64 px on "
        "each side",
        version="1",
        low=0.0,
        high=100.0,
        higher_is_better=True,
        path="codecs_eval.metrics.libvmaf:psnr_hvs",
        colour="#44AA99",
        marker=">",
    ),
}

# What is scored unless told otherwise: quick, and with weights that come from a package.
USUAL = ("psnr", "psnr-y", "ssim", "ms-ssim", "lpips-alex", "lpips-vgg")


def finite(end: float) -> float | None:
    """An end of a range as JSON can hold it: None where there is none."""
    return end if math.isfinite(end) else None


def metric_entry(name: str) -> MetricEntry:
    if name not in METRICS:
        raise ValueError(f"unknown metric {name!r}; expected one of {', '.join(METRICS)}")
    return METRICS[name]


def load_metric(name: str, weights: Callable[[str], Path]) -> Metric:
    """The metric, ready to score; `weights` turns a name of `needs_weights` into a file."""
    module, _, factory = metric_entry(name).path.partition(":")
    metric: Metric = getattr(import_module(module), factory)(weights)
    return metric
