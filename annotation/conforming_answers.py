"""Of a conformance report: the judgments of a study, read once, summed by session."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

import numpy as np
from django.db.models import Count, F, Max, Min, Q
from numpy.typing import NDArray

from annotation.asked_elsewhere import is_imported
from annotation.models import Judgment, JudgmentQuerySet, Session, Study, Triplet

_FIRST, _SECOND, _ON_LEFT = (
    Q(choice="first"),
    Q(choice="second"),
    Q(trial__first_on_left=True),
)
_PARTLY = Q(shown_width_px__lt=F("trial__triplet__crop_width_px")) | Q(
    shown_height_px__lt=F("trial__triplet__crop_height_px")
)
# Either what was shown or the crop itself was not told.
_UNTOLD = (
    Q(shown_width_px=None)
    | Q(shown_height_px=None)
    | Q(trial__triplet__crop_width_px=0)
    | Q(trial__triplet__crop_height_px=0)
)
# Of a session's judgments of main trials: how many, and of what kind.
_SUMS = {
    "n": Count("pk"),
    "n_first_left": Count("pk", filter=_ON_LEFT),
    "n_left": Count("pk", filter=(_FIRST & _ON_LEFT) | (_SECOND & ~_ON_LEFT)),
    "n_right": Count("pk", filter=(_FIRST & ~_ON_LEFT) | (_SECOND & _ON_LEFT)),
    "n_zoomed": Count("pk", filter=Q(zoom__gt=1)),
    "n_partly": Count("pk", filter=_PARTLY),
    "n_part_untold": Count("pk", filter=_UNTOLD),
    "n_marked": Count("pk", filter=~Q(marks=[])),
    "largest_zoom": Max("zoom"),
    "first_at": Min("server_time"),
    "last_at": Max("server_time"),
}


@dataclass(frozen=True)
class Answered:
    """One session that judged a main trial, warm-ups and repeats apart."""

    pk: UUID
    annotator: UUID
    verdict: str
    viewing: dict[str, Any]
    sums: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Answers:
    """`active_ms`: response times of judgments that count, hidden time taken off.

    `is_imported`: they came in a file; how people were asked is not known here.
    """

    sessions: tuple[Answered, ...]
    active_ms: NDArray[np.float64]
    marks: dict[str, int]
    is_imported: bool

    @cached_property
    def kept(self) -> tuple[Answered, ...]:
        """Those that screening did not exclude: their judgments count."""
        return tuple(row for row in self.sessions if row.verdict != Session.Verdict.EXCLUDED)

    def n(self, what: str = "n") -> int:
        """A sum over all judgments that count."""
        return sum(row.sums[what] for row in self.kept)

    @property
    def largest_zoom(self) -> int:
        return max((row.sums["largest_zoom"] for row in self.kept), default=1)

    @property
    def first_at(self) -> datetime | None:
        return min((row.sums["first_at"] for row in self.kept), default=None)

    @property
    def last_at(self) -> datetime | None:
        return max((row.sums["last_at"] for row in self.kept), default=None)

    @property
    def viewings(self) -> list[dict[str, Any]]:
        """What each session that answered was seen on, excluded ones too."""
        return [row.viewing for row in self.sessions]


def answers_of(study: Study) -> Answers:
    main = (
        Judgment.objects.of_study(study)
        .standing()
        .filter(
            trial__triplet__kind=Triplet.Kind.MAIN,
            trial__is_warm_up=False,
            trial__is_repeat=False,
        )
        .order_by()
    )
    rows: Any = main.values("trial__session").annotate(**_SUMS)
    sums: dict[UUID, dict[str, Any]] = {row["trial__session"]: row for row in rows}
    sessions = tuple(
        Answered(pk, annotator, verdict, viewing, sums[pk])
        for pk, annotator, verdict, viewing in study.sessions.order_by(
            "started_at", "pk"
        ).values_list("pk", "annotator", "verdict", "viewing")
        if pk in sums
    )
    counted = Judgment.objects.of_study(study).counted().order_by()
    has_marks = any(row["n_marked"] for row in sums.values())
    marks = _marks(counted) if has_marks else {}
    return Answers(sessions, _active_ms(counted), marks, is_imported(study))


def _active_ms(counted: JudgmentQuerySet) -> NDArray[np.float64]:
    rows: Any = counted.exclude(response_ms=None).values_list("response_ms", "hidden_ms")
    times = (response - hidden for response, hidden in rows.iterator(chunk_size=10_000))
    return np.fromiter(times, dtype=np.float64)


def _marks(counted: JudgmentQuerySet) -> dict[str, int]:
    """How many judgments have each mark."""
    found: Counter[str] = Counter()
    for marks in counted.exclude(marks=[]).values_list("marks", flat=True).iterator():
        found.update(set(marks))
    return dict(found.most_common())
