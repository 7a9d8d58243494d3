"""How a study goes, counted from its rows for other programs; nothing is kept."""

from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from django.db.models import Count, Q, Sum

from annotation import progressing
from annotation.models import Judgment, Session, Study, Triplet

# The median of so many is as good as that of all.
MOST_TIMES = 50_000


@dataclass(frozen=True)
class Counts:
    """`n_missing`: judgments that triplets still want; what is beyond its number fills nothing.

    `median_response_ms`: of standing answers, in ms; None: there is none.
    """

    n_triplets: int
    n_wanted: int
    n_judged: int
    n_missing: int
    n_sessions: int
    n_finished: int
    n_annotators: int
    n_left: int
    n_right: int
    median_response_ms: float | None
    cells: list[dict[str, Any]]

    @property
    def share_done(self) -> float:
        """0..1; 1 when each triplet has its number."""
        return 1 - self.n_missing / self.n_wanted if self.n_wanted else 0.0

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "share_done": self.share_done}


def count(study: Study) -> Counts:
    found = progressing.progress(study, progressing.counts_of(study))
    return Counts(
        **asdict(found),
        **_sessions(study),
        **_sides(study),
        median_response_ms=_median_ms(study),
        cells=_cells(study),
    )


def _sessions(study: Study) -> dict[str, int]:
    found: dict[str, int] = study.sessions.aggregate(
        n_sessions=Count("pk"),
        n_finished=Count("pk", filter=Q(state=Session.State.FINISHED)),
        n_annotators=Count("annotator", distinct=True),
    )
    return found


def _sides(study: Study) -> dict[str, int]:
    """Standing answers by the side of the screen that they chose; not sure is neither."""
    rows = Judgment.objects.of_study(study).standing().order_by()
    sides = {"n_left": 0, "n_right": 0}
    found = rows.values_list("choice", "trial__first_on_left").annotate(n=Count("pk"))
    for choice, first_on_left, n in found:
        if choice != Judgment.Choice.NOT_SURE:
            is_left = (choice == Judgment.Choice.FIRST) == first_on_left
            sides["n_left" if is_left else "n_right"] += n
    return sides


def _median_ms(study: Study) -> float | None:
    timed = Judgment.objects.of_study(study).standing().exclude(response_ms=None).order_by()
    measured = timed.values_list("response_ms", flat=True)[:MOST_TIMES]
    times = [time for time in measured if time is not None]
    return median(times) if times else None


def _cells(study: Study) -> list[dict[str, Any]]:
    """By target rate: main triplets, those with an answer, answers."""
    rows = study.triplets.filter(kind=Triplet.Kind.MAIN).values("target_bpp")
    told = rows.annotate(
        n_triplets=Count("pk"),
        n_touched=Count("pk", filter=Q(n_judged__gt=0)),
        n_judgments=Sum("n_judged"),
    )
    return [dict(row) for row in told.order_by("target_bpp")]
