"""Which triplets belong together in a report: codec pair, rate, same or cross codec, difficulty."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SELECTED_NOTE = (
    "Sorted by the same votes that are scored: describes these judgments, estimates nothing."
)


@dataclass(frozen=True)
class Selection:
    """The rows of one slice; `rate_bpp` where it is a rate, `note` where a reader needs one."""

    by: str
    label: str
    is_member: NDArray[np.bool_]
    rate_bpp: float | None = None
    note: str | None = None


def selections(table: pd.DataFrame, with_difficulty: bool) -> list[Selection]:
    """All slices of a table of triplets with their votes; empty slices do not appear.

    Columns needed: first_codec, second_codec, first/second_bpp, first/second_target_bpp, n and
    k_second. Difficulty is left out where people gave too few judgments to tell.
    """
    found = [*_by_codec_pair(table), *_by_relation(table), *_by_rate(table)]
    return [*found, *_by_difficulty(table)] if with_difficulty else found


def _by_codec_pair(table: pd.DataFrame) -> Iterator[Selection]:
    codecs = np.sort(table[["first_codec", "second_codec"]].to_numpy(dtype=str), axis=1)
    labels = np.asarray([f"{a} / {b}" for a, b in codecs])
    for label in np.unique(labels):
        yield Selection("codec pair", str(label), labels == label)


def _by_relation(table: pd.DataFrame) -> Iterator[Selection]:
    is_same = (table["first_codec"] == table["second_codec"]).to_numpy(dtype=bool)
    for label, members in (("same codec", is_same), ("different codecs", ~is_same)):
        if members.any():
            yield Selection("codecs", label, members)


def _by_rate(table: pd.DataFrame) -> Iterator[Selection]:
    """Target rates where both sides share one; else octaves of the achieved rate."""
    first = table["first_target_bpp"].to_numpy(dtype=float)
    second = table["second_target_bpp"].to_numpy(dtype=float)
    has_target = first == second
    for target in np.unique(first[has_target]):
        members = has_target & (first == target)
        yield Selection("target rate", f"{target:g} bpp", members, rate_bpp=float(target))
    achieved = np.sqrt(
        table["first_bpp"].to_numpy(dtype=float) * table["second_bpp"].to_numpy(dtype=float)
    )
    is_free = ~has_target & (achieved > 0)
    octaves = np.floor(np.log2(np.where(is_free, achieved, 1.0)))
    for octave in np.unique(octaves[is_free]):
        members = is_free & (octaves == octave)
        middle = math.exp(float(np.log(achieved[members]).mean()))
        label = f"{2.0**octave:g} to {2.0 ** (octave + 1):g} bpp"
        yield Selection("achieved rate", label, members, rate_bpp=middle)


def _by_difficulty(table: pd.DataFrame) -> Iterator[Selection]:
    n = table["n"].to_numpy(dtype=float)
    share = table["k_second"].to_numpy(dtype=float) / n
    majority = np.maximum(share, 1 - share)
    bands = (
        ("hard: majority up to 60 %", 0.0, 0.6),
        ("middle: majority over 60, up to 80 %", 0.6, 0.8),
        ("easy: majority over 80 %", 0.8, 1.0),
    )
    for label, low, high in bands:
        # Half a millionth of slack: 0.6 and 0.8 are shares that counts of five hit exactly.
        members = (n >= 2) & (majority > low + 5e-7) & (majority <= high + 5e-7)
        if members.any():
            yield Selection("difficulty", label, members, note=SELECTED_NOTE)
