"""A person takes their answers back: the rows go, a tombstone stays and is counted."""

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from annotation import auditing, planning
from annotation.models import Judgment, Session, Trial, Triplet

THE_PERSON = "who answered"


def withdraw(session: Session, user: auditing.Actor = THE_PERSON) -> None:
    """Delete a session's judgments, trials, screenings and what is known of its screen and texts.

    Its triplets get their places back. The row itself stays, in state withdrawn, with how much
    was deleted; its annotator too, so that nobody enters twice. A dataset that was frozen before
    keeps what it has. A session that was withdrawn before is left as it is.
    """
    with transaction.atomic():
        planning.lock(session)
        if session.state != Session.State.WITHDRAWN:
            before = {"state": session.state}
            _delete_answers(session)
            after = {"state": session.state, "session": session.pk, **session.withdrawn}
            auditing.record(session.study, user, "Answers of a session deleted", before, after)


def _delete_answers(session: Session) -> None:
    trials = list(session.trials.select_for_update())
    n_judgments = _delete_judgments(session)
    _give_back(trials)
    session.trials.all().delete()
    session.screenings.all().delete()
    now = timezone.now()
    session.withdrawn = {
        "judgments": n_judgments,
        "trials": len(trials),
        "at": now.isoformat(timespec="seconds"),
    }
    session.state, session.verdict = Session.State.WITHDRAWN, ""
    session.viewing, session.texts = {}, {}
    session.finished_at = session.finished_at or now
    session.save(update_fields=["withdrawn", "state", "verdict", "viewing", "texts", "finished_at"])


def _delete_judgments(session: Session) -> int:
    """Newest first: what an undo superseded is held by what superseded it."""
    rows = Judgment.objects.filter(trial__session=session)
    n_deleted = 0
    while rows.exists():
        n_deleted += rows.standing().delete()[0]
    return n_deleted


def _give_back(trials: list[Trial]) -> None:
    # A session counts a triplet once at most; what ran out gave its place back before.
    places = {
        state: [trial.triplet_id for trial in trials if trial.is_counted and trial.state == state]
        for state in (Trial.State.LEASED, Trial.State.JUDGED)
    }
    leased = Triplet.objects.filter(pk__in=places[Trial.State.LEASED])
    judged = Triplet.objects.filter(pk__in=places[Trial.State.JUDGED])
    leased.update(n_assigned=F("n_assigned") - 1)
    judged.update(n_assigned=F("n_assigned") - 1, n_judged=F("n_judged") - 1)
