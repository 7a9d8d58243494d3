"""The values of an agreement report, and their JSON and CSV forms; numbers only, no figures."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any

from codecs_eval.agreement.calibration import Calibration
from codecs_eval.agreement.differences import Differences
from codecs_eval.agreement.estimates import estimate_json
from codecs_eval.agreement.intervals import Bootstrap, Estimate
from codecs_eval.agreement.judged import MetricFacts
from codecs_eval.agreement.people import PeopleScore

FORMAT = "triad-agreement/2"
WEIGHTING = "every judgment counts the same, but in the ideal observer, where every triplet does"

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
    "n_raters",
    "n_ties",
    "method",
    "reason",
    "higher_is_better",
    "range_low",
    "range_high",
    "version",
    "definition",
    "note",
    "is_simulated",
)
PEOPLE_LABELS = {
    "unbiased": "people (unbiased)",
    "plugin": "people (plug-in, biased)",
    "oracle": "oracle",
    "left_out": "judgment against the majority of the others",
    "ideal": "ideal observer (beta-binomial, by triplet)",
}


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
    facts: MetricFacts

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "label": self.label,
            "colour": self.colour,
            "marker": self.marker,
            "higher_is_better": self.higher_is_better,
            **estimate_json(self.agreement, "agreement"),
            "agreement_by_triplet": self.by_triplet,
            "n_judgments": self.n_judgments,
            "n_ties": self.n_ties,
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
    """Every metric against people on one part of one dataset, shares in 0..1.

    `n_raters` is None where raters are not known.
    """

    subject: Subject
    bootstrap: Bootstrap
    n_sources: int
    n_triplets: int
    n_judgments: int
    n_not_sure: int
    n_raters: int | None
    metrics: tuple[MetricScore, ...]
    people: PeopleScore
    differences: Differences | None
    calibration: Calibration
    slices: tuple[SliceScore, ...]

    @property
    def unit(self) -> str:
        """What the metrics' intervals resample: raters are passed over where they are too few."""
        made = [row.agreement.interval for row in self.metrics]
        has_raters = any(interval and interval.n_raters for interval in made)
        return "source x rater" if has_raters else "source"

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
                "raters": self.n_raters,
            },
            "weighting": WEIGHTING,
            "intervals": {
                "level": self.bootstrap.level,
                "resamples": self.bootstrap.resamples,
                "seed": self.bootstrap.seed,
                "unit": self.unit,
            },
            "metrics": [{**row.to_json(), **row.facts.to_json()} for row in self.metrics],
            "people": self.people.to_json(),
            "differences": None if self.differences is None else self.differences.to_json(),
            "calibration": self.calibration.to_json(),
            "slices": [found.to_json() for found in self.slices],
        }

    def to_csv(self) -> str:
        """One row a metric or human reference, for all triplets and then for each slice.

        What a metric is (range, version, definition, note) stands in its row for all triplets.
        """
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
    for name, label in PEOPLE_LABELS.items():
        entry = people[name] or {"reason": f"not estimable: {people['reason']}"}
        row = {key: entry[key] for key in CSV_COLUMNS if key in entry}
        if people[name]:
            row["agreement"] = entry["value"]
        rows.append({"kind": "people", "name": name, "label": label, **row})
    return rows
