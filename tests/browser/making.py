"""A small study with real pixels, made without any encoder: what the browser shows is known."""

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from annotation import planning
from annotation.models import Study
from codecs_eval import storing
from codecs_eval.agreement.pixels import pixels_sha256
from codecs_eval.models import Reconstruction, SourceImage

RATE_BPP = 0.5


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
    source: SourceImage, codec: str, pixels: NDArray[np.uint8]
) -> Reconstruction:
    n_bytes = round(RATE_BPP * source.pixels / 8)
    return Reconstruction.objects.create(
        source=source,
        codec=codec,
        codec_version="made for this test",
        target_bpp=RATE_BPP,
        state=Reconstruction.State.HIT,
        bitstream_path="none",
        bitstream_bytes=n_bytes,
        bitstream_sha256=storing.sha256_of(f"{source.pk} {codec}".encode()),
        bpp=8 * n_bytes / source.pixels,
        path=storing.store(storing.png_of(pixels), folder="reconstructions", extension="png"),
        pixels_sha256=pixels_sha256(pixels),
        encode_cpu_ms=1,
        decode_cpu_ms=1,
        encodes_tried=1,
    )


def make_open_study(
    slug: str = "which",
    *,
    n_trials: int = 10,
    width: int = 120,
    height: int = 90,
    allow_not_sure: bool = False,
    judgments_per_triplet: int = 3,
) -> Study:
    """Open, with one triplet a source and as many sources as trials."""
    codecs = ["jpeg", "webp"]
    for index in range(n_trials):
        source = make_source(slug, f"photo-{index}", make_picture(3 * index, width, height))
        for place, codec in enumerate(codecs, start=1):
            make_reconstruction(source, codec, make_picture(3 * index + place, width, height))
    study = Study.objects.create(
        title="Which is closer",
        slug=slug,
        collection=slug,
        codecs=codecs,
        rates_bpp=[RATE_BPP],
        crop=Study.Crop.WHOLE,
        session_length=n_trials,
        allow_not_sure=allow_not_sure,
        judgments_per_triplet=judgments_per_triplet,
    )
    planning.plan_triplets(study)
    study.state, study.opened_at = Study.State.OPEN, timezone.now()
    study.save(update_fields=["state", "opened_at"])
    return study
