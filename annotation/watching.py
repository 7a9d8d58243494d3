"""How a study goes: counts that the desk shows, each a query over its own rows."""

from dataclasses import dataclass
from statistics import median
from typing import Any

from django.db.models import Count, Q, Sum

from annotation.models import Judgment, Session, Study, StudyQuerySet, Trial, Triplet
from codecs_eval.models import Dataset, Run, SourceImage
from codecs_eval.named_codecs import codec_entry


@dataclass(frozen=True)
class Watch:
    n_triplets: int
    n_wanted: int
    n_judged: int
    n_sessions: int
    n_finished: int
    n_annotators: int
    median_response_ms: float | None
    n_left: int
    n_right: int
    cells: list[dict[str, Any]]

    @property
    def share_done(self) -> float:
        return min(1.0, self.n_judged / self.n_wanted) if self.n_wanted else 0.0


def watch(study: Study) -> Watch:
    standing = Judgment.objects.of_study(study).standing()
    sessions = study.sessions.aggregate(
        n=Count("pk"),
        finished=Count("pk", filter=Q(state=Session.State.FINISHED)),
        annotators=Count("annotator", distinct=True),
    )
    sides = standing.aggregate(
        left=Count(
            "pk",
            filter=Q(choice="first", trial__first_on_left=True)
            | Q(choice="second", trial__first_on_left=False),
        ),
        right=Count(
            "pk",
            filter=Q(choice="first", trial__first_on_left=False)
            | Q(choice="second", trial__first_on_left=True),
        ),
    )
    measured = standing.values_list("response_ms", flat=True)[:50_000]
    times = [time for time in measured if time is not None]
    main = study.triplets.filter(kind=Triplet.Kind.MAIN)
    n_triplets = main.count()
    return Watch(
        n_triplets=n_triplets,
        n_wanted=n_triplets * study.judgments_per_triplet,
        n_judged=main.aggregate(n=Sum("n_judged"))["n"] or 0,
        n_sessions=sessions["n"],
        n_finished=sessions["finished"],
        n_annotators=sessions["annotators"],
        median_response_ms=median(times) if times else None,
        n_left=sides["left"],
        n_right=sides["right"],
        cells=_cells(study),
    )


def _cells(study: Study) -> list[dict[str, Any]]:
    """One row a target rate: main triplets, judged at least once, judgments that count."""
    rows = study.triplets.filter(kind=Triplet.Kind.MAIN).values("target_bpp")
    rows = rows.annotate(
        n_triplets=Count("pk"),
        n_judgments=Sum("n_judged"),
        n_touched=Count("pk", filter=Q(n_judged__gt=0)),
    )
    return [dict(row) for row in rows.order_by("target_bpp")]


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
