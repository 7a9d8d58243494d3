"""A comparison of codecs as its page and its CSV read it."""

import csv
import io
from typing import Any

from codecs_eval.models import Run

# Of every codec, beside its metrics: name, label, decimals.
_ALWAYS = (
    ("salient_db", "Salient part, dB", 2),
    ("background_db", "Background, dB", 2),
    ("checkerboard", "Checkerboard", 3),
    ("grid", "8 × 8 grid", 3),
    ("tint", "Tint, levels", 3),
    ("drift", "Colour drift, levels", 3),
)


def columns(run: Run) -> list[dict[str, Any]]:
    """What is told of each codec at each rate, with what stood in a loss marked."""
    in_losses = set(run.result["in_losses"].values())
    metrics = [
        {
            "name": facts["name"],
            "label": facts["label"],
            "digits": 2 if facts["name"] in ("psnr", "ssimulacra2") else 4,
            "is_in_loss": facts["name"] in in_losses,
            "higher_is_better": facts["higher_is_better"],
        }
        for facts in run.result["metrics"]
    ]
    others = [
        {
            "name": name,
            "label": label,
            "digits": digits,
            "is_in_loss": False,
            "higher_is_better": name.endswith("_db"),
        }
        for name, label, digits in _ALWAYS
    ]
    return metrics + others


def table(run: Run) -> list[dict[str, Any]]:
    """One row a codec and rate: its cells in the order of `columns`, each with its difference
    from the baseline where the interval tells the two apart."""
    return [
        {**row, "cells": [_cell(row, column) for column in columns(run)]}
        for row in run.result["rows"]
    ]


def _cell(row: dict[str, Any], column: dict[str, Any]) -> dict[str, Any]:
    difference = row["differences"].get(column["name"])
    is_told = bool(difference) and not difference[1] <= 0 <= difference[2]
    return {
        "value": row.get(column["name"]),
        "digits": column["digits"],
        "difference": difference,
        "is_better": is_told and (difference[0] > 0) == column["higher_is_better"],
        "is_worse": is_told and (difference[0] > 0) != column["higher_is_better"],
    }


def pictures(run: Run) -> list[dict[str, Any]]:
    """Those of each photo together."""
    photos: dict[str, list[dict[str, Any]]] = {}
    for picture in run.result["pictures"]:
        photos.setdefault(picture["photo"], []).append(picture)
    return [{"photo": photo, "pictures": found} for photo, found in photos.items()]


def as_csv(run: Run) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    names = ["bpp", *(column["name"] for column in columns(run))]
    differences = [f"{name}_{end}" for name in names for end in ("difference", "low", "high")]
    writer.writerow(
        ["codec", "label", "target_bpp", "n", "n_hit", *names, *differences, "is_simulated"]
    )
    for row in run.result["rows"]:
        told = [row["differences"].get(name) or ["", "", ""] for name in names]
        writer.writerow(
            [
                *(row[key] for key in ("codec", "label", "target_bpp", "n", "n_hit")),
                *(row.get(name, "") for name in names),
                *(value for three in told for value in three),
                run.is_simulated,
            ]
        )
    return buffer.getvalue()
