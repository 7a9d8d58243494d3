"""One scale over codecs and rates, where comparisons across rates allow it; BD-rate on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from annotation.preference.bd_rate import HumanBdRate, human_bd_rate
from annotation.preference.bootstrap import PlacesBootstrap, bootstrap_places
from annotation.preference.connectivity import Connectivity, connectivity
from annotation.results_json import estimate_json, interval_json
from annotation.results_judging import Asked, comparisons_of, mean_bpp

Item = tuple[str, float]

UNCONNECTED = (
    "Codecs at different rates were never compared, not even through others, so there is no one "
    "scale over the rates and no BD-rate by people. Ask about pairs of different rates as well."
)


@dataclass(frozen=True, eq=False)
class JointScale:
    """Codecs at target rates on one line; `reason` instead where the comparisons join no rates."""

    items: tuple[Item, ...]
    mean_bpp: tuple[float, ...]
    n_judgments: int
    places: PlacesBootstrap | None
    connectivity: Connectivity
    savings: dict[str, HumanBdRate]
    anchor: str
    reason: str | None

    def to_json(self) -> dict[str, Any]:
        return {
            "reason": self.reason,
            "anchor": self.anchor,
            "n_judgments": self.n_judgments,
            "n_parts": len(self.connectivity.parts),
            "warnings": [] if self.reason else list(self.connectivity.warnings),
            "items": [] if self.places is None else _items(self, self.places),
            "bd_rate": [_saving(codec, found) for codec, found in self.savings.items()],
        }


def joint_scale(
    rows: pd.DataFrame,
    codecs: Sequence[str],
    names: dict[str, str],
    anchor: str,
    asked: Asked,
) -> JointScale:
    """All judgments of two codecs or two known target rates, those between two rates as well."""
    is_known = (rows["first_target_bpp"] > 0) & (rows["second_target_bpp"] > 0)
    # Two files of one codec at one rate are one item, which has no place beside itself.
    is_one = (rows["first_codec"] == rows["second_codec"]) & (
        rows["first_target_bpp"] == rows["second_target_bpp"]
    )
    known = rows[is_known & ~is_one]
    items = _present(known, codecs)
    found = comparisons_of(known, items)
    labels = [f"{names[codec]} at {rate:g} bpp" for codec, rate in items]
    told = connectivity(found, labels)
    rates = tuple(mean_bpp(known, codec, rate) for codec, rate in items)
    if not items or not told.is_connected:
        reason = UNCONNECTED if items else "No judgment of two codecs or rates has known rates."
        return JointScale(items, rates, found.n, None, told, {}, anchor, reason)
    places = bootstrap_places(found, level=asked.level, resamples=asked.resamples, seed=asked.seed)
    curves = {
        codec: [
            (rate, place)
            for place, (item, rate) in enumerate(zip(items, rates, strict=True))
            if item[0] == codec and rate > 0
        ]
        for codec in codecs
    }
    savings = {
        codec: human_bd_rate(places, curves[anchor], curve)
        for codec, curve in curves.items()
        if codec != anchor and curve and curves[anchor]
    }
    return JointScale(items, rates, found.n, places, told, savings, anchor, None)


def _present(rows: pd.DataFrame, codecs: Sequence[str]) -> tuple[Item, ...]:
    """In the study's order of codecs, then by rate."""
    order = {codec: place for place, codec in enumerate(codecs)}
    pairs = {
        *zip(rows["first_codec"], rows["first_target_bpp"], strict=True),
        *zip(rows["second_codec"], rows["second_target_bpp"], strict=True),
    }
    return tuple(sorted(pairs, key=lambda item: (order[item[0]], item[1])))


def _items(found: JointScale, places: PlacesBootstrap) -> list[dict[str, Any]]:
    return [
        {
            "codec": codec,
            "rate_bpp": rate,
            "mean_bpp": found.mean_bpp[place],
            "place": estimate_json(places.place(place)),
            "place_jnd": estimate_json(places.place_jnd(place)),
        }
        for place, (codec, rate) in enumerate(found.items)
    ]


def _saving(codec: str, saving: HumanBdRate) -> dict[str, Any]:
    return {
        "codec": codec,
        "percent": saving.found.percent,
        "overlap": saving.found.overlap,
        "n_points": list(saving.found.n_points),
        "status": saving.found.status,
        **interval_json(saving.interval),
        "reason": saving.reason,
    }
