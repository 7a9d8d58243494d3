"""Source + codec + target rate -> Reconstruction: real bit streams, counted and stored."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from django.db import transaction

from codecs_eval import storing
from codecs_eval.agreement.pixels import pixels_sha256
from codecs_eval.codecs.codec import Codec
from codecs_eval.codecs.search import RateResult, RateSearch, timed_decode
from codecs_eval.metrics.table import METRICS, load_metric
from codecs_eval.models import Reconstruction, Run, Score, SourceImage
from codecs_eval.named_codecs import (
    check_known,
    codec_entry,
    is_learned,
    learned_run,
    named_codec,
    probe_every,
    probe_named,
)
from codecs_eval.run_kinds import config_of
from codecs_eval.scoring import weight_file

RATES_BPP = (0.23, 0.37, 0.67, 1.0)


@dataclass(frozen=True)
class LadderConfig:
    """Every photo of a collection, under every codec, at every rate."""

    collection: str = field(metadata={"help": "A collection of imported photos."})
    codecs: tuple[str, ...] = field(metadata={"help": "Names from the table of codecs."})
    rates_bpp: tuple[float, ...] = field(
        default=RATES_BPP, metadata={"help": "Target rates in bits per pixel of the whole file."}
    )
    tolerance: float = field(
        default=0.02, metadata={"help": "A file counts as hit within this share of its target."}
    )

    def __post_init__(self) -> None:
        check_known(self.codecs)
        if not self.rates_bpp or any(not 0.01 <= rate <= 24 for rate in self.rates_bpp):
            raise ValueError(
                f"Found rates {list(self.rates_bpp)}; expected bits per pixel in 0.01..24."
            )
        if not 0.001 <= self.tolerance <= 0.5:
            raise ValueError(f"Found tolerance {self.tolerance}; expected 0.001..0.5.")


def available_codecs() -> list[str]:
    """Names of the codecs that run on this machine, in the table's order, then trained ones."""
    return [probe.name for probe in probe_every() if probe.is_available]


def check_available(config: LadderConfig) -> None:
    """Raise ValueError where the collection is empty or a codec cannot run on this machine."""
    if not SourceImage.objects.in_collection(config.collection).exists():
        known = [row["collection"] for row in SourceImage.objects.collections()]
        raise ValueError(
            f"No photo in collection {config.collection!r}; known: {', '.join(known) or 'none'}. "
            "Import photos first (import_images)."
        )
    for name in config.codecs:
        probe = probe_named(name)
        if not probe.is_available:
            raise ValueError(f"{probe.label} cannot run here: {probe.reason}")


def _config(run: Run) -> LadderConfig:
    config: LadderConfig = config_of(run.kind, run.config)
    return config


def ladder_parts(run: Run) -> list[str]:
    """One part a photo and codec, cheap codecs first, so that studies can start early."""
    config = _config(run)
    check_available(config)
    names = list(SourceImage.objects.in_collection(config.collection).values_list("pk", flat=True))
    return [f"{codec}:{pk}" for codec in config.codecs for pk in names]


def encode_part(run: Run, key: str) -> None:
    config = _config(run)
    codec, _, pk = key.partition(":")
    encode_source(
        SourceImage.objects.get(pk=pk), codec, config.rates_bpp, tolerance=config.tolerance
    )


