"""Begin a session, hand out its trials, record its judgments, close it."""

import secrets
import threading
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from annotation import crowd, planning, telling
from annotation.models import Annotator, Invitation, Judgment, Session, Study, Trial, Triplet


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


def begin(
    study: Study,
    annotator: Annotator,
    *,
    language: str = "en",
    texts: Mapping[str, str] | None = None,
    crowd_ids: Mapping[str, str] | None = None,
    invitation: Invitation | None = None,
) -> Session:
    """The annotator's active session in this study, or a new one; practice is done once.

    `texts` is what the person read, with its version; `crowd_ids` the provider's own.
    Raises ValueError where the study is not open, or made for the other kind of observer.
    """
    if not study.is_open:
        raise ValueError(f"Study {study.slug} is {study.state}; it takes answers when open.")
    if study.is_simulated != annotator.is_simulated:
        raise ValueError(
            f"Study {study.slug} is for {'simulated observers' if study.is_simulated else 'people'}"
            f"; the annotator is {'simulated' if annotator.is_simulated else 'a person'}."
        )
    has_practised = annotator.sessions.filter(study=study).exists()
    with transaction.atomic():
        session, _ = Session.objects.get_or_create(
            study=study,
            annotator=annotator,
            state=Session.State.ACTIVE,
            defaults={
                "seed": secrets.randbelow(2**31),
                "n_practice": 0 if has_practised else study.n_practice,
                "language": language,
                "texts": dict(texts or {}),
                "crowd": dict(crowd_ids or {}),
                "invitation": invitation,
            },
        )
    return session


@dataclass(frozen=True)
class Exchange:
    """What one round trip did: answers stored, trials handed out, how far the session is."""

    receipt: Receipt
    trials: list[Trial]
    standing: "Standing"


def exchange(
    session: Session, answers: Iterable[Answer], want: int, held: Iterable[UUID] = ()
) -> Exchange:
    """Store answers and hand out the next trials, in one transaction: one flush to the disk."""
    with _turn(), transaction.atomic():
        planning.lock(session)
        receipt = _record(session, list(answers))
        _qualify(session)
        states = planning.states_of(session)
        trials = _trials_for(session, want, held, states) if want else []
        standing = _standing(session, states, is_asked=bool(want), n_new=len(trials))
    return Exchange(receipt, trials, standing)


# SQLite takes one writer at a time, and whoever comes second looks again after a sleep of up to
# 100 ms. The threads of one process queue here instead: each goes on as soon as it may.
_SQLITE_WRITER = threading.Lock()


def _turn() -> AbstractContextManager[object]:
    return _SQLITE_WRITER if connection.vendor == "sqlite" else nullcontext()


def _qualify(session: Session) -> None:
    """End a session whose practice was not good enough."""
    share = session.study.practice_pass_share
    if share is None or session.state != Session.State.ACTIVE or not session.n_practice:
        return
    if planning.is_qualifying(session):
        return
    practice = session.trials.filter(position__lt=session.n_practice)
    standing = Judgment.objects.standing().filter(trial__in=practice)
    right = standing.filter(choice=F("trial__triplet__expected")).count()
    # All were judged long ago where a real trial was handed out.
    if right < share * session.n_practice and not _is_past_practice(session):
        close(session, Session.State.FAILED)


def _is_past_practice(session: Session) -> bool:
    return session.trials.filter(position__gte=session.n_practice).exists()


def close(session: Session, state: str) -> None:
    """End an active session in a state other than withdrawn; it gets that outcome's code."""
    session.state = state
    session.finished_at = timezone.now()
    session.completion_code = crowd.code_for(session)
    session.save(update_fields=["state", "finished_at", "completion_code"])
    planning.return_leases(session)


def trials_for(session: Session, want: int, held: Iterable[UUID] = ()) -> list[Trial]:
    """The session's open trials that the browser does not hold, and new ones up to `want`."""
    with transaction.atomic():
        planning.lock(session)
        return _trials_for(session, want, held, planning.states_of(session))


def _trials_for(
    session: Session, want: int, held: Iterable[UUID], states: Mapping[str, int]
) -> list[Trial]:
    trials = _open_trials(session, set(held)) if states.get(Trial.State.LEASED) else []
    is_active = session.state == Session.State.ACTIVE
    if want > len(trials) and is_active and session.study.is_open:
        trials += planning.lease_locked(session, want - len(trials), states)
    return sorted(trials, key=lambda trial: trial.position)


def _open_trials(session: Session, held: set[UUID]) -> list[Trial]:
    leased = dict(session.trials.open().order_by().values_list("pk", "lease_until"))
    planning.renew_leases(leased)
    # Mostly the browser holds them all: then there is nothing more to read.
    forgotten = leased.keys() - held
    if not forgotten:
        return []
    return list(session.trials.filter(pk__in=forgotten).select_related("triplet"))


