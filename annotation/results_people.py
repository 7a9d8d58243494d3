"""What the answers say of those who gave them: agreement, consistency, times, learning."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from annotation.preference import consistency, timing
from annotation.preference.intervals import Estimate
from annotation.preference.leaving_out import AgreementEstimate
from annotation.results_json import estimate_json
from annotation.results_judging import Asked

# Of fewer votes a triplet's share tells too little of how hard it is.
LEAST_VOTES = 3


@dataclass(frozen=True, eq=False)
class PeopleResult:
    """`observers`: each one's agreement with the majority of the others, lowest first, by id."""

    alpha: AgreementEstimate
    unbiased: AgreementEstimate
    n_repeats: int
    repeats: Estimate
    observers: tuple[tuple[str, consistency.ObserverAgreement], ...]
    times: timing.ResponseTimes
    by_difficulty: tuple[timing.Bin, ...]
    trend: timing.Trend

    def to_json(self) -> dict[str, Any]:
        return {
            "alpha": _agreement(self.alpha),
            "agreement": _agreement(self.unbiased),
            "n_repeats": self.n_repeats,
            "repeats": estimate_json(self.repeats),
            "observers": [
                {"observer": name, "n_judgments": row.n, "agreement": row.agreement}
                for name, row in self.observers
            ],
            "times": {
                "n_judgments": self.times.n,
                "n_observers": self.times.n_observers,
                "median_ms": estimate_json(self.times.median_ms),
                "quantiles_ms": [
                    {"quantile": quantile, "ms": ms if np.isfinite(ms) else None}
                    for quantile, ms in self.times.quantiles_ms.items()
                ],
            },
            "by_difficulty": [_bin(row) for row in self.by_difficulty],
            "over_session": [_bin(row) for row in self.trend.bins],
            "change_per_trial": estimate_json(self.trend.change_per_trial),
            "change_p_value": self.trend.p_value,
        }


def _agreement(found: AgreementEstimate) -> dict[str, Any]:
    counts = {"n_judgments": found.n_judgments, "n_observers": found.n_observers}
    return {**estimate_json(found), **counts}


def _bin(row: timing.Bin) -> dict[str, Any]:
    return {**asdict(row), "median_ms": estimate_json(row.median_ms)}


def people_result(rows: pd.DataFrame, with_repeats: pd.DataFrame, asked: Asked) -> PeopleResult:
    """`rows`: the judgments that count; `with_repeats`: the same sessions' repeats as well."""
    names, observer = np.unique(rows["observer"].to_numpy(dtype=str), return_inverse=True)
    unit, won = rows["triplet"].to_numpy(), rows["first_won"].to_numpy(dtype=np.float64)
    each = consistency.observer_agreements(unit, observer, won)
    repeats = _repeats(with_repeats)
    times = _measured_ms(rows)
    return PeopleResult(
        alpha=consistency.krippendorff_alpha(unit, observer, won, level=asked.level),
        unbiased=consistency.unbiased_agreement(unit, observer, won, level=asked.level),
        n_repeats=len(repeats),
        repeats=consistency.repeat_consistency(
            repeats["observer"], repeats["first_won"], repeats["again"], level=asked.level
        ),
        observers=tuple(
            (str(names[row.observer]), row) for row in sorted(each, key=lambda row: row.agreement)
        ),
        times=timing.response_times(observer, times, level=asked.level, seed=asked.seed),
        by_difficulty=timing.by_difficulty(
            observer, times, _shares(rows), level=asked.level, seed=asked.seed
        ),
        trend=timing.over_session(
            observer, times, _places(rows, with_repeats), level=asked.level, seed=asked.seed
        ),
    )


def _repeats(rows: pd.DataFrame) -> pd.DataFrame:
    """One row a repeat: observer, first_won at the first showing, and again."""
    key = ["observer", "triplet"]
    again = rows.loc[rows["is_repeat"], [*key, "first_won"]]
    first = rows.loc[~rows["is_repeat"], [*key, "first_won"]]
    return first.merge(again.rename(columns={"first_won": "again"}), on=key)


def _measured_ms(rows: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Time before the visible page; NaN where it was not measured."""
    times = rows["active_ms"].to_numpy(dtype=np.float64)
    return np.where(times > 0, times, np.nan)


def _shares(rows: pd.DataFrame) -> pd.Series:
    """The share of each judgment's triplet that its judgments gave to the first copy."""
    by_triplet = rows.groupby("triplet")["first_won"]
    return by_triplet.transform("mean").where(by_triplet.transform("size") >= LEAST_VOTES)


def _places(rows: pd.DataFrame, with_repeats: pd.DataFrame) -> pd.Series:
    """The place of a judgment among its session's trials, from 0."""
    return (
        rows["position"]
        - with_repeats.groupby("session")["position"].min().reindex(rows["session"]).to_numpy()
    )
