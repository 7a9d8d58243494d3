"""Scores that were computed elsewhere: a CSV file -> distances of a dataset's triplets.

Two layouts. By triplet: triplet_id, d_first, d_second. By image: source, reconstruction, value,
where `source` is a source's name or the sha256 of its image, and `reconstruction` the sha256 of
an image, or the setting that the dataset's import gave it; images/SHA256.png is an image too.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

DIRECTIONS = {"higher": True, "lower": False}
BY_TRIPLET = ("triplet_id", "d_first", "d_second")
BY_IMAGE = ("source", "reconstruction", "value")
MAX_NAME_LENGTH = 80
_SHOWN = 3

_Key = tuple[str, str]


@dataclass(frozen=True)
class OutsideMetric:
    """What a person says of a file of scores: FILE:NAME:DIRECTION."""

    file: str
    name: str
    higher_is_better: bool


def parse_outside(text: str) -> OutsideMetric:
    """`FILE:NAME:higher` or `FILE:NAME:lower`, which of the two is better; ValueError else."""
    file, _, rest = text.rpartition(":")
    file, _, name = file.rpartition(":")
    if not file or not name.strip() or rest not in DIRECTIONS:
        raise ValueError(
            f"found scores {text!r}; expected FILE:NAME:higher or FILE:NAME:lower, which says "
            "whether a higher or a lower value means closer to the source"
        )
    if len(name) > MAX_NAME_LENGTH:
        raise ValueError(
            f"found a metric's name of {len(name)} characters; expected at most {MAX_NAME_LENGTH}"
        )
    return OutsideMetric(file, name.strip(), DIRECTIONS[rest])


def read_outside_scores(data: bytes, triplets: pd.DataFrame) -> pd.DataFrame:
    """Columns triplet_id, d_first, d_second for every one of `triplets` (as a dataset has them).

    Values stay as the file gives them, whichever way they point. Rows on other triplets or images
    are passed over. ValueError names missing or unknown columns, values that are not finite
    numbers, repeated rows, and triplets that the file does not cover.
    """
    columns, rows = _table(data)
    if set(BY_TRIPLET) <= set(columns):
        found = _by_triplet(rows, triplets)
    elif set(BY_IMAGE) <= set(columns):
        found = _by_image(rows, triplets)
    else:
        raise ValueError(
            f"found the columns {', '.join(columns) or 'none'}; expected {', '.join(BY_TRIPLET)} "
            f"or {', '.join(BY_IMAGE)}"
        )
    return pd.DataFrame(found, columns=list(BY_TRIPLET))


def _table(data: bytes) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    try:
        # utf-8-sig: spreadsheets write a byte order mark, which would join a column's name.
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), restval="")
        rows = [(reader.line_num, row) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"found a file that is no UTF-8 CSV ({error}); expected one") from error
    return [name for name in reader.fieldnames or () if name is not None], rows


def _by_triplet(
    rows: Iterable[tuple[int, Mapping[str, str]]], triplets: pd.DataFrame
) -> list[tuple[str, float, float]]:
    values: dict[str, tuple[float, float]] = {}
    for line, row in rows:
        triplet = row["triplet_id"]
        if triplet in values:
            raise ValueError(f"line {line}: found triplet {triplet!r} again; expected it once")
        values[triplet] = (_number(row, "d_first", line), _number(row, "d_second", line))
    ids = [str(triplet) for triplet in triplets["triplet_id"]]
    _refuse_gaps([triplet for triplet in ids if triplet not in values], len(ids), "triplets")
    return [(triplet, *values[triplet]) for triplet in ids]


def _by_image(
    rows: Iterable[tuple[int, Mapping[str, str]]], triplets: pd.DataFrame
) -> list[tuple[str, float, float]]:
    values: dict[_Key, float] = {}
    for line, row in rows:
        key = (_image_name(row["source"]), _image_name(row["reconstruction"]))
        if key in values:
            raise ValueError(f"line {line}: found {key} again; expected each image once")
        values[key] = _number(row, "value", line)
    found: list[tuple[str, float, float]] = []
    gaps: list[str] = []
    for triplet in triplets.to_dict("records"):
        first, second = (_value(values, triplet, side) for side in ("first", "second"))
        if first is None or second is None:
            gaps.append(str(triplet["triplet_id"]))
        else:
            found.append((str(triplet["triplet_id"]), first, second))
    _refuse_gaps(gaps, len(triplets), "triplets with both images")
    return found


def _value(values: Mapping[_Key, float], triplet: Mapping[str, object], side: str) -> float | None:
    sources = (str(triplet["source"]), str(triplet["source_image"]))
    names = (str(triplet[f"{side}_image"]), _setting(triplet[f"{side}_settings"]))
    found = {
        values[source, name]
        for source in sources
        for name in names
        if name is not None and (source, name) in values
    }
    if len(found) > 1:
        raise ValueError(
            f"found {len(found)} values for the {side} image of triplet {triplet['triplet_id']}, "
            "under several names; expected one"
        )
    return found.pop() if found else None


def _image_name(text: str) -> str:
    """A path inside a dataset's folder names its image."""
    return text.removeprefix("images/").removesuffix(".png")


def _setting(settings: object) -> str | None:
    named = json.loads(settings) if isinstance(settings, str) and settings else {}
    return named.get("setting") if isinstance(named, dict) else None


def _number(row: Mapping[str, str], column: str, line: int) -> float:
    try:
        value = float(row[column])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(
            f"line {line}: found {column} {row[column]!r}; expected a finite number"
        ) from None
    return value


def _refuse_gaps(missing: list[str], n_wanted: int, what: str) -> None:
    if missing:
        raise ValueError(
            f"found no score for {len(missing)} of {n_wanted} {what}, such as "
            f"{', '.join(missing[:_SHOWN])}; expected one for each"
        )
