"""A study's counted judgments -> who won at which rate, as screened and with everybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from annotation.measured_crops import measure_study
from annotation.models import Session, Study
from annotation.results_analysis import Analysis, analyse, codecs_of
from annotation.results_config import StudyResultsConfig
from annotation.results_judging import Asked
from annotation.results_metrics import agreement_cells, metric_facts
from annotation.results_reading import StudyRows, read_rows
from codecs_eval.agreement.intervals import Bootstrap
from codecs_eval.named_codecs import codec_entry
from codecs_eval.runs import RunReporter

FORMAT = "triad-study-results/1"
NO_METRICS: dict[str, Any] = {
    "metrics": [],
    "cells": [],
    "everybody_cells": [],
    "notes": [],
    "n_in_part": 0,
    "n_without_pixels": 0,
}


@dataclass(frozen=True, eq=False)
class StudyResults:
    """All that is said of a study: always as screened, and with everybody beside it."""

    study: dict[str, Any]
    asked: Asked
    read_at: datetime
    left_out: list[dict[str, Any]]
    excluded: list[dict[str, Any]]
    n_withdrawn: int
    screened: Analysis
    everybody: Analysis
    metrics: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "study": self.study,
            "is_simulated": self.study["is_simulated"],
            "read_at": self.read_at.isoformat(),
            "intervals": {**asdict(self.asked), "unit": "observers"},
            "left_out": self.left_out,
            "excluded": self.excluded,
            "n_withdrawn": self.n_withdrawn,
            "screened": self.screened.to_json(),
            "everybody": self.everybody.to_json(),
            "metrics": self.metrics,
        }


def study_results(study: Study, config: StudyResultsConfig, reporter: RunReporter) -> StudyResults:
    """Compute everything; a minute or more where metrics are measured.

    Raises ValueError where no judgment counts yet, or the anchor is no codec of the study.
    """
    reporter.progress(0, 1, "reading the judgments")
    rows = read_rows(study)
    if rows.counted(everybody=True).empty:
        raise ValueError(f"Study {study.slug} has no judgment that counts yet.")
    codecs = codecs_of(study, rows.table)
    anchor = config.anchor or study.anchor_codec or codecs[0]
    if anchor not in codecs:
        raise ValueError(f"Found {anchor!r} to compare with; expected one of {', '.join(codecs)}.")
    asked = Asked(resamples=config.resamples, seed=config.seed)
    reporter.progress(0, 1, "fitting the scales")
    screened = analyse(rows, codecs, anchor, asked)
    everybody = screened
    if rows.table["is_excluded"].any():
        reporter.stop_if_asked()
        everybody = analyse(rows, codecs, anchor, asked, everybody=True)
    return StudyResults(
        study=_subject(study, codecs, anchor),
        asked=asked,
        read_at=rows.read_at,
        left_out=rows.left_out,
        excluded=rows.excluded,
        n_withdrawn=study.sessions.filter(state=Session.State.WITHDRAWN).count(),
        screened=screened,
        everybody=everybody,
        metrics=_metrics(study, rows, codecs, config, reporter),
    )


def _subject(study: Study, codecs: Sequence[str], anchor: str) -> dict[str, Any]:
    entries = {codec: codec_entry(codec) for codec in codecs}
    return {
        "slug": study.slug,
        "title": study.title,
        "version": study.version,
        "origin": study.origin,
        "purpose": study.purpose,
        "state": study.state,
        "is_simulated": study.is_simulated,
        "question": study.question,
        "polarity": study.polarity,
        "rate_tolerance": study.rate_tolerance,
        "anchor": anchor,
        "codecs": [
            {"name": name, "label": entry.label, "colour": entry.colour, "marker": entry.marker}
            for name, entry in entries.items()
        ],
    }


def _metrics(
    study: Study,
    rows: StudyRows,
    codecs: Sequence[str],
    config: StudyResultsConfig,
    reporter: RunReporter,
) -> dict[str, Any]:
    """Metrics beside the people of the screened sessions, and beside everybody."""
    if not config.metrics:
        return {**NO_METRICS, "notes": ["No metric was asked for."]}
    everybody = rows.counted(everybody=True)
    measured = measure_study(study, everybody, config.metrics, reporter)
    bootstrap = Bootstrap(resamples=config.resamples, seed=config.seed)
    asked = (codecs, study.rate_tolerance, bootstrap, reporter)
    cells = agreement_cells(measured.judged(rows.counted()), *asked)
    every_cell = cells
    if rows.table["is_excluded"].any():
        every_cell = agreement_cells(measured.judged(everybody), *asked)
    return {
        "metrics": metric_facts(measured.distances),
        "cells": cells,
        "everybody_cells": every_cell,
        "notes": measured.notes,
        "n_in_part": measured.n_in_part,
        "n_without_pixels": measured.n_without_pixels,
    }
