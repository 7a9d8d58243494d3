"""The sentences under an agreement figure: what is shown, of whom, how many, how the intervals."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

_LINE_LENGTH = 126

Report = Mapping[str, Any]


def judges(report: Report, with_each_other: bool = False) -> str:
    """Who answered, in words: simulated observers are never called people."""
    if report["is_simulated"]:
        return "simulated observers"
    return "people with each other" if with_each_other else "people"


def agreement_caption(report: Report) -> list[str]:
    """Lines under the figure of all metrics."""
    sentence = "Dots: share of the judgments that a metric agrees with."
    if report["people"]["ideal"] is not None:
        sentence += " Every judgment counts the same; in the ideal observer every triplet does."
    return _caption(report, sentence, [*report["metrics"], *_banded([report])])


def rate_caption(report: Report, slices: Sequence[Report]) -> list[str]:
    """Lines under the figure of agreement by rate."""
    sentence = f"Agreement by {slices[0]['by']}, n = triplets at that rate."
    rows = [row for found in slices for row in found["metrics"]]
    return _caption(report, sentence, [*rows, *_banded(slices)])


def reliability_caption(report: Report) -> list[str]:
    """Lines under the reliability diagram."""
    found = report["calibration"]
    rows = [each for row in found["metrics"] for each in row["bins"]]
    heads = {row["head"] for row in found["metrics"]}
    how = "; ".join(found["heads"][head] for head in sorted(heads))
    sentence = (
        "Dots: judgments in bins of 5 points of the stated probability; the line: it can be taken "
        f"at its word. Probability: {how}."
    )
    return _caption(report, sentence, rows, with_people=False)


def shortened(label: str, length: int = 26) -> str:
    """A label that fits beside a plot."""
    return label if len(label) <= length else f"{label[: length - 1]}…"


def _caption(
    report: Report, sentence: str, rows: Sequence[Report], with_people: bool = True
) -> list[str]:
    counts = report["counts"]
    parts = [
        sentence,
        f"Dataset {shortened(report['dataset']['name'], 60)}, {report['part']} sources:",
        f"n = {_count(counts['triplets'], 'triplet')}, {_count(counts['judgments'], 'judgment')}, "
        f"{_count(counts['sources'], 'source')}.",
        _intervals(report, rows),
    ]
    if with_people:
        parts += _people(report)
    if report["is_simulated"]:
        parts.append("SIMULATED: no person gave these answers.")
    return textwrap.wrap(" ".join(parts), _LINE_LENGTH)


def _intervals(report: Report, rows: Sequence[Report]) -> str:
    methods = sorted({row["method"] for row in rows if row["method"] is not None})
    if not methods:
        return "No intervals: they need at least two sources that differ."
    level = f"{100 * report['intervals']['level']:g} %"
    said = f"Whiskers and band: {level} intervals, {' or '.join(methods)}."
    has_hollow = any(row["low"] is None for row in rows if "marker" in row or "predicted" in row)
    return f"{said} Hollow: no interval (too few sources)." if has_hollow else said


def _people(report: Report) -> list[str]:
    people = report["people"]
    who = judges(report).capitalize()
    if people["unbiased"] is None:
        return [f"{who} with each other: not estimable ({people['reason']})."]
    return (
        [f"Dashed, {who.lower()} with each other: {people['reason']}."] if people["reason"] else []
    )


def is_partly(people: Report) -> bool:
    """Whether people's scores rest on fewer triplets than the metrics'."""
    return bool(people["n_qualifying"] < people["n_triplets"])


def _banded(slices: Sequence[Report]) -> list[Report]:
    """What the band shows, where there is one: it may have another method than the whiskers."""
    found = [row["people"]["unbiased"] for row in slices]
    return [row for row in found if row is not None]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
