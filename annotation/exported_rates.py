"""Rate and distortion of a study's codecs, as CompressAI keeps its published results."""

import json
from collections import defaultdict
from typing import Any

from django.utils.text import slugify

from annotation.formats.bundle import Bundle
from annotation.models import Study
from codecs_eval.metrics.table import METRICS
from codecs_eval.models import Reconstruction, Score
from codecs_eval.named_codecs import codec_entry

# CompressAI's names of what we call psnr and ms-ssim: both over RGB, 8 bit.
METRIC_NAMES = {"psnr": "psnr-rgb", "ms-ssim": "ms-ssim-rgb"}


def write_compressai(study: Study, bundle: Bundle) -> int:
    """CODEC.json for each codec of the study that was scored; how many points there are.

    {"name", "description", "results": {"bpp": [...], "psnr-rgb": [...], "ms-ssim-rgb": [...]}}, a
    value for each rate: the mean over the photos that hit that rate. Raises ValueError where no
    reconstruction of the study's collection has both scores.
    """
    points = _points(study)
    if not points:
        raise ValueError(
            f"No reconstruction of {study.collection} has psnr and ms-ssim; score the collection "
            "with both, then export again."
        )
    for codec, found in sorted(points.items()):
        told = json.dumps(_told(study, codec, found), indent=2, ensure_ascii=False) + "\n"
        bundle.add(f"{slugify(codec.replace(':', '-')) or 'codec'}.json", told.encode())
    return sum(len(found) for found in points.values())


def _points(study: Study) -> dict[str, dict[float, list[dict[str, float]]]]:
    """codec -> rate -> the photos' values, each {"bpp", "psnr-rgb", "ms-ssim-rgb"}."""
    values: dict[int, dict[str, float]] = defaultdict(dict)
    for name, outside in METRIC_NAMES.items():
        scores = Score.objects.filter(
            metric=name, metric_version=METRICS[name].version, reconstruction__in=_hits(study)
        )
        for pk, value in scores.values_list("reconstruction", "value").iterator():
            values[pk][outside] = value
    # A photo that was encoded twice at one rate counts once: the newer one.
    photos: dict[tuple[str, float], dict[int, dict[str, float]]] = defaultdict(dict)
    rows = _hits(study).values_list("pk", "source", "codec", "target_bpp", "bpp")
    for pk, source, codec, rate, bpp in rows:
        if len(values[pk]) == len(METRIC_NAMES):
            photos[codec, rate][source] = {"bpp": bpp, **values[pk]}
    points: dict[str, dict[float, list[dict[str, float]]]] = {}
    for (codec, rate), by_source in photos.items():
        points.setdefault(codec, {})[rate] = list(by_source.values())
    return points


def _hits(study: Study) -> Any:
    return Reconstruction.objects.filter(
        source__collection=study.collection,
        codec__in=study.codecs,
        state=Reconstruction.State.HIT,
    ).order_by("target_bpp", "pk")


def _told(study: Study, codec: str, found: dict[float, list[dict[str, float]]]) -> dict[str, Any]:
    versions = sorted(set(_hits(study).filter(codec=codec).values_list("codec_version", flat=True)))
    results: dict[str, list[float]] = {}
    for rate in sorted(found):
        photos = found[rate]
        for name in ("bpp", *METRIC_NAMES.values()):
            mean = sum(photo[name] for photo in photos) / len(photos)
            results.setdefault(name, []).append(mean)
        results.setdefault("target-bpp", []).append(rate)
        results.setdefault("n-images", []).append(len(photos))
    return {
        "name": codec_entry(codec).label,
        "description": f"{codec_entry(codec).label} ({'; '.join(versions)}) on "
        f"{study.collection}: mean of per-photo values over the photos that hit each target rate "
        "(n-images of them), at fixed rate and not at fixed quality.",
        "results": results,
    }
