"""Judgments and distances -> the agreement report: every metric beside what people reach.

Every judgment counts the same: a triplet weighs as much as it has judgments. Where all triplets
have equally many, this is the mean over triplets of the literature; else that one stands beside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from codecs_eval.agreement.dataset import FrozenDataset, Part
from codecs_eval.agreement.ideal import ideal_observer
from codecs_eval.agreement.intervals import Bootstrap, estimate_means
from codecs_eval.agreement.results import (
    AgreementReport,
    Difference,
    Differences,
    MetricScore,
    PeopleScore,
    SliceScore,
    Subject,
)
from codecs_eval.agreement.scores import (
    agreement_per_triplet,
    human_plugin,
    human_unbiased,
    oracle,
    share_second,
)
from codecs_eval.agreement.slices import selections

Floats = NDArray[np.float64]

# Below this share the triplets that happen to have two judgments cannot stand for the dataset.
MIN_QUALIFYING_SHARE = 0.1

_DISTANCE_COLUMNS = ("triplet_id", "d_first", "d_second")


@dataclass(frozen=True, eq=False)
class MetricDistances:
    """A metric's raw values per triplet: columns triplet_id, d_first, d_second (to the source).

    Values stay as the metric gives them; `higher_is_better` tells which way they point.
    """

    name: str
    label: str
    higher_is_better: bool
    colour: str
    marker: str
    values: pd.DataFrame


@dataclass(frozen=True, eq=False)
class _Judged:
    """Triplets with their votes, and per metric the distances in the same order, lower closer."""

    table: pd.DataFrame
    metrics: tuple[MetricDistances, ...]
    distances: tuple[tuple[Floats, Floats], ...]

    def column(self, name: str) -> Floats:
        return np.asarray(self.table[name], dtype=np.float64)

    @property
    def sources(self) -> list[str]:
        return [str(source) for source in self.table["source"]]

    def where(self, is_member: NDArray[np.bool_]) -> _Judged:
        return _Judged(
            self.table[is_member].reset_index(drop=True),
            self.metrics,
            tuple((first[is_member], second[is_member]) for first, second in self.distances),
        )


def evaluate_dataset(
    dataset: FrozenDataset,
    metrics: Sequence[MetricDistances],
    part: Part = "test",
    bootstrap: Bootstrap | None = None,
) -> AgreementReport:
    """Report on one part of a dataset's sources, held-out ones unless told otherwise."""
    names = dataset.sources(part)
    if not names:
        raise ValueError(f"dataset {dataset.manifest.name!r} has no {part} sources to report on")
    kept = dataset.restricted_to(names)
    manifest = dataset.manifest
    subject = Subject(
        name=manifest.name,
        origin=manifest.origin,
        question=manifest.question,
        polarity=manifest.polarity,
        part=part,
        is_simulated=manifest.is_simulated,
    )
    return evaluate(kept.triplets, kept.votes(), metrics, subject, bootstrap or Bootstrap())


def evaluate(
    triplets: pd.DataFrame,
    votes: pd.DataFrame,
    metrics: Sequence[MetricDistances],
    subject: Subject,
    bootstrap: Bootstrap,
) -> AgreementReport:
    """Score metrics and people on the judged triplets, over all and by slices.

    `triplets` and `votes` as in `FrozenDataset`; each metric needs a finite or infinite value (not
    NaN) for every judged triplet. Differences are against the first metric.
    """
    judged = _judged(triplets, votes, metrics)
    people = _people(judged, bootstrap)
    cuts = selections(judged.table, with_difficulty=people.unbiased is not None)
    slices = []
    for cut in cuts:
        inside = judged.where(cut.is_member)
        slices.append(
            SliceScore(
                by=cut.by,
                label=cut.label,
                rate_bpp=cut.rate_bpp,
                note=cut.note,
                n_triplets=len(inside.table),
                n_judgments=int(inside.table["n"].sum()),
                n_sources=inside.table["source"].nunique(),
                metrics=_metrics(inside, bootstrap),
                people=_people(inside, bootstrap),
            )
        )
    return AgreementReport(
        subject=subject,
        bootstrap=bootstrap,
        n_sources=judged.table["source"].nunique(),
        n_triplets=len(judged.table),
        n_judgments=int(judged.table["n"].sum()),
        n_not_sure=int(judged.table["n_not_sure"].sum()),
        metrics=_metrics(judged, bootstrap),
        people=people,
        differences=_differences(judged, bootstrap),
        slices=tuple(slices),
    )


