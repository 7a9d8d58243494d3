"""A small study with real pixels, made without any encoder: what the browser shows is known."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from annotation import triplets
from annotation.models import Study
from codecs_eval import storing
from codecs_eval.agreement.pixels import pixels_sha256
from codecs_eval.models import Reconstruction, SourceImage

RATE_BPP = 0.5
# Far apart: of such a pair anybody can tell which is closer.
CHECK_RATES_BPP = (0.25, 1.0)


def make_picture(seed: int, width: int, height: int) -> NDArray[np.uint8]:
    """Noise: any resampling, by however little, changes nearly every pixel of it."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def make_source(collection: str, name: str, pixels: NDArray[np.uint8]) -> SourceImage:
    return SourceImage.objects.create(
        collection=collection,
        name=name,
        sha256=pixels_sha256(pixels),
        path=storing.store(storing.png_of(pixels), folder="sources", extension="png"),
        width=pixels.shape[1],
        height=pixels.shape[0],
        original_format="PNG",
        licence="made for this test",
    )


def make_reconstruction(
    source: SourceImage, codec: str, pixels: NDArray[np.uint8], rate_bpp: float = RATE_BPP
) -> Reconstruction:
    n_bytes = round(rate_bpp * source.pixels / 8)
    return Reconstruction.objects.create(
        source=source,
        codec=codec,
        codec_version="made for this test",
        target_bpp=rate_bpp,
        state=Reconstruction.State.HIT,
        bitstream_path="none",
        bitstream_bytes=n_bytes,
        bitstream_sha256=storing.sha256_of(f"{source.pk} {codec} {rate_bpp}".encode()),
        bpp=8 * n_bytes / source.pixels,
        path=storing.store(storing.png_of(pixels), folder="reconstructions", extension="png"),
        pixels_sha256=pixels_sha256(pixels),
        encode_cpu_ms=1,
        decode_cpu_ms=1,
        encodes_tried=1,
    )


def make_obvious_pair(source: SourceImage, index: int) -> None:
    for place, rate_bpp in enumerate(CHECK_RATES_BPP):
        pixels = make_picture(10_000 + 2 * index + place, source.width, source.height)
        make_reconstruction(source, "jpeg", pixels, rate_bpp)


def make_open_study(
    slug: str = "which",
    *,
    n_trials: int = 10,
    width: int = 120,
    height: int = 90,
    make_pixels: Callable[[int, int, int], NDArray[np.uint8]] = make_picture,
    codecs: Sequence[str] = ("jpeg", "webp"),
    **settings: Any,
) -> Study:
    """Open, with as many sources as its trials take triplets; practice where it is set.

    Two codecs give a source one triplet, three codecs three.
    """
    n_triplets = len(codecs) * (len(codecs) - 1) // 2
    for index in range(math.ceil(n_trials / n_triplets)):
        source = make_source(slug, f"photo-{index}", make_pixels(5 * index, width, height))
        for place, codec in enumerate(codecs, start=1):
            make_reconstruction(source, codec, make_pixels(5 * index + place, width, height))
        if index < settings.get("n_practice", 0):
            make_obvious_pair(source, index)
    study = Study.objects.create(
        title="Which is closer",
        slug=slug,
        collection=slug,
        codecs=list(codecs),
        rates_bpp=[RATE_BPP],
        crop=Study.Crop.WHOLE,
        **{"session_length": n_trials, **settings},
    )
    triplets.plan_triplets(study)
    study.state, study.opened_at = Study.State.OPEN, timezone.now()
    study.save(update_fields=["state", "opened_at"])
    return study