def encode_source(
    source: SourceImage, codec_name: str, rates_bpp: Sequence[float], *, tolerance: float = 0.02
) -> list[Reconstruction]:
    """All rates of one photo under one codec; what is stored already is not encoded again."""
    codec = named_codec(codec_name)
    checkpoint = learned_run(codec_name) if is_learned(codec_name) else None
    stored = {
        row.target_bpp: row
        for row in source.reconstructions.filter(
            codec=codec_name,
            codec_version=codec.version,
            checkpoint=checkpoint,
            target_bpp__in=rates_bpp,
            tolerance=tolerance,
        )
    }
    missing = [rate for rate in rates_bpp if rate not in stored]
    if missing:
        image = storing.read_pixels(source.path)
        search = RateSearch(codec, image, tolerance=tolerance)
        psnr = load_metric("psnr", weight_file)
        for rate in missing:
            result = search.find(rate)
            decoded = timed_decode(codec, result.data)
            row = _store(
                source, codec, checkpoint, rate, tolerance, result, decoded.image, decoded.cpu_ms
            )
            Score.objects.get_or_create(
                reconstruction=row,
                metric="psnr",
                metric_version=METRICS["psnr"].version,
                defaults={"value": psnr.scores(image, [decoded.image])[0]},
            )
            stored[rate] = row
    return [stored[rate] for rate in rates_bpp]


def _store(
    source: SourceImage,
    codec: Codec,
    checkpoint: Run | None,
    target_bpp: float,
    tolerance: float,
    result: RateResult,
    pixels: Any,
    decode_cpu_ms: float,
) -> Reconstruction:
    bitstream_path = storing.store(result.data, folder="bitstreams", extension=codec.extension)
    path = storing.store(storing.png_of(pixels), folder="reconstructions", extension="png")
    with transaction.atomic():
        row, _ = Reconstruction.objects.get_or_create(
            source=source,
            codec=codec.name,
            codec_version=codec.version,
            target_bpp=target_bpp,
            tolerance=tolerance,
            checkpoint=checkpoint,
            defaults={
                "state": result.state,
                "settings": result.settings,
                "bitstream_path": bitstream_path,
                "bitstream_bytes": len(result.data),
                "bitstream_sha256": storing.sha256_of(result.data),
                "bpp": 8 * len(result.data) / source.pixels,
                "path": path,
                "pixels_sha256": pixels_sha256(pixels),
                "encode_cpu_ms": result.encode_cpu_ms,
                "decode_cpu_ms": decode_cpu_ms,
                "encodes_tried": result.encodes_tried,
            },
        )
    return row


def ladder_result(run: Run) -> dict[str, Any]:
    config = _config(run)
    return {"collection": config.collection, "cells": ladder_table(config)}


def ladder_table(config: LadderConfig) -> list[dict[str, Any]]:
    """One row a codec and rate: how many photos, their states, mean rate, mean PSNR."""
    rows = Reconstruction.objects.of_ladder(
        config.collection, config.codecs, config.rates_bpp
    ).filter(tolerance=config.tolerance)
    newest = {
        (row.source_id, row.codec, row.target_bpp): row for row in rows.prefetch_related("scores")
    }
    cells: dict[tuple[str, float], list[Reconstruction]] = {}
    for row in newest.values():
        cells.setdefault((row.codec, row.target_bpp), []).append(row)
    return [
        _cell(codec, rate, cells[codec, rate])
        for codec in config.codecs
        for rate in config.rates_bpp
        if (codec, rate) in cells
    ]


def _cell(codec: str, rate: float, rows: list[Reconstruction]) -> dict[str, Any]:
    states = Counter(row.state for row in rows)
    psnr = [s.value for row in rows for s in row.scores.all() if s.metric == "psnr"]
    return {
        "codec": codec,
        "label": codec_entry(codec).label,
        "target_bpp": rate,
        "n": len(rows),
        **{state.value: states.get(state.value, 0) for state in Reconstruction.State},
        "bpp_mean": fmean(row.bpp for row in rows),
        "miss_worst": max(abs(row.miss) for row in rows),
        "psnr_mean_db": fmean(psnr) if psnr else None,
        "encodes_tried": sum(_told(row.encodes_tried for row in rows)),
        "encode_cpu_ms_mean": fmean(_told(row.encode_cpu_ms for row in rows)),
        "decode_cpu_ms_mean": fmean(_told(row.decode_cpu_ms for row in rows)),
    }


def _told(values: Iterable[float | None]) -> list[float]:
    """What was encoded here has its numbers."""
    return [value for value in values if value is not None]
