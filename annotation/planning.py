"""The next trials of a session."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Q
from django.utils import timezone

from annotation.design.ordering import Shares, Slot, plan_slots
from annotation.models import Session, Study, Trial, TrialQuerySet, Triplet, TripletQuerySet


def slots_of(session: Session) -> tuple[Slot, ...]:
    """The plan of a whole session; it follows from its seed and its study's settings."""
    study = session.study
    return plan_slots(
        session.seed,
        study.session_length,
        session.n_practice,
        study.n_warm_up,
        Shares(study.sentinel_share, study.identical_share, study.repeat_share),
    )


def lock(session: Session) -> None:
    """Hold a session and its study until the transaction ends, and read their states anew.

    The study makes leases of its sessions take turns, which keeps its counts balanced; SQLite does
    so by itself.
    """
    rows = Session.objects.select_for_update(of=("study", "self")).select_related("study")
    # Of an open study and a session that goes on, nothing else changes.
    held = rows.only("state", "study__state").get(pk=session.pk)
    session.state, session.study.state = held.state, held.study.state


def states_of(session: Session) -> Counter[str]:
    """How many trials of a session are in each state."""
    rows = session.trials.order_by().values_list("state").annotate(n=Count("pk"))
    return Counter(dict(rows.values_list("state", "n")))


def lease_trials(session: Session, n: int) -> list[Trial]:
    """Up to n more trials for a session, in one short transaction."""
    with transaction.atomic():
        lock(session)
        return lease_locked(session, n, states_of(session))


def lease_locked(session: Session, n: int, states: Mapping[str, int]) -> list[Trial]:
    """Up to n more trials for a session that is locked and whose trials are in these `states`.

    The neediest triplets first, never one that this person has had; kinds, sides and repeats by
    the session's plan. A check that the study has no more of gives its place to a main trial.
    """
    renewed = _renew_expired(session, n) if states.get(Trial.State.EXPIRED) else []
    taken = sum(states.values())
    # An expired trial keeps its place: a session never grows beyond its plan.
    slots = slots_of(session)[taken : taken + n - len(renewed)]
    if is_qualifying(session):
        slots = slots[: max(0, session.n_practice - taken)]
    trials = []
    chosen = _Choosing(session, slots)
    for position, slot in enumerate(slots, start=taken):
        found = chosen.triplet_for(slot)
        if found is None:
            break
        trials.append(_trial(session, position, slot, found))
    _count_assigned(trials)
    return renewed + Trial.objects.bulk_create(trials)


def is_qualifying(session: Session) -> bool:
    """Whether the study waits for this session's practice before it shows a real trial."""
    if session.study.practice_pass_share is None or not session.n_practice:
        return False
    practice = session.trials.filter(position__lt=session.n_practice, state=Trial.State.JUDGED)
    return practice.count() < session.n_practice


class _Choosing:
    """The triplets for the next slots of one session, each kind read once."""

    def __init__(self, session: Session, slots: Sequence[Slot]) -> None:
        self._session = session
        self._slots = slots
        self._read: dict[tuple[str, bool], list[Triplet]] = {}
        self._chosen: set[int] = set()

    def triplet_for(self, slot: Slot) -> tuple[Triplet, bool] | None:
        """The triplet, and whether it is the repeat that was planned; None: nothing is left."""
        if slot.repeats is not None:
            earlier = self._shown_at(slot.repeats)
            if earlier:
                return earlier, True
        found = self._next(slot.kind, slot.is_warm_up)
        if found is None and slot.kind != Triplet.Kind.MAIN:
            found = self._next(Triplet.Kind.MAIN, False)
        return (found, False) if found else None

    def _shown_at(self, position: int) -> Triplet | None:
        """A main triplet that was seen there: a lost lease was perhaps never looked at."""
        seen = self._session.trials.filter(
            position=position, triplet__kind=Triplet.Kind.MAIN, state=Trial.State.JUDGED
        )
        trial = seen.select_related("triplet").first()
        if trial is None:
            return None
        has_seen_twice = Trial.objects.filter(
            annotator_id=self._session.annotator_id, triplet=trial.triplet, is_repeat=True
        )
        return None if has_seen_twice.exists() else trial.triplet

    def _next(self, kind: str, is_warm_up: bool) -> Triplet | None:
        key = (kind, is_warm_up)
        if key not in self._read:
            rows = _unseen(self._session, kind, is_warm_up=is_warm_up).neediest_first()
            # Two reads of main triplets may meet the same rows.
            self._read[key] = list(rows[: 2 * len(self._slots)])
        for triplet in self._read[key]:
            if triplet.pk not in self._chosen:
                self._chosen.add(triplet.pk)
                return triplet
        return None


