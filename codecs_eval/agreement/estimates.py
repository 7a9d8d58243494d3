"""An estimate as JSON: its number under a name of its own, interval, method, counts."""

from __future__ import annotations

from typing import Any

from codecs_eval.agreement.intervals import Estimate


def estimate_json(estimate: Estimate, value_name: str) -> dict[str, Any]:
    interval = estimate.interval
    return {
        value_name: estimate.value,
        "low": None if interval is None else interval.low,
        "high": None if interval is None else interval.high,
        "method": None if interval is None else interval.method,
        "reason": estimate.reason,
        "n_triplets": estimate.n_triplets,
        "n_sources": estimate.n_sources,
        "n_raters": None if interval is None else interval.n_raters,
    }
