"""What webhooks are told of studies; nothing of it ever reaches who answers them."""

from typing import Any
from uuid import uuid4

from django.contrib.auth.models import User
from django.db.models import F

from annotation import team
from annotation.models import Session, Study, Triplet
from codecs_eval.announcing import announce, is_heard
from codecs_eval.models import Event


def may_hear(user: User, slug: str) -> bool:
    """Whether an account may read a study, by its short name."""
    return team.visible_to(user).filter(slug=slug).exists()


def session_finished(session: Session) -> None:
    """In the transaction that ends the session."""
    data = {"session": str(session.pk), "state": session.state}
    _tell(Event.SESSION_FINISHED, str(session.pk), session.study, data)


def state_changed(study: Study, before: str) -> None:
    """In the transaction that changes the state."""
    data = {"state": study.state, "before": before}
    # A study may be paused many times: each is news.
    _tell(Event.STUDY_STATE, f"{study.slug} {study.state} {uuid4().hex}", study, data)


def tell_complete() -> int:
    """Tell of each running study that has all its judgments, once for each number it wants.

    By the clock and not when a judgment comes: the trial page waits for nobody's webhook. Returns
    how many studies are complete.
    """
    if not is_heard(Event.STUDY_COMPLETE):
        return 0
    running = Study.objects.real().filter(state__in=[Study.State.OPEN, Study.State.PAUSED])
    complete = [study for study in running if is_complete(study)]
    for study in complete:
        wanted = study.judgments_per_triplet
        data = {"judgments_per_triplet": wanted, "state": study.state}
        _tell(Event.STUDY_COMPLETE, f"{study.slug} v{study.version} x{wanted}", study, data)
    return len(complete)


def is_complete(study: Study) -> bool:
    """Whether each main triplet has as many judgments as are wanted of it."""
    main = study.triplets.filter(kind=Triplet.Kind.MAIN)
    # The neediest come first in the index: of a study that is not complete, one row is read.
    lacking = main.filter(n_judged__lt=F("study__judgments_per_triplet"))
    return lacking.neediest_first().first() is None and main.exists()


def _tell(event: str, subject: str, study: Study, data: dict[str, Any]) -> None:
    """Previews and dry runs are nobody's news."""
    if study.purpose == Study.Purpose.REAL:
        told = {"study": study.slug, "version": study.version, **data}
        announce(event, subject, told, is_simulated=study.is_simulated, study=study.slug)