def record(session: Session, answers: Iterable[Answer]) -> Receipt:
    """Store each answer exactly once; state and event in one transaction."""
    with transaction.atomic():
        planning.lock(session)
        return _record(session, list(answers))


_WITHDRAWN = "This session was withdrawn; its answers were deleted."


def _record(session: Session, answers: list[Answer]) -> Receipt:
    """In a few queries however many answers: nobody else writes to a session that is locked."""
    if not answers:
        return Receipt(stored=[], refused=[])
    stored, refused = [], []
    is_withdrawn = session.state == Session.State.WITHDRAWN
    recording = _Recording(session, answers)
    for answer in answers:
        reason = _WITHDRAWN if is_withdrawn else recording.add(answer)
        if reason:
            refused.append({"id": str(answer.id), "reason": reason})
        else:
            stored.append(str(answer.id))
    recording.store()
    return Receipt(stored=stored, refused=refused)


class _Recording:
    """The answers of one request, against what is held of their trials."""

    def __init__(self, session: Session, answers: list[Answer]) -> None:
        ids = [answer.id for answer in answers]
        mine = session.trials.order_by().filter(pk__in={answer.trial for answer in answers})
        self._trials = {trial.pk: trial for trial in mine}
        held = Judgment.objects.order_by().filter(Q(pk__in=ids) | Q(trial__in=list(self._trials)))
        self._trial_of: dict[UUID, UUID] = {}
        # (trial, the judgment that is superseded, or None for its first): there is one of each.
        self._taken: set[tuple[UUID, UUID | None]] = set()
        for key, trial_id, supersedes in held.values_list("pk", "trial", "supersedes"):
            self._hold(key, trial_id, supersedes)
        sides = {"left", "right", "not_sure"} if session.study.allow_not_sure else {"left", "right"}
        self._sides = sides
        self._new: list[Judgment] = []

    def add(self, answer: Answer) -> str:
        """An empty string when the answer is, or will be, held; else why it cannot be."""
        trial = self._trials.get(answer.trial)
        if trial is None:
            return "This trial belongs to another session."
        if answer.side not in self._sides:
            return f"Found side {answer.side!r}; expected one of {sorted(self._sides)}."
        if answer.supersedes and self._trial_of.get(answer.supersedes) != trial.pk:
            return "The judgment to supersede is not one of this trial."
        if answer.id in self._trial_of:
            is_same = self._trial_of[answer.id] == trial.pk
            return "" if is_same else "This key was used for another trial."
        if (trial.pk, answer.supersedes) in self._taken:
            return "This trial was judged already."
        self._hold(answer.id, trial.pk, answer.supersedes)
        self._new.append(
            Judgment(
                id=answer.id,
                trial=trial,
                choice=trial.choice_of_side(answer.side),
                supersedes_id=answer.supersedes,
                **answer.measured,
            )
        )
        return ""

    def _hold(self, key: UUID, trial_id: UUID, supersedes: UUID | None) -> None:
        self._trial_of[key] = trial_id
        self._taken.add((trial_id, supersedes))

    def store(self) -> None:
        if not self._new:
            return
        # Should another study's session use one of these keys at this very moment, the database
        # refuses the whole request, and when it comes again that key is found.
        Judgment.objects.bulk_create(self._new)
        _count_judged({row.trial_id: row.trial for row in self._new}.values())


def _count_judged(answered: Iterable[Trial]) -> None:
    trials = [trial for trial in answered if trial.state != Trial.State.JUDGED]
    Trial.objects.filter(pk__in=[trial.pk for trial in trials]).update(state=Trial.State.JUDGED)
    # An expired slot went back to the pool; the answer came after all and counts.
    for state, regained in ((Trial.State.LEASED, 0), (Trial.State.EXPIRED, 1)):
        # A triplet is counted once for a person: no two of these trials share one.
        pks = [row.triplet_id for row in trials if row.is_counted and row.state == state]
        if pks:
            Triplet.objects.filter(pk__in=pks).update(
                n_judged=F("n_judged") + 1, n_assigned=F("n_assigned") + regained
            )


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
    return _standing(session, planning.states_of(session), is_asked=is_asked, n_new=n_new)


def _standing(
    session: Session, states: Mapping[str, int], *, is_asked: bool, n_new: int
) -> Standing:
    judged = states.get(Trial.State.JUDGED, 0)
    is_open = states.get(Trial.State.LEASED, 0) > 0
    total = session.n_planned
    has_ended = session.state not in (Session.State.ACTIVE, Session.State.FINISHED)
    is_exhausted = is_asked and n_new == 0 and not is_open and not _goes_on(session)
    if has_ended or is_exhausted:
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
        planning.lock(session)
        missing = session.trials.open().count()
        if session.state == Session.State.ACTIVE and _goes_on(session):
            missing = max(missing, session.n_planned - n_judged(session))
        if missing == 0 and session.state == Session.State.ACTIVE and n_judged(session) > 0:
            close(session, Session.State.FINISHED)
            telling.session_finished(session)
    session.refresh_from_db()
    return missing