def _trial(session: Session, position: int, slot: Slot, found: tuple[Triplet, bool]) -> Trial:
    triplet, is_repeat = found
    # The plan sides the right answer, where there is one, so that it stands on both sides alike.
    is_turned = triplet.expected == "second"
    return Trial(
        session=session,
        annotator_id=session.annotator_id,
        triplet=triplet,
        position=position,
        first_on_left=slot.first_on_left != is_turned,
        is_repeat=is_repeat,
        is_warm_up=slot.is_warm_up,
        lease_until=_lease_end(),
    )


def _count_assigned(trials: Iterable[Trial]) -> None:
    pks = [trial.triplet_id for trial in trials if trial.is_counted]
    if pks:
        # What is leased has left the active scheduler's block.
        Triplet.objects.filter(pk__in=pks).update(n_assigned=F("n_assigned") + 1, priority=0)


def _renew_expired(session: Session, n: int) -> list[Trial]:
    """A person who comes back after a long pause gets the slots that nobody took meanwhile."""
    # Locked: a late answer to the same trial arrives before or after this, never in between.
    expired = _renewable(session).select_related("triplet").select_for_update(of=("self",))
    trials = list(expired[:n])
    for trial in trials:
        trial.state = Trial.State.LEASED
        trial.lease_until = _lease_end()
    if trials:
        Trial.objects.bulk_update(trials, ["state", "lease_until"])
        _count_assigned(trials)
    return trials


def _renewable(session: Session) -> TrialQuerySet:
    return session.trials.filter(state=Trial.State.EXPIRED).filter(
        Q(triplet__n_assigned__lt=session.study.judgments_per_triplet)
        | ~Q(triplet__kind=Triplet.Kind.MAIN)
        | Q(is_warm_up=True)
        | Q(is_repeat=True)
    )


def has_more_for(session: Session) -> bool:
    """Whether a trial is left for this session."""
    if _renewable(session).exists():
        return True
    if session.trials.count() >= session.n_planned:
        return False
    return _unseen(session, Triplet.Kind.MAIN).exists()


def renew_leases(leased: Mapping[UUID, datetime]) -> None:
    """Whoever still answers keeps what they hold: a lease more than half over begins anew."""
    half = timezone.now() + timedelta(seconds=settings.TRIAL_LEASE_S / 2)
    old = [pk for pk, until in leased.items() if until < half]
    if old:
        Trial.objects.open().filter(pk__in=old).update(lease_until=_lease_end())


def _lease_end() -> datetime:
    return timezone.now() + timedelta(seconds=settings.TRIAL_LEASE_S)


def _unseen(session: Session, kind: str, *, is_warm_up: bool = False) -> TripletQuerySet:
    study = session.study
    seen = Trial.objects.filter(annotator_id=session.annotator_id).values("triplet")
    triplets = study.triplets.filter(kind=kind).exclude(pk__in=seen)
    if kind == Triplet.Kind.MAIN and not is_warm_up:
        return triplets.filter(n_assigned__lt=study.judgments_per_triplet)
    return triplets


def return_leases(session: Session) -> int:
    """A session that ended early gives back what it still held."""
    with transaction.atomic():
        Study.objects.select_for_update().only("pk").get(pk=session.study_id)
        return _expire(session.trials.open())


def return_overdue() -> int:
    """Leases that ran out give their slot back to the pool."""
    n_returned = 0
    for study_id in Trial.objects.overdue().values_list("session__study", flat=True).distinct():
        with transaction.atomic():
            # The same order of locks as in a lease: the study first.
            Study.objects.select_for_update().only("pk").get(pk=study_id)
            n_returned += _expire(Trial.objects.overdue().filter(session__study=study_id))
    return n_returned


def _expire(leased: TrialQuerySet) -> int:
    trials = list(leased.select_for_update(of=("self",)))
    Trial.objects.filter(pk__in=[trial.pk for trial in trials]).update(state=Trial.State.EXPIRED)
    # Several people may have let go of the same triplet.
    times = Counter(trial.triplet_id for trial in trials if trial.is_counted)
    for n in set(times.values()):
        pks = [pk for pk, found in times.items() if found == n]
        Triplet.objects.filter(pk__in=pks).update(n_assigned=F("n_assigned") - n)
    return len(trials)
