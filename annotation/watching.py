"""How a study goes: everything that its dashboard shows, and what a researcher sees first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q

from annotation import coverage, keeping, leaving, progressing, sides, speed, stopping
from annotation.models import Study, StudyQuerySet, Trial
from annotation.widths import Width, widths
from codecs_eval.models import Dataset, Run, SourceImage

COUNTED = "counted"


@dataclass(frozen=True)
class Counted:
    """What takes a look at every judgment, trial or triplet of a study."""

    coverage: coverage.Coverage
    sessions: leaving.Sessions
    response_s: speed.Quartiles | None
    session_minutes: speed.Quartiles | None
    sides: sides.Sides
    n_last_hour: int


@dataclass(frozen=True)
class Watch:
    """`counted_at`: when the oldest number was counted; a large study keeps them for a while.

    `is_old`: it is time for `recount`, which a page leaves to the queue.
    """

    progress: progressing.Progress
    pace: progressing.Pace
    bars: list[coverage.Bar]
    counted: Counted
    widths: list[Width]
    rule: stopping.Checked
    counted_at: datetime
    is_old: bool


def watch(study: Study) -> Watch:
    counts = progressing.counts_of(study)
    progress = progressing.progress(study, counts)
    n = progress.n_judged
    counted = keeping.kept(study, COUNTED, n, lambda: _counted(study))
    known = keeping.kept(study, stopping.WIDTHS, n, lambda: widths(study, counted.value.coverage))
    return Watch(
        progress=progress,
        pace=progressing.pace(study, progress, counted.value.n_last_hour),
        bars=coverage.histogram(counts, study.judgments_per_triplet),
        counted=counted.value,
        widths=known.value,
        rule=stopping.check(study, known.value),
        counted_at=min(counted.counted_at, known.counted_at),
        is_old=counted.is_old or known.is_old,
    )


def recount(study: Study) -> None:
    """Count a large study anew, for pages to come."""
    try:
        counted = keeping.count_anew(study, COUNTED, lambda: _counted(study))
        keeping.count_anew(study, stopping.WIDTHS, lambda: widths(study, counted.value.coverage))
    finally:
        keeping.release(study)


def _counted(study: Study) -> Counted:
    return Counted(
        coverage=coverage.coverage(study),
        sessions=leaving.sessions_of(study),
        response_s=speed.response_s(study),
        session_minutes=speed.session_minutes(study),
        sides=sides.sides(study),
        n_last_hour=progressing.n_last_hour(study),
    )


def desk_summary(studies: StudyQuerySet) -> dict[str, Any]:
    """What a researcher sees first."""
    return {
        "collections": list(SourceImage.objects.collections()),
        "studies": studies.real().annotate(
            n_judged=Count("triplets__trials", filter=Q(triplets__trials__state=Trial.State.JUDGED))
        )[:8],
        "datasets": Dataset.objects.all()[:8],
        "runs": Run.objects.select_related("dataset")[:8],
    }
