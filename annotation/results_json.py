"""Results as plain JSON values: what the page, the files and other programs read; no NaN."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from annotation.preference.intervals import Estimate, Interval
from annotation.preference.significance import CORRECTION, TEST, PairTest
from annotation.results_judging import RateResult


def estimate_json(found: Estimate) -> dict[str, Any]:
    """`value` is None where there is nothing to estimate, `low` and `high` where no interval is."""
    return {"value": _finite(found.value), **interval_json(found.interval), "reason": found.reason}


def interval_json(found: Interval | None) -> dict[str, Any]:
    return {
        "low": None if found is None else _finite(found.low),
        "high": None if found is None else _finite(found.high),
        "method": None if found is None else found.method,
    }


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def rate_json(found: RateResult) -> dict[str, Any]:
    return {
        "rate_bpp": found.rate_bpp,
        "counts": asdict(found.counts),
        "codecs": [_codec(found, place) for place in range(len(found.codecs))],
        "tie_parameter": estimate_json(found.places.tie_parameter()),
        "pairs": [_pair(found, pair) for pair in found.pairs],
        "test": TEST,
        "correction": CORRECTION,
        "closest": _closest(found),
        "warnings": list(found.connectivity.warnings),
    }


def _codec(found: RateResult, place: int) -> dict[str, Any]:
    share = found.shares[place]
    return {
        "codec": found.codecs[place],
        "mean_bpp": found.mean_bpp[place],
        "n_judgments": share.n,
        "n_won": share.n_won,
        "n_lost": share.n_lost,
        "n_tied": share.n_tied,
        "n_observers": share.n_observers,
        "share": estimate_json(share.share),
        "wilson_assuming_independence": interval_json(share.wilson_assuming_independence),
        "place": estimate_json(found.places.place(place)),
        "place_jnd": estimate_json(found.places.place_jnd(place)),
    }


def _pair(found: RateResult, pair: PairTest) -> dict[str, Any]:
    return {
        "first": found.codecs[pair.first],
        "second": found.codecs[pair.second],
        "n_judgments": pair.n,
        "n_first": pair.n_first,
        "n_second": pair.n_second,
        "n_tied": pair.n_tied,
        "n_observers": pair.n_observers,
        "share_first": estimate_json(pair.share_first),
        "difference_jnd": estimate_json(found.places.difference_jnd(pair.first, pair.second)),
        "p_value": pair.p_value,
        "p_adjusted": pair.p_adjusted,
        "is_different": pair.is_different(found.places.level),
    }


def _closest(found: RateResult) -> dict[str, Any]:
    top = found.closest
    return {
        "codecs": _named(found.codecs, top.tied),
        "is_tied": top.is_tied,
        "reason": top.reason,
        "level": top.level,
        "correction": top.correction,
        "against": [
            {
                "codec": found.codecs[other.item],
                "p_value": other.p_value,
                "p_adjusted": other.p_adjusted,
                "test": other.test,
            }
            for other in top.against
        ],
    }


def _named(codecs: Sequence[str], items: Sequence[int]) -> list[str]:
    return [codecs[item] for item in items]
