"""How far a study is: judgments of those wanted, how fast they come, when the last one would."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Sum
from django.utils import timezone

from annotation.models import Judgment, Study, Triplet

LAST = timedelta(hours=1)


@dataclass(frozen=True)
class Progress:
    """Judgments that fill the study's triplets: warm-ups, repeats, checks and practice do not."""

    n_triplets: int
    n_judged: int
    n_wanted: int
    n_missing: int

    @property
    def n_beyond(self) -> int:
        """Judgments more than their triplets wanted."""
        return self.n_judged + self.n_missing - self.n_wanted

    @property
    def share_done(self) -> float:
        return 1 - self.n_missing / self.n_wanted if self.n_wanted else 0.0


@dataclass(frozen=True)
class Pace:
    """Judgments stored within the last hour, and when the missing ones would be in at that pace."""

    n_last_hour: int
    ends_in: timedelta | None
    ends_at: datetime | None


def counts_of(study: Study) -> dict[int, int]:
    """How many main triplets have each number of judgments; the triplets keep their own count."""
    rows = study.triplets.filter(kind=Triplet.Kind.MAIN).order_by()
    return dict(rows.values_list("n_judged").annotate(n=Count("pk")))


def progress(study: Study, counts: Mapping[int, int]) -> Progress:
    """From `counts_of` it; what is beyond a triplet's number fills nothing."""
    wanted = study.judgments_per_triplet
    n_triplets = sum(counts.values())
    return Progress(
        n_triplets=n_triplets,
        n_judged=sum(judged * n for judged, n in counts.items()),
        n_wanted=n_triplets * wanted,
        n_missing=sum(max(0, wanted - judged) * n for judged, n in counts.items()),
    )


def n_judged(study: Study) -> int:
    main = study.triplets.filter(kind=Triplet.Kind.MAIN)
    return main.aggregate(n=Sum("n_judged"))["n"] or 0


def n_last_hour(study: Study) -> int:
    recent = Judgment.objects.of_study(study).filter(
        server_time__gte=timezone.now() - LAST,
        supersedes=None,
        trial__triplet__kind=Triplet.Kind.MAIN,
        trial__is_warm_up=False,
        trial__is_repeat=False,
    )
    return recent.count()


def pace(study: Study, progress: Progress, n_last_hour: int) -> Pace:
    """No end is told where nobody answers, the study is not open, or nothing is missing."""
    if not (study.is_open and n_last_hour and progress.n_missing):
        return Pace(n_last_hour, None, None)
    ends_in = progress.n_missing / n_last_hour * LAST
    longest = timedelta(days=3650)
    return Pace(n_last_hour, ends_in, timezone.now() + ends_in if ends_in < longest else None)
