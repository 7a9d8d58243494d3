"""How a study goes: everything that its dashboard shows, and what a researcher sees first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q

from annotation import coverage, keeping, leaving, progressing, sides, speed, stopping
from annotation.models import Judgment, Study, StudyQuerySet, Trial
from annotation.widths import Width, widths
from codecs_eval.models import Dataset, Run, SourceImage
from codecs_eval.named_codecs import codec_entry


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
    """`counted_at`: when the oldest number was counted; a large study keeps them for a while."""

    progress: progressing.Progress
    pace: progressing.Pace
    bars: list[coverage.Bar]
    counted: Counted
    widths: list[Width]
    rule: stopping.Checked
    counted_at: datetime


def watch(study: Study) -> Watch:
    counts = progressing.counts_of(study)
    progress = progressing.progress(study, counts)
    n = progress.n_judged
    counted = keeping.kept(study, "counted", n, lambda: _counted(study))
    known = keeping.kept(study, "widths", n, lambda: widths(study))
    return Watch(
        progress=progress,
        pace=progressing.pace(study, progress, counted.value.n_last_hour),
        bars=coverage.histogram(counts, study.judgments_per_triplet),
        counted=counted.value,
        widths=known.value,
        rule=stopping.check(study, known.value),
        counted_at=min(counted.counted_at, known.counted_at),
    )


def _counted(study: Study) -> Counted:
    return Counted(
        coverage=coverage.coverage(study),
        sessions=leaving.sessions_of(study),
        response_s=speed.response_s(study),
        session_minutes=speed.session_minutes(study),
        sides=sides.sides(study),
        n_last_hour=progressing.n_last_hour(study),
    )


def wins_by_codec(study: Study) -> list[dict[str, Any]]:
    """Per rate and codec: how often it stood in a judged pair, and how often it was chosen.

    Counts only; the share is theirs. "Chosen" follows the study's question.
    """
    rows: Any = (
        Judgment.objects.of_study(study)
        .counted()
        .values(
            "trial__triplet__first__target_bpp",
            "trial__triplet__second__target_bpp",
            "trial__triplet__first__codec",
            "trial__triplet__second__codec",
            "choice",
        )
        .annotate(n=Count("pk"))
    )
    cells: dict[tuple[float, str], dict[str, float]] = {}
    for row in rows:
        for side in ("first", "second"):
            rate = row[f"trial__triplet__{side}__target_bpp"]
            cell = cells.setdefault(
                (rate, row[f"trial__triplet__{side}__codec"]), {"n": 0, "chosen": 0.0}
            )
            cell["n"] += row["n"]
            if row["choice"] == side:
                cell["chosen"] += row["n"]
            elif row["choice"] == "not_sure":
                cell["chosen"] += row["n"] / 2
    return [
        {
            "target_bpp": rate,
            "codec": codec,
            "entry": codec_entry(codec),
            **cell,
            "share": cell["chosen"] / cell["n"],
        }
        for (rate, codec), cell in sorted(cells.items())
    ]


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
