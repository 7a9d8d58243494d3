"""A study's rows -> the table of judgments that its results rest on, and what was left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd
from django.db.models import Case, Count, F, Q, When
from django.utils import timezone

from annotation import screening
from annotation.models import Judgment, Session, Study, Triplet

BATCH = 20_000
_COLUMNS = {
    "trial__triplet_id": "triplet",
    "trial__triplet__source__name": "source",
    "trial__annotator_id": "observer",
    "trial__session_id": "session",
    "trial__session__verdict": "verdict",
    "trial__position": "position",
    "trial__is_repeat": "is_repeat",
    "trial__triplet__first__codec": "first_codec",
    "trial__triplet__first__target_bpp": "first_target_bpp",
    "trial__triplet__first__bpp": "first_bpp",
    "trial__triplet__second__codec": "second_codec",
    "trial__triplet__second__target_bpp": "second_target_bpp",
    "trial__triplet__second__bpp": "second_bpp",
    "choice": "choice",
    "trial__first_on_left": "first_on_left",
    "response_ms": "response_ms",
    "hidden_ms": "hidden_ms",
    "is_part": "is_part",
}


@dataclass(frozen=True, eq=False)
class StudyRows:
    """`table`: standing judgments of main triplets, warm-ups out, one row each.

    Repeats and excluded sessions are in it, marked (is_repeat, is_excluded), for some results are
    about them. `first_won` is 1 where the first copy was found closer to the original, 0 where the
    second was, 0.5 for "not sure": a question for the copy that differs more is turned round here,
    once. `rate_bpp` is the common target rate of both copies, NaN where they have two; `is_apart`
    marks achieved rates that differ by more than the study's tolerance.
    """

    table: pd.DataFrame
    left_out: list[dict[str, Any]]
    excluded: list[dict[str, Any]]
    read_at: datetime

    def counted(self, *, everybody: bool = False) -> pd.DataFrame:
        """What analyses rest on, as `Judgment.objects.counted()`; or with excluded sessions."""
        kept = ~self.table["is_repeat"]
        if not everybody:
            kept &= ~self.table["is_excluded"]
        return self.table[kept].reset_index(drop=True)

    def with_repeats(self, *, everybody: bool = False) -> pd.DataFrame:
        kept = self.table if everybody else self.table[~self.table["is_excluded"]]
        return kept.reset_index(drop=True)


def read_rows(study: Study) -> StudyRows:
    """All that a study's results are made of, in a number of queries that does not grow."""
    read_at = timezone.now()
    # Who saw less than the whole crop judged another picture than the metrics measure.
    is_part = Q(shown_width_px__lt=F("trial__triplet__crop_width_px")) | Q(
        shown_height_px__lt=F("trial__triplet__crop_height_px")
    )
    found = (
        Judgment.objects.of_study(study)
        .standing()
        .filter(trial__triplet__kind=Triplet.Kind.MAIN, trial__is_warm_up=False)
        .annotate(is_part=Case(When(is_part, then=True), default=False))
        .order_by("trial__session__started_at", "trial__session_id", "trial__position")
        .values_list(*_COLUMNS)
    )
    table = _table(found.iterator(chunk_size=BATCH))
    return StudyRows(_told(table, study), _left_out(study), _excluded(study), read_at)


def _table(rows: Iterator[tuple[Any, ...]]) -> pd.DataFrame:
    """Batch by batch, so that a million rows are never a million tuples."""
    batches = [_typed([])]
    while batch := list(islice(rows, BATCH)):
        batches.append(_typed(batch))
    return pd.concat(batches[1:] or batches, ignore_index=True)


def _typed(batch: list[tuple[Any, ...]]) -> pd.DataFrame:
    table = pd.DataFrame(batch, columns=list(_COLUMNS.values()))
    numbers = {name: "float" for name in table if str(name).endswith(("_bpp", "_ms"))}
    truths = dict.fromkeys(("is_repeat", "is_part", "first_on_left"), "bool")
    return table.astype({"observer": "str", "session": "str", **numbers, **truths})


def _told(table: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The columns that follow from the rows."""
    won = "first" if study.polarity == Study.Polarity.CLOSER else "second"
    table["first_won"] = (table["choice"] == won).astype(float)
    table.loc[table["choice"] == Judgment.Choice.NOT_SURE, "first_won"] = 0.5
    table["is_excluded"] = table["verdict"] == Session.Verdict.EXCLUDED
    table["active_ms"] = table["response_ms"] - table["hidden_ms"]
    is_same = table["first_target_bpp"] == table["second_target_bpp"]
    table["rate_bpp"] = table["first_target_bpp"].where(is_same & (table["first_target_bpp"] > 0))
    table["is_apart"] = are_apart(table, study.rate_tolerance)
    return table


def are_apart(table: pd.DataFrame, tolerance: float) -> Any:
    """Rows whose two files differ in size by more than the tolerance of the smaller one."""
    low = np.minimum(table["first_bpp"], table["second_bpp"])
    return np.abs(table["first_bpp"] - table["second_bpp"]) > tolerance * low


def _left_out(study: Study) -> list[dict[str, Any]]:
    """How many judgments each rule took, in this order, of how many sessions and people."""
    stands = Q(superseded_by=None)
    main = stands & Q(trial__triplet__kind=Triplet.Kind.MAIN)
    asked = main & Q(trial__is_warm_up=False)
    counted = asked & Q(trial__is_repeat=False)
    rules = {
        "changed by the observer (undone)": ~stands,
        "practice and checks (sentinels, identical pairs)": stands
        & ~Q(trial__triplet__kind=Triplet.Kind.MAIN),
        "warm-up trials": main & Q(trial__is_warm_up=True),
        "repeats (they measure consistency)": asked & Q(trial__is_repeat=True),
        "sessions excluded by screening": counted
        & Q(trial__session__verdict=Session.Verdict.EXCLUDED),
    }
    counts: dict[str, Any] = {}
    for index, rule in enumerate(rules.values()):
        counts[f"n{index}"] = Count("pk", filter=rule)
        counts[f"s{index}"] = Count("trial__session", filter=rule, distinct=True)
        counts[f"o{index}"] = Count("trial__annotator", filter=rule, distinct=True)
    found = Judgment.objects.of_study(study).aggregate(**counts)
    return [
        {
            "rule": name,
            "n_judgments": found[f"n{index}"],
            "n_sessions": found[f"s{index}"],
            "n_observers": found[f"o{index}"],
        }
        for index, name in enumerate(rules)
    ]


def _excluded(study: Study) -> list[dict[str, Any]]:
    """Each excluded session with the reasons of its standing screening."""
    excluded = study.sessions.filter(verdict=Session.Verdict.EXCLUDED)
    sessions = list(excluded.order_by("started_at", "pk"))
    standing = screening.newest(session.pk for session in sessions)
    counted = (
        Judgment.objects.of_study(study)
        .standing()
        .filter(
            trial__triplet__kind=Triplet.Kind.MAIN, trial__is_warm_up=False, trial__is_repeat=False
        )
    )
    n_of = dict(counted.values_list("trial__session").annotate(n=Count("pk")))
    return [
        {
            "session": str(session.pk),
            "observer": str(session.annotator_id),
            "n_judgments": n_of.get(session.pk, 0),
            "is_decision": session.pk in standing and screening.is_decision(standing[session.pk]),
            "reasons": standing[session.pk].reasons if session.pk in standing else [],
        }
        for session in sessions
    ]
