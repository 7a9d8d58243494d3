"""Metrics beside people at each rate and pair of codecs: agreement on the same triplets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.results_reading import are_apart
from codecs_eval.agreement.estimates import estimate_json
from codecs_eval.agreement.intervals import Bootstrap
from codecs_eval.agreement.judged import Judged, MetricDistances
from codecs_eval.agreement.people import score_people
from codecs_eval.agreement.report import score_metrics
from codecs_eval.agreement.results import MetricScore
from codecs_eval.runs import RunReporter


def agreement_cells(
    judged: Judged | None,
    codecs: Sequence[str],
    tolerance: float,
    bootstrap: Bootstrap,
    reporter: RunReporter,
) -> list[dict[str, Any]]:
    """Agreement over all, at each rate, and at each rate and pair of codecs; shares in 0..1.

    At a rate stand the triplets that count there, as everywhere in the results. People's figures
    are their agreement with each other on the same triplets (unbiased), and the oracle: the best
    that any metric could reach on these very judgments.
    """
    if judged is None:
        return []
    cuts = list(_cuts(judged.table, codecs, tolerance))
    cells = []
    for index, (facts, is_member) in enumerate(cuts):
        reporter.stop_if_asked()
        reporter.progress(index, len(cuts), "comparing metrics with people")
        cells.append({**facts, **_cell(judged.where(is_member), bootstrap)})
    return cells


def _cell(inside: Judged, bootstrap: Bootstrap) -> dict[str, Any]:
    people = score_people(inside, bootstrap).to_json()
    names = ("unbiased", "oracle", "reason", "n_qualifying")
    return {
        "n_triplets": len(inside.table),
        "n_judgments": int(inside.table["n"].sum()),
        "n_sources": int(inside.table["source"].nunique()),
        "n_observers": None if inside.ballots is None else inside.ballots.n_raters,
        "people": {name: people[name] for name in names},
        "metrics": [_score(row) for row in score_metrics(inside, bootstrap)],
    }


def _score(row: MetricScore) -> dict[str, Any]:
    """What differs from cell to cell; how a metric is called and drawn is said once."""
    return {"name": row.name, **estimate_json(row.agreement, "agreement"), "n_ties": row.n_ties}


def metric_facts(found: Sequence[MetricDistances]) -> list[dict[str, Any]]:
    """Each metric once: how it is called and drawn, what its numbers mean."""
    return [
        {
            "name": metric.name,
            "label": metric.label,
            "colour": metric.colour,
            "marker": metric.marker,
            "higher_is_better": metric.higher_is_better,
            **metric.facts.to_json(),
        }
        for metric in found
    ]


def _cuts(
    table: pd.DataFrame, codecs: Sequence[str], tolerance: float
) -> Iterator[tuple[dict[str, Any], NDArray[np.bool_]]]:
    """All; then each rate; then each pair of codecs at a rate, in the study's order of codecs."""
    yield {"rate_bpp": None, "pair": None}, np.ones(len(table), dtype=bool)
    order = {codec: place for place, codec in enumerate(codecs)}
    pairs = [
        tuple(sorted(pair, key=lambda codec: order.get(codec, len(order))))
        for pair in zip(table["first_codec"], table["second_codec"], strict=True)
    ]
    is_same = (
        (table["first_target_bpp"] == table["second_target_bpp"])
        & (table["first_codec"] != table["second_codec"])
        & ~are_apart(table, tolerance)
    ).to_numpy()
    rates = table["first_target_bpp"].to_numpy()
    known = sorted(set(rates[is_same & (rates > 0)]))
    for rate in known:
        yield {"rate_bpp": float(rate), "pair": None}, is_same & (rates == rate)
    for rate in known:
        at_rate = is_same & (rates == rate)
        found = {pair for pair, is_in in zip(pairs, at_rate, strict=True) if is_in}
        for pair in sorted(found, key=lambda p: [order.get(codec, len(order)) for codec in p]):
            is_pair = np.array([other == pair for other in pairs])
            yield {"rate_bpp": float(rate), "pair": list(pair)}, at_rate & is_pair