def people_score(votes: pd.DataFrame, bootstrap: Bootstrap) -> PeopleScore:
    """People's agreement with each other from votes alone (source, n, k_second, n_not_sure)."""
    return _people(_Judged(votes, (), ()), bootstrap)


def _judged(
    triplets: pd.DataFrame, votes: pd.DataFrame, metrics: Sequence[MetricDistances]
) -> _Judged:
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
    return _Judged(table, tuple(metrics), found)


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


def _agreements(judged: _Judged) -> Floats:
    """Agreement per triplet and metric, (triplets, metrics)."""
    share = share_second(judged.column("n"), judged.column("k_second"))
    return np.stack(
        [agreement_per_triplet(first, second, share) for first, second in judged.distances], axis=1
    )


def _metrics(judged: _Judged, bootstrap: Bootstrap) -> tuple[MetricScore, ...]:
    if not judged.metrics:
        return ()
    values = _agreements(judged)
    n = judged.column("n")
    scores = []
    for index, found in enumerate(estimate_means(values, n, judged.sources, bootstrap)):
        metric = judged.metrics[index]
        first, second = judged.distances[index]
        scores.append(
            MetricScore(
                name=metric.name,
                label=metric.label,
                colour=metric.colour,
                marker=metric.marker,
                higher_is_better=metric.higher_is_better,
                agreement=found,
                by_triplet=float(values[:, index].mean()),
                n_judgments=int(n.sum()),
                n_ties=int(np.sum(first == second)),
            )
        )
    return tuple(scores)


def _differences(judged: _Judged, bootstrap: Bootstrap) -> Differences | None:
    if len(judged.metrics) < 2:
        return None
    values = _agreements(judged)
    n_rows = len(judged.metrics) - 1
    # Several comparisons at once: each gets its share of the error (Bonferroni).
    each = replace(bootstrap, level=1 - (1 - bootstrap.level) / n_rows)
    found = estimate_means(
        values[:, 1:] - values[:, :1], judged.column("n"), judged.sources, each, (-1.0, 1.0)
    )
    rows = tuple(
        Difference(metric.name, metric.label, estimate)
        for metric, estimate in zip(judged.metrics[1:], found, strict=True)
    )
    return Differences(judged.metrics[0].name, bootstrap.level, each.level, rows)


def _people(judged: _Judged, bootstrap: Bootstrap) -> PeopleScore:
    qualifies = judged.column("n") >= 2
    n_triplets, n_qualifying = len(qualifies), int(qualifies.sum())
    if n_qualifying == 0 or n_qualifying < MIN_QUALIFYING_SHARE * n_triplets:
        reason = (
            f"{n_qualifying} of {n_triplets} triplets have the two judgments that this needs"
            + (f", at least {MIN_QUALIFYING_SHARE:.0%} must" if n_qualifying else "")
        )
        return PeopleScore(None, None, None, None, n_qualifying, n_triplets, reason)
    kept = judged.where(qualifies)
    n, k, unsure = (kept.column(name) for name in ("n", "k_second", "n_not_sure"))
    share = share_second(n, k)
    values = np.stack([human_unbiased(n, k, unsure), human_plugin(share), oracle(share)], axis=1)
    unbiased, plugin, best = estimate_means(values, n, kept.sources, bootstrap)
    has_sure_pair = bool(np.any(n - unsure >= 2))
    ideal = ideal_observer(n, k, unsure, kept.sources, bootstrap) if has_sure_pair else None
    partly = f"estimated on the {n_qualifying} of {n_triplets} triplets with two judgments"
    return PeopleScore(
        unbiased,
        plugin,
        best,
        ideal,
        n_qualifying,
        n_triplets,
        reason=partly if n_qualifying < n_triplets else None,
    )
