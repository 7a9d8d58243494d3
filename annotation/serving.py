"""Begin a session, hand out its trials, record its judgments, close it."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Count, F
from django.utils import timezone

from annotation import planning
from annotation.models import Annotator, Judgment, Session, Study, Trial, Triplet


@dataclass(frozen=True)
class Answer:
    """One judgment as the browser sends it."""

    id: UUID
    trial: UUID
    side: str
    supersedes: UUID | None = None
    measured: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Receipt:
    """What the server now holds; a repeated answer gets the same receipt."""

    stored: list[str]
    refused: list[dict[str, str]]


def begin(study: Study, annotator: Annotator) -> Session:
    """The annotator's active session in this study, or a new one.

    Raises ValueError where the study is not open, or made for the other kind of observer.
    """
    if not study.is_open:
        raise ValueError(f"Study {study.slug} is {study.state}; it takes answers when open.")
    if study.is_simulated != annotator.is_simulated:
        raise ValueError(
            f"Study {study.slug} is for {'simulated observers' if study.is_simulated else 'people'}"
            f"; the annotator is {'simulated' if annotator.is_simulated else 'a person'}."
        )
    with transaction.atomic():
        session, _ = Session.objects.get_or_create(
            study=study,
            annotator=annotator,
            state=Session.State.ACTIVE,
            defaults={"seed": secrets.randbelow(2**31)},
        )
    return session


def trials_for(session: Session, want: int, held: Iterable[UUID] = ()) -> list[Trial]:
    """The session's open trials that the browser does not hold, and new ones up to `want`."""
    held = set(held)
    mine = session.trials.select_related("triplet")
    open_trials = [trial for trial in mine.open() if trial.pk not in held]
    is_active = session.state == Session.State.ACTIVE
    if want > len(open_trials) and is_active and session.study.is_open:
        leased = planning.lease_trials(session, want - len(open_trials))
        open_trials += leased
    return sorted(open_trials, key=lambda trial: trial.position)


def record(session: Session, answers: Iterable[Answer]) -> Receipt:
    """Store each answer exactly once; state and event in one transaction."""
    stored, refused = [], []
    for answer in answers:
        reason = _record_one(session, answer)
        if reason:
            refused.append({"id": str(answer.id), "reason": reason})
        else:
            stored.append(str(answer.id))
    return Receipt(stored=stored, refused=refused)


def _record_one(session: Session, answer: Answer) -> str:
    """An empty string when the answer is held, else why it cannot be."""
    trial = session.trials.filter(pk=answer.trial).first()
    if trial is None:
        return "This trial belongs to another session."
    known = Judgment.objects.filter(pk=answer.id).first()
    if known:
        return "" if known.trial_id == trial.pk else "This key was used for another trial."
    allowed = {"left", "right"} | ({"not_sure"} if session.study.allow_not_sure else set())
    if answer.side not in allowed:
        return f"Found side {answer.side!r}; expected one of {sorted(allowed)}."
    if answer.supersedes and not trial.judgments.filter(pk=answer.supersedes).exists():
        return "The judgment to supersede is not one of this trial."
    try:
        with transaction.atomic():
            _store(trial, answer)
    except IntegrityError:
        # Another request stored the same key, or judged this trial, a moment ago.
        if Judgment.objects.filter(pk=answer.id, trial=trial).exists():
            return ""
        return "This trial was judged already."
    return ""


def _store(trial: Trial, answer: Answer) -> None:
    # Locked: a lease that runs out, or is renewed, at this moment does so before or after.
    state = Trial.objects.select_for_update().get(pk=trial.pk).state
    Judgment.objects.create(
        id=answer.id,
        trial=trial,
        choice=trial.choice_of_side(answer.side),
        supersedes_id=answer.supersedes,
        **answer.measured,
    )
    Trial.objects.filter(pk=trial.pk).update(state=Trial.State.JUDGED)
    if state == Trial.State.EXPIRED:
        # The slot went back to the pool; the answer came after all and counts.
        Triplet.objects.filter(pk=trial.triplet_id).update(n_assigned=F("n_assigned") + 1)


def n_judged(session: Session) -> int:
    return session.trials.filter(state=Trial.State.JUDGED).count()


@dataclass(frozen=True)
class Standing:
    """How far a session is."""

    n_judged: int
    n_total: int
    is_done: bool


def standing_of(session: Session, *, is_asked: bool = False, n_new: int = 0) -> Standing:
    """`is_asked`: more trials were wanted just now, and `n_new` came.

    The session ends at its length, or earlier when the study has nothing left for this person.
    """
    counts = dict(
        session.trials.values_list("state").annotate(n=Count("pk")).values_list("state", "n")
    )
    judged = counts.get(Trial.State.JUDGED, 0)
    is_open = counts.get(Trial.State.LEASED, 0) > 0
    total = session.study.session_length
    if is_asked and n_new == 0 and not is_open and not _goes_on(session):
        total = judged
    return Standing(judged, total, is_done=judged >= total)


def _goes_on(session: Session) -> bool:
    """Whether more trials may come: not in a closed study, not when nothing is left."""
    if session.study.state == Study.State.PAUSED:
        return True
    return session.study.is_open and planning.has_more_for(session)


def finish(session: Session) -> int:
    """Close a session whose every trial is judged; returns how many are still missing.

    The completion code exists only once the server holds everything.
    """
    with transaction.atomic():
        held = Session.objects.select_for_update().select_related("study").get(pk=session.pk)
        missing = held.trials.open().count()
        if held.state == Session.State.ACTIVE and _goes_on(held):
            missing = max(missing, held.study.session_length - n_judged(held))
        if missing == 0 and held.state == Session.State.ACTIVE and n_judged(held) > 0:
            held.state = Session.State.FINISHED
            held.finished_at = timezone.now()
            held.completion_code = secrets.token_hex(4).upper()
            held.save(update_fields=["state", "finished_at", "completion_code"])
    session.refresh_from_db()
    return missing
