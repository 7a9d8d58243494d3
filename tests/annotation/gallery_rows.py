"""Studies whose votes are told by hand, for the gallery and the reports."""

import uuid
from typing import Any

from django.utils import timezone

from annotation.models import Annotator, Judgment, Session, Study, Trial, Triplet
from codecs_eval.models import Reconstruction, Score


def vote(
    triplet: Triplet,
    choice: str,
    *,
    ms: float | None = 2000.0,
    verdict: str = "",
    **about: Any,
) -> Judgment:
    """One more person's vote on a triplet, counted as serving counts it."""
    annotator = Annotator.objects.create()
    session = Session.objects.create(
        study=triplet.study, annotator=annotator, seed=1, verdict=verdict, state="finished"
    )
    trial = Trial.objects.create(
        session=session,
        annotator=annotator,
        triplet=triplet,
        position=0,
        first_on_left=True,
        state=Trial.State.JUDGED,
        lease_until=timezone.now(),
        **about,
    )
    if trial.is_counted:
        triplet.n_judged += 1
        triplet.save(update_fields=["n_judged"])
    return Judgment.objects.create(
        id=uuid.uuid4(), trial=trial, choice=choice, response_ms=ms, hidden_ms=0
    )


def votes(triplet: Triplet, first: int, second: int, not_sure: int = 0, **about: Any) -> None:
    for choice, n in (("first", first), ("second", second), ("not_sure", not_sure)):
        for _ in range(n):
            vote(triplet, choice, **about)


def triplets(study: Study) -> list[Triplet]:
    return list(study.triplets.order_by("source__name", "target_bpp", "pk"))


def score(row: Reconstruction, value: float, metric: str = "psnr", version: str = "1") -> None:
    Score.objects.create(reconstruction=row, metric=metric, metric_version=version, value=value)
