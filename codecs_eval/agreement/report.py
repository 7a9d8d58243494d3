"""Judgments and distances -> the agreement report: every metric beside what people reach.

Every judgment counts the same: a triplet weighs as much as it has judgments. Where all triplets
have equally many, this is the mean over triplets of the literature; else that one stands beside.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codecs_eval.agreement.calibration import calibrate
from codecs_eval.agreement.dataset import FrozenDataset, Part
from codecs_eval.agreement.differences import FIRST, differences
from codecs_eval.agreement.intervals import Bootstrap
from codecs_eval.agreement.judged import Judged, MetricDistances, join
from codecs_eval.agreement.people import score_people
from codecs_eval.agreement.results import AgreementReport, MetricScore, SliceScore, Subject
from codecs_eval.agreement.slices import selections

__all__ = ["MetricDistances", "evaluate", "evaluate_dataset", "score_metrics"]


def evaluate_dataset(
    dataset: FrozenDataset,
    metrics: Sequence[MetricDistances],
    part: Part = "test",
    bootstrap: Bootstrap | None = None,
    reference: str = FIRST,
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
    judged = join(kept.triplets, kept.votes(), metrics, kept.answers())
    return evaluate(judged, subject, bootstrap or Bootstrap(), reference)


def evaluate(
    judged: Judged, subject: Subject, bootstrap: Bootstrap, reference: str = FIRST
) -> AgreementReport:
    """Score metrics and people on the judged triplets, over all and by slices.

    `reference`: the metric that the others are compared with; see `differences`.
    """
    people = score_people(judged, bootstrap)
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
                metrics=score_metrics(inside, bootstrap),
                people=score_people(inside, bootstrap),
            )
        )
    return AgreementReport(
        subject=subject,
        bootstrap=bootstrap,
        n_sources=judged.table["source"].nunique(),
        n_triplets=len(judged.table),
        n_judgments=int(judged.table["n"].sum()),
        n_not_sure=int(judged.table["n_not_sure"].sum()),
        n_raters=None if judged.ballots is None else judged.ballots.n_raters,
        metrics=score_metrics(judged, bootstrap),
        people=people,
        differences=differences(judged, bootstrap, reference),
        calibration=calibrate(judged, bootstrap),
        slices=tuple(slices),
    )


def score_metrics(judged: Judged, bootstrap: Bootstrap) -> tuple[MetricScore, ...]:
    """How each metric agrees with the judgments of these triplets, intervals as `people` has."""
    if not judged.metrics:
        return ()
    if_first, if_second = judged.agreements()
    share = judged.share[:, None]
    by_triplet = np.mean((1 - share) * if_first + share * if_second, axis=0)
    scores = []
    for index, found in enumerate(judged.means(if_first, if_second, bootstrap)):
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
                by_triplet=float(by_triplet[index]),
                n_judgments=int(judged.table["n"].sum()),
                n_ties=int(np.sum(first == second)),
                facts=metric.facts,
            )
        )
    return tuple(scores)
