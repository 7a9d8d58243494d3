"""Triplets with their votes and each metric's distances, in one order; means over all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from codecs_eval.agreement.ballots import Ballots, ballots_of
from codecs_eval.agreement.intervals import (
    Asked,
    Bootstrap,
    Estimate,
    estimate_means,
    ratios,
)
from codecs_eval.agreement.scores import agreement_per_triplet, share_second
from codecs_eval.agreement.two_way import estimate_two_way, mean_totals

Floats = NDArray[np.float64]

_DISTANCE_COLUMNS = ("triplet_id", "d_first", "d_second")


@dataclass(frozen=True)
class MetricFacts:
    """What a metric's numbers cannot be read without; `low` and `high` are None where unbounded.

    `note` is the row's own remark. `baselines`: names of the metrics that it departs from, with
    which it is always compared where they are there.
    """

    version: str = ""
    definition: str = ""
    low: float | None = None
    high: float | None = None
    note: str = ""
    baselines: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "version": self.version,
            "definition": self.definition,
            "range_low": self.low,
            "range_high": self.high,
            "note": self.note,
            "baselines": list(self.baselines),
        }


@dataclass(frozen=True, eq=False)
class MetricDistances:
    """A metric's raw values per triplet: columns triplet_id, d_first, d_second (to the source).

    Values stay as the metric gives them; `higher_is_better` tells which way they point. A column
    p_second, where there is one, is the metric's own probability that the second is the closer.
    """

    name: str
    label: str
    higher_is_better: bool
    colour: str
    marker: str
    values: pd.DataFrame
    facts: MetricFacts = MetricFacts()


def values_of(triplets: pd.DataFrame, by_image: Mapping[str, float]) -> pd.DataFrame:
    """The columns of `MetricDistances.values` of some triplets, from a value for each image."""
    return pd.DataFrame(
        {
            "triplet_id": triplets["triplet_id"],
            "d_first": triplets["first_image"].map(by_image),
            "d_second": triplets["second_image"].map(by_image),
        }
    )


@dataclass(frozen=True, eq=False)
class Judged:
    """Triplets with their votes, and per metric the distances in the same order, lower closer.

    `ballots` are the single judgments where all raters are known, else None.
    """

    table: pd.DataFrame
    metrics: tuple[MetricDistances, ...]
    distances: tuple[tuple[Floats, Floats], ...]
    ballots: Ballots | None = None

    def column(self, name: str) -> Floats:
        return np.asarray(self.table[name], dtype=np.float64)

    @property
    def sources(self) -> list[str]:
        return [str(source) for source in self.table["source"]]

    @property
    def source_codes(self) -> NDArray[np.int64]:
        return np.unique(np.asarray(self.sources, dtype=str), return_inverse=True)[1]

    @property
    def share(self) -> Floats:
        return share_second(self.column("n"), self.column("k_second"))

    def where(self, is_member: NDArray[np.bool_]) -> Judged:
        return Judged(
            self.table[is_member].reset_index(drop=True),
            self.metrics,
            tuple((first[is_member], second[is_member]) for first, second in self.distances),
            None if self.ballots is None else self.ballots.where(is_member),
        )

    def means(
        self,
        if_first: Floats,
        if_second: Floats,
        bootstrap: Bootstrap,
        bounds: tuple[float, float] = (0.0, 1.0),
        null: float | None = None,
    ) -> list[Estimate]:
        """Mean over judgments of what each scores, per column of (triplets, statistics).

        `if_first` is the score of a judgment for the first image, `if_second` of one for the
        second; a not_sure scores half of each. Intervals are over sources and raters where the
        raters are known, else over sources.
        """
        share, n = self.share[:, None], self.column("n")
        values = (1 - share) * if_first + share * if_second
        if self.ballots is not None:
            crossed = mean_totals(self.ballots, self.source_codes, if_first, if_second)
            asked = Asked(bootstrap, bounds, null)
            found = estimate_two_way(crossed, ratios, asked, len(values))
            if found is not None:
                return found
        return estimate_means(values, n, self.sources, bootstrap, bounds, null)

    def agreements(self) -> tuple[Floats, Floats]:
        """What a judgment for the first and one for the second score, (triplets, metrics) each."""
        n = len(self.table)
        first, second = (
            np.stack(
                [agreement_per_triplet(d0, d1, np.full(n, share)) for d0, d1 in self.distances],
                axis=1,
            )
            for share in (0.0, 1.0)
        )
        return first, second


def join(
    triplets: pd.DataFrame,
    votes: pd.DataFrame,
    metrics: Sequence[MetricDistances],
    answers: pd.DataFrame | None = None,
) -> Judged:
    """Votes, triplets and distances by triplet id; ValueError names what does not fit together."""
    if votes.empty:
        raise ValueError("no judged triplets, expected at least one")
    table = votes.merge(triplets.drop(columns="source"), on="triplet_id", how="left")
    unknown = table.loc[table["first_codec"].isna(), "triplet_id"]
    if len(unknown):
        raise ValueError(f"votes on unknown triplets: {list(unknown[:5])}")
    names = [metric.name for metric in metrics]
    if len(set(names)) != len(names):
        raise ValueError(f"metrics named twice: {names}")
    found = tuple(_aligned(metric, table["triplet_id"]) for metric in metrics)
    ballots = None if answers is None else ballots_of(answers, table["triplet_id"])
    return Judged(table, tuple(metrics), found, ballots)


def _aligned(metric: MetricDistances, ids: pd.Series) -> tuple[Floats, Floats]:
    missing = [column for column in _DISTANCE_COLUMNS if column not in metric.values.columns]
    if missing:
        raise ValueError(f"{metric.name}: values lack the columns {missing}")
    if metric.values["triplet_id"].duplicated().any():
        raise ValueError(f"{metric.name}: several rows of values for one triplet")
    rows = metric.values.set_index("triplet_id").reindex(ids)
    lost = rows.index[rows["d_first"].isna() | rows["d_second"].isna()]
    if len(lost):
        raise ValueError(
            f"{metric.name}: no value for {len(lost)} judged triplets, such as {list(lost[:3])}"
        )
    sign = -1.0 if metric.higher_is_better else 1.0
    first = sign * rows["d_first"].to_numpy(dtype=np.float64)
    second = sign * rows["d_second"].to_numpy(dtype=np.float64)
    return first, second
