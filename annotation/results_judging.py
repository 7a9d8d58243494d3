"""Counted judgments -> what they say at each rate, and on one scale over all rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from annotation.preference.bootstrap import PlacesBootstrap, bootstrap_places
from annotation.preference.closest import Closest, closest
from annotation.preference.comparisons import Comparisons
from annotation.preference.connectivity import Connectivity, connectivity
from annotation.preference.shares import ItemShare, win_shares
from annotation.preference.significance import PairTest, pair_tests


@dataclass(frozen=True)
class Asked:
    """How a result is made: intervals of `level` from `resamples` draws of observers."""

    level: float = 0.95
    resamples: int = 1000
    seed: int = 1


@dataclass(frozen=True)
class Counts:
    n_judgments: int
    n_tied: int
    n_observers: int
    n_sessions: int
    n_triplets: int
    n_sources: int


@dataclass(frozen=True, eq=False)
class RateResult:
    """One target rate: its codecs in the study's order, `mean_bpp` as their files came out."""

    rate_bpp: float
    counts: Counts
    codecs: tuple[str, ...]
    mean_bpp: tuple[float, ...]
    shares: tuple[ItemShare, ...]
    places: PlacesBootstrap
    pairs: tuple[PairTest, ...]
    closest: Closest
    connectivity: Connectivity


def counts_of(rows: pd.DataFrame) -> Counts:
    return Counts(
        n_judgments=len(rows),
        n_tied=int((rows["first_won"] == 0.5).sum()),
        n_observers=int(rows["observer"].nunique()),
        n_sessions=int(rows["session"].nunique()),
        n_triplets=int(rows["triplet"].nunique()),
        n_sources=int(rows["source"].nunique()),
    )


def at_one_rate(rows: pd.DataFrame) -> pd.DataFrame:
    """Judgments of two codecs at one target rate, their files alike in size.

    The others (two target rates, sizes beyond the study's tolerance, one codec twice) say nothing
    of which codec is better at a rate.
    """
    is_pair = rows["first_codec"] != rows["second_codec"]
    return rows[rows["rate_bpp"].notna() & ~rows["is_apart"] & is_pair]


def results_by_rate(
    rows: pd.DataFrame, codecs: Sequence[str], names: dict[str, str], asked: Asked
) -> tuple[RateResult, ...]:
    """Each target rate by itself. `codecs`: the study's order; `names`: their labels."""
    comparable = at_one_rate(rows)
    return tuple(
        _at_rate(float(rate), comparable[comparable["rate_bpp"] == rate], (codecs, names), asked)
        for rate in sorted(comparable["rate_bpp"].unique())
    )


def _at_rate(
    rate: float, rows: pd.DataFrame, told: tuple[Sequence[str], dict[str, str]], asked: Asked
) -> RateResult:
    order, names = told
    present = {*rows["first_codec"], *rows["second_codec"]}
    codecs = [codec for codec in order if codec in present]
    found = comparisons_of(rows, [(codec, rate) for codec in codecs])
    places = bootstrap_places(found, level=asked.level, resamples=asked.resamples, seed=asked.seed)
    return RateResult(
        rate_bpp=rate,
        counts=counts_of(rows),
        codecs=tuple(codecs),
        mean_bpp=tuple(mean_bpp(rows, codec, rate) for codec in codecs),
        shares=win_shares(found, level=asked.level),
        places=places,
        pairs=pair_tests(found, level=asked.level),
        closest=closest(found, places),
        connectivity=connectivity(found, [names[codec] for codec in codecs]),
    )


def comparisons_of(rows: pd.DataFrame, items: Sequence[tuple[str, float]]) -> Comparisons:
    """Rows -> comparisons of (codec, target rate) items, numbered as `items`; observers by code."""
    code = {item: place for place, item in enumerate(items)}
    sides = [
        np.array([code[pair] for pair in zip(rows[codec], rows[target], strict=True)], dtype=int)
        for codec, target in (
            ("first_codec", "first_target_bpp"),
            ("second_codec", "second_target_bpp"),
        )
    ]
    observers, observer = np.unique(rows["observer"].to_numpy(dtype=str), return_inverse=True)
    return Comparisons(
        len(items), len(observers), observer, sides[0], sides[1], rows["first_won"].to_numpy()
    )


def mean_bpp(rows: pd.DataFrame, codec: str, rate: float) -> float:
    """Of the judged files of a codec at a target rate, each photo once."""
    sides = [
        rows.loc[
            (rows[f"{side}_codec"] == codec) & (rows[f"{side}_target_bpp"] == rate),
            ["source", f"{side}_bpp"],
        ].rename(columns={f"{side}_bpp": "bpp"})
        for side in ("first", "second")
    ]
    return float(pd.concat(sides).groupby("source")["bpp"].first().mean())
