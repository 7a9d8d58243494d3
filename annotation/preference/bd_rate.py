"""How much rate one codec saves against another where people see the same quality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotation.preference.bootstrap import APART, METHOD, PlacesBootstrap, limits_of
from annotation.preference.intervals import Interval
from codecs_eval.downstream.bd_rate import BdRate, bd_rate

# Draws with a number of their own, below which those that have one are a selection.
LEAST_DEFINED = 0.9
# PCHIP curves of this many draws take about a second for five codecs.
RESAMPLES = 400

ONE_WAY = (
    "between some of these points every comparison went one way, so their distance is the prior's"
)


@dataclass(frozen=True)
class HumanBdRate:
    """`found.percent`: mean rate difference, negative where `other` saves rate; None with the
    reason in `found.status`. `found.overlap`: qualities that both reach over those that at least
    one reaches. `interval`: of the percentage, over observers; else `reason` why there is none.
    """

    found: BdRate
    interval: Interval | None
    reason: str | None


def human_bd_rate(
    places: PlacesBootstrap,
    anchor: Sequence[tuple[float, int]],
    other: Sequence[tuple[float, int]],
) -> HumanBdRate:
    """`other` against `anchor`, each as (rate in bpp, item of the scale): its codec at its rates.

    Quality is the place in log-odds, of a scale on which all these items stand together: without
    comparisons across rates there is none, and the reason is told instead. Curve and integral:
    `codecs_eval.downstream.bd_rate`.
    """
    items = [item for _, item in (*anchor, *other)]
    refused = _refusal(places, items)
    if refused is not None:
        return HumanBdRate(
            BdRate(None, 0.0, (len(anchor), len(other)), f"n/a: {refused}"), None, refused
        )
    found = _of(places.scale.places, anchor, other)
    if found.percent is None or places.reason is not None:
        return HumanBdRate(found, None, places.reason or found.status)
    drawn = [_of(row, anchor, other).percent for row in places.draws[:RESAMPLES]]
    known = np.array([percent for percent in drawn if percent is not None])
    if len(known) < LEAST_DEFINED * len(drawn):
        reason = f"only {len(known)} of {len(drawn)} draws of observers give a number"
        return HumanBdRate(found, None, reason)
    low, high = limits_of(known[:, None], places.n_observers, places.level)[:, 0].tolist()
    interval = Interval(low, high, places.level, places.n_observers, METHOD, len(known))
    return HumanBdRate(found, interval, None)


def _refusal(places: PlacesBootstrap, items: Sequence[int]) -> str | None:
    if len(set(places.scale.part[list(items)].tolist())) > 1:
        return f"the rates are not on one scale: {APART}"
    if len(set(places.scale.bound[list(items)].tolist())) > 1:
        return ONE_WAY
    return None


def _of(
    quality: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    anchor: Sequence[tuple[float, int]],
    other: Sequence[tuple[float, int]],
) -> BdRate:
    curves = [[(rate, float(quality[item])) for rate, item in points] for points in (anchor, other)]
    return bd_rate(*curves)
