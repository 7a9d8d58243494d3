"""What a collection holds: its photos, and the ladder that its reconstructions make."""

import csv
import io
from typing import Any

from django.db.models import Count, Max, Min

from codecs_eval.encoding import LadderConfig, ladder_table
from codecs_eval.models import Reconstruction, SourceImage
from codecs_eval.named_codecs import all_entries

CSV_COLUMNS = (
    "collection",
    "tolerance",
    "codec",
    "label",
    "target_bpp",
    "n",
    "hit",
    "nearest",
    "unreachable",
    "bpp_mean",
    "miss_worst",
    "psnr_mean_db",
    "encodes_tried",
    "encode_cpu_ms_mean",
    "decode_cpu_ms_mean",
)


def collections() -> list[dict[str, Any]]:
    """Every collection with its photos, reconstructions, codecs and terms."""
    encoded = {
        row["source__collection"]: row
        for row in Reconstruction.objects.order_by()
        .exclude(path="")
        .values("source__collection")
        .annotate(n_reconstructions=Count("pk"), n_codecs=Count("codec", distinct=True))
    }
    rows = SourceImage.objects.collections().annotate(
        newest=Max("created_at"), n_terms=Count("licence", distinct=True), terms=Min("licence")
    )
    none = {"n_reconstructions": 0, "n_codecs": 0}
    return [{**row, **encoded.get(row["collection"], none)} for row in rows]


def ladders_of(collection: str) -> list[dict[str, Any]]:
    """One ladder a tolerance: {"tolerance", "cells"}, cells as `encoding.ladder_table` has them."""
    known = list(all_entries())
    stored = (
        Reconstruction.objects.order_by()
        .filter(source__collection=collection, codec__in=known)
        .exclude(path="")
        .values_list("tolerance", "codec", "target_bpp")
        .distinct()
    )
    asked: dict[float, tuple[set[str], set[float]]] = {}
    for tolerance, codec, rate in stored:
        codecs, rates = asked.setdefault(tolerance, (set(), set()))
        codecs.add(codec)
        rates.add(rate)
    return [
        {
            "tolerance": tolerance,
            "cells": ladder_table(
                LadderConfig(
                    collection=collection,
                    codecs=tuple(name for name in known if name in codecs),
                    rates_bpp=tuple(sorted(rates)),
                    tolerance=tolerance,
                )
            ),
        }
        for tolerance, (codecs, rates) in sorted(asked.items())
    ]


def ladders_csv(collection: str) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, CSV_COLUMNS, lineterminator="\n")
    writer.writeheader()
    for ladder in ladders_of(collection):
        for cell in ladder["cells"]:
            writer.writerow({"collection": collection, "tolerance": ladder["tolerance"], **cell})
    return buffer.getvalue()
