"""The values of an agreement report, and their JSON and CSV forms; numbers only, no figures."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any

from codecs_eval.agreement.intervals import Bootstrap, Estimate

FORMAT = "triad-agreement/1"

CSV_COLUMNS = (
    "by",
    "slice",
    "kind",
    "name",
    "label",
    "agreement",
    "low",
    "high",
    "n_triplets",
    "n_judgments",
    "n_sources",
    "n_ties",
    "method",
    "reason",
    "is_simulated",
)


@dataclass(frozen=True)
class Subject:
    """What was judged and by whom; `part` is the part of the sources that the report is about."""

    name: str
    origin: str
    question: str
    polarity: str
    part: str
    is_simulated: bool


@dataclass(frozen=True)
class MetricScore:
    """A metric's agreement with people; `by_triplet`: each triplet counts the same."""

    name: str
    label: str
    colour: str
    marker: str
    higher_is_better: bool
    agreement: Estimate
    by_triplet: float
    n_judgments: int
    n_ties: int

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "label": self.label,
            "colour": self.colour,
            "marker": self.marker,
            "higher_is_better": self.higher_is_better,
            **_estimate_json(self.agreement, "agreement"),
            "agreement_by_triplet": self.by_triplet,
            "n_judgments": self.n_judgments,
            "n_ties": self.n_ties,
        }


@dataclass(frozen=True)
class PeopleScore:
    """People's agreement with each other; all None where it is not estimable, then with a reason.

    `n_qualifying` of `n_triplets` triplets have the two judgments that the estimates need.
    """

    unbiased: Estimate | None
    plugin: Estimate | None
    oracle: Estimate | None
    ideal: Estimate | None
    n_qualifying: int
    n_triplets: int
    reason: str | None

    def to_json(self) -> dict[str, Any]:
        found = {"unbiased": self.unbiased, "plugin": self.plugin}
        found |= {"oracle": self.oracle, "ideal": self.ideal}
        return {
            "status": "not estimable" if self.unbiased is None else "estimated",
            "reason": self.reason,
            "n_qualifying": self.n_qualifying,
            "n_triplets": self.n_triplets,
            **{
                name: None if estimate is None else _estimate_json(estimate, "value")
                for name, estimate in found.items()
            },
        }


@dataclass(frozen=True)
class Difference:
    """A metric's agreement minus the reference's, on the same triplets and resamples."""

    name: str
    label: str
    difference: Estimate


@dataclass(frozen=True)
class Differences:
    """All against one reference; `level` holds for all at once (Bonferroni), `level_each` alone."""

    reference: str
    level: float
    level_each: float
    rows: tuple[Difference, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "reference": self.reference,
            "level": self.level,
            "level_each": self.level_each,
            "rows": [
                {
                    "name": row.name,
                    "label": row.label,
                    **_estimate_json(row.difference, "difference"),
                }
                for row in self.rows
            ],
        }


@dataclass(frozen=True)
class SliceScore:
    """The same scores on some of the triplets."""

    by: str
    label: str
    rate_bpp: float | None
    note: str | None
    n_triplets: int
    n_judgments: int
    n_sources: int
    metrics: tuple[MetricScore, ...]
    people: PeopleScore

    def to_json(self) -> dict[str, Any]:
        return {
            "by": self.by,
            "label": self.label,
            "rate_bpp": self.rate_bpp,
            "note": self.note,
            "n_triplets": self.n_triplets,
            "n_judgments": self.n_judgments,
            "n_sources": self.n_sources,
            "metrics": [metric.to_json() for metric in self.metrics],
            "people": self.people.to_json(),
        }


@dataclass(frozen=True)
class AgreementReport:
    """Every metric against people on one part of one dataset, shares in 0..1."""

    subject: Subject
    bootstrap: Bootstrap
    n_sources: int
    n_triplets: int
    n_judgments: int
    n_not_sure: int
    metrics: tuple[MetricScore, ...]
    people: PeopleScore
    differences: Differences | None
    slices: tuple[SliceScore, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, no NaN; all that the plots and the page need."""
        return {
            "format": FORMAT,
            "dataset": {
                "name": self.subject.name,
                "origin": self.subject.origin,
                "question": self.subject.question,
                "polarity": self.subject.polarity,
            },
            "is_simulated": self.subject.is_simulated,
            "part": self.subject.part,
            "counts": {
                "sources": self.n_sources,
                "triplets": self.n_triplets,
                "judgments": self.n_judgments,
                "not_sure": self.n_not_sure,
            },
            "weighting": "every judgment counts the same",
            "intervals": {
                "level": self.bootstrap.level,
                "resamples": self.bootstrap.resamples,
                "seed": self.bootstrap.seed,
                "unit": "source",
            },
            "metrics": [metric.to_json() for metric in self.metrics],
            "people": self.people.to_json(),
            "differences": None if self.differences is None else self.differences.to_json(),
            "slices": [found.to_json() for found in self.slices],
        }

    def to_csv(self) -> str:
        """One row a metric or human reference, for all triplets and then for each slice."""
        buffer = io.StringIO()
        writer = csv.DictWriter(buffer, CSV_COLUMNS, lineterminator="\n")
        writer.writeheader()
        everything = self.to_json()
        for by, label, found in [
            ("all", "all", everything),
            *((row["by"], row["label"], row) for row in everything["slices"]),
        ]:
            for row in _csv_rows(found):
                writer.writerow(
                    {"by": by, "slice": label, **row, "is_simulated": self.subject.is_simulated}
                )
        return buffer.getvalue()


def _csv_rows(found: dict[str, Any]) -> list[dict[str, Any]]:
    rows = [
        {"kind": "metric", **{key: row[key] for key in CSV_COLUMNS if key in row}}
        for row in found["metrics"]
    ]
    people = found["people"]
    labels = {
        "unbiased": "people (unbiased)",
        "plugin": "people (plug-in, biased)",
        "oracle": "oracle",
        "ideal": "ideal observer (beta-binomial)",
    }
    for name, label in labels.items():
        entry = people[name] or {"reason": f"not estimable: {people['reason']}"}
        row = {key: entry[key] for key in CSV_COLUMNS if key in entry}
        if people[name]:
            row["agreement"] = entry["value"]
        rows.append({"kind": "people", "name": name, "label": label, **row})
    return rows


def _estimate_json(estimate: Estimate, value_name: str) -> dict[str, Any]:
    interval = estimate.interval
    return {
        value_name: estimate.value,
        "low": None if interval is None else interval.low,
        "high": None if interval is None else interval.high,
        "method": None if interval is None else interval.method,
        "reason": estimate.reason,
        "n_triplets": estimate.n_triplets,
        "n_sources": estimate.n_sources,
    }
