"""How a study goes, counted from its rows for other programs; nothing is kept."""

from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from django.db.models import Count, F, Q, Sum

from annotation import progressing
from annotation.models import Judgment, Session, Study, Triplet, at_one_rate

# The median of so many is as good as that of all.
MOST_TIMES = 50_000


@dataclass(frozen=True)
class Counts:
    """`n_missing`: judgments that triplets still want; what is beyond its number fills nothing.

    `median_response_ms`: of the newest 50,000 answers that count, hidden time taken off, in ms;
    None: there is none. `cells`: only triplets that count at a rate, as in the results.
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
    timed = Judgment.objects.of_study(study).counted().exclude(response_ms=None)
    # The newest ones: of so many, the median no longer moves by chance.
    newest = timed.order_by("-server_time").annotate(active_time=F("response_ms") - F("hidden_ms"))
    times = list(newest.values_list("active_time", flat=True)[:MOST_TIMES])
    return median(times) if times else None


def _cells(study: Study) -> list[dict[str, Any]]:
    """By target rate: main triplets, those with an answer, answers."""
    main = study.triplets.filter(at_one_rate(study.rate_tolerance), kind=Triplet.Kind.MAIN)
    rows = main.values("target_bpp")
    told = rows.annotate(
        n_triplets=Count("pk"),
        n_touched=Count("pk", filter=Q(n_judged__gt=0)),
        n_judgments=Sum("n_judged"),
    )
    return [dict(row) for row in told.order_by("target_bpp")]
