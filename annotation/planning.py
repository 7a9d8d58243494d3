"""The triplets of a study; the next trials of a session."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Q
from django.utils import timezone

from annotation.design.ordering import Shares, Slot, plan_slots
from annotation.design.pairing import Candidate, pair_codecs, pair_far_apart
from annotation.models import Session, Study, Trial, TrialQuerySet, Triplet, TripletQuerySet
from codecs_eval.models import Reconstruction, SourceImage


@dataclass(frozen=True)
class Planned:
    """What a plan made, and what it left out and why."""

    n_triplets: int
    left_out: dict[str, int]
    n_checks: dict[str, int] = field(default_factory=dict)


def plan_triplets(study: Study) -> Planned:
    """Make the triplets of a draft study anew from its ladder.

    Raises ValueError for a study that was opened, or when no pair can be formed.
    """
    if study.is_frozen:
        raise ValueError(f"Study {study.slug} was opened; its triplets no longer change.")
    rows = _newest_cells(study)
    pairing = pair_codecs(
        [_candidate(row, _state_for(study, row)) for row in rows.values()], study.rate_tolerance
    )
    left_out = {**pairing.left_out_candidates, **pairing.left_out_pairs}
    if not pairing.pairs:
        raise ValueError(
            f"No pair of codecs at one rate in collection {study.collection!r} "
            f"(found {len(rows)} reconstructions, left out {left_out}). "
            "Encode the ladder first (encode_ladder)."
        )
    by_id = {row.pk: row for row in rows.values()}
    order = list(range(len(pairing.pairs)))
    random.Random(study.seed).shuffle(order)
    triplets = [
        _triplet(study, by_id[pair.first_id], by_id[pair.second_id], place)
        for pair, place in zip(pairing.pairs, order, strict=True)
    ]
    triplets += _checks(study, list(by_id.values()))
    with transaction.atomic():
        study.triplets.all().delete()
        Triplet.objects.bulk_create(triplets)
    n_checks = Counter(triplet.kind for triplet in triplets)
    n_main = n_checks.pop(Triplet.Kind.MAIN)
    return Planned(n_triplets=n_main, left_out=left_out, n_checks=dict(n_checks))


def _candidate(row: Reconstruction, state: str) -> Candidate:
    return Candidate(
        reconstruction_id=row.pk,
        source_id=row.source_id,
        codec=row.codec,
        target_bpp=row.target_bpp,
        bpp=row.bpp,
        state=state,
    )


def _checks(study: Study, rows: list[Reconstruction]) -> list[Triplet]:
    """Practice, sentinels and identical pairs: enough for several sessions of one person."""
    rng = random.Random(f"{study.seed}:checks")
    n_sentinels = 2 * round(study.sentinel_share * study.session_length)
    n_identical = 2 * round(study.identical_share * study.session_length)
    checks = []
    if n_sentinels or study.n_practice:
        obvious = _obvious(study)
        rng.shuffle(obvious)
        if len(obvious) < max(1, study.n_practice):
            raise ValueError(
                f"Found {len(obvious)} pairs with an obvious difference in collection "
                f"{study.collection!r}; expected at least {max(1, study.n_practice)} for practice "
                "and sentinels. Encode a low and a high rate (0.23 and 1.0 bpp), or ask for "
                "neither."
            )
        # Practice from one end and sentinels from the other: nobody practises on a sentinel
        # while there are enough.
        for kind, chosen in (
            (Triplet.Kind.PRACTICE, obvious[: study.n_practice]),
            (Triplet.Kind.SENTINEL, obvious[::-1][:n_sentinels]),
        ):
            checks += [
                _check(study, kind, place, *pair, expected=_expected(study, *pair))
                for place, pair in enumerate(chosen)
            ]
    alike = rng.sample(rows, min(n_identical, len(rows)))
    checks += [
        _check(study, Triplet.Kind.IDENTICAL, place, row, row) for place, row in enumerate(alike)
    ]
    return checks


def _obvious(study: Study) -> list[tuple[Reconstruction, Reconstruction]]:
    """Pairs far apart in rate, from the whole ladder: also rates that the study does not ask."""
    ladder = (
        Reconstruction.objects.filter(
            source__collection=study.collection,
            codec__in=study.codecs,
            state=Reconstruction.State.HIT,
        )
        .select_related("source")
        .order_by("pk")
    )
    by_id = {row.pk: row for row in ladder}
    pairs = pair_far_apart([_candidate(row, row.state) for row in by_id.values()])
    return [(by_id[pair.first_id], by_id[pair.second_id]) for pair in pairs]


def _expected(study: Study, first: Reconstruction, second: Reconstruction) -> str:
    """More bits of one codec are closer; asked for the one that differs, the other one is right."""
    is_first_closer = first.bpp > second.bpp
    return "first" if is_first_closer == (study.polarity == Study.Polarity.CLOSER) else "second"


def _check(
    study: Study,
    kind: str,
    place: int,
    first: Reconstruction,
    second: Reconstruction,
    *,
    expected: str = "",
) -> Triplet:
    triplet = _triplet(study, first, second, place)
    triplet.kind, triplet.expected = kind, expected
    return triplet


def _state_for(study: Study, row: Reconstruction) -> str:
    """A hit within a looser tolerance than the study allows is no hit in it."""
    is_near = abs(row.miss) <= study.rate_tolerance / 2
    return row.state if is_near else Reconstruction.State.NEAREST


def _newest_cells(study: Study) -> dict[tuple[int, str, float], Reconstruction]:
    rows = Reconstruction.objects.of_ladder(study.collection, study.codecs, study.rates_bpp)
    return {(row.source_id, row.codec, row.target_bpp): row for row in rows}


def _triplet(study: Study, first: Reconstruction, second: Reconstruction, shuffle: int) -> Triplet:
    left, top, width, height = _crop(study, first.source)
    return Triplet(
        study=study,
        source=first.source,
        first=first,
        second=second,
        target_bpp=first.target_bpp,
        crop_left_px=left,
        crop_top_px=top,
        crop_width_px=width,
        crop_height_px=height,
        shuffle=shuffle,
    )


def _crop(study: Study, source: SourceImage) -> tuple[int, int, int, int]:
    """left, top, width, height; one place a source, so that all its triplets show the same."""
    if study.crop == Study.Crop.WHOLE:
        return 0, 0, source.width, source.height
    width, height = min(study.crop_px, source.width), min(study.crop_px, source.height)
    if study.crop == Study.Crop.CENTRE:
        return (source.width - width) // 2, (source.height - height) // 2, width, height
    place = random.Random(f"{study.seed}:{source.sha256}")
    left, top = place.randint(0, source.width - width), place.randint(0, source.height - height)
    return left, top, width, height


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
