"""The triplets of a study; the next trials of a session."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from annotation.design.pairing import Candidate, pair_codecs
from annotation.models import Session, Study, Trial, TrialQuerySet, Triplet, TripletQuerySet
from codecs_eval.models import Reconstruction, SourceImage


@dataclass(frozen=True)
class Planned:
    """What a plan made, and what it left out and why."""

    n_triplets: int
    left_out: dict[str, int]


def plan_triplets(study: Study) -> Planned:
    """Make the triplets of a draft study anew from its ladder.

    Raises ValueError for a study that was opened, or when no pair can be formed.
    """
    if study.is_frozen:
        raise ValueError(f"Study {study.slug} was opened; its triplets no longer change.")
    rows = _newest_cells(study)
    pairing = pair_codecs(
        [
            Candidate(
                reconstruction_id=row.pk,
                source_id=row.source_id,
                codec=row.codec,
                target_bpp=row.target_bpp,
                bpp=row.bpp,
                state=_state_for(study, row),
            )
            for row in rows.values()
        ],
        study.rate_tolerance,
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
    with transaction.atomic():
        study.triplets.all().delete()
        Triplet.objects.bulk_create(triplets)
    return Planned(n_triplets=len(triplets), left_out=left_out)


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


def lease_trials(session: Session, n: int) -> list[Trial]:
    """Up to n more trials for a session, in one short transaction.

    The neediest triplets first (fewest judgments and open leases), never one that this person
    has had; sides balanced within the session, both from the session's seed.
    """
    with transaction.atomic():
        held = Session.objects.select_for_update().get(pk=session.pk)
        # One lease at a time in a study keeps its counts balanced; SQLite does so by itself.
        Study.objects.select_for_update().only("pk").get(pk=held.study_id)
        renewed = _renew_expired(held, n)
        taken = held.trials.count()
        # An expired trial keeps its place: a session never grows beyond its length.
        n = min(n - len(renewed), held.study.session_length - taken)
        if n <= 0:
            return renewed
        triplets = _next_triplets(held, n)
        trials = [
            Trial(
                session=held,
                annotator_id=held.annotator_id,
                triplet=triplet,
                position=taken + index,
                first_on_left=_first_on_left(held.seed, taken + index),
                lease_until=_lease_end(),
            )
            for index, triplet in enumerate(triplets)
        ]
        Triplet.objects.filter(pk__in=[triplet.pk for triplet in triplets]).update(
            n_assigned=F("n_assigned") + 1
        )
        return renewed + Trial.objects.bulk_create(trials)


def _renew_expired(session: Session, n: int) -> list[Trial]:
    """A person who comes back after a long pause gets the slots that nobody took meanwhile."""
    # Locked: a late answer to the same trial arrives before or after this, never in between.
    expired = _renewable(session).select_related("triplet").select_for_update(of=("self",))
    trials = list(expired[:n])
    for trial in trials:
        trial.state = Trial.State.LEASED
        trial.lease_until = _lease_end()
    Trial.objects.bulk_update(trials, ["state", "lease_until"])
    Triplet.objects.filter(pk__in=[trial.triplet_id for trial in trials]).update(
        n_assigned=F("n_assigned") + 1
    )
    return trials


def _renewable(session: Session) -> TrialQuerySet:
    return session.trials.filter(
        state=Trial.State.EXPIRED,
        triplet__n_assigned__lt=session.study.judgments_per_triplet,
    )


def has_more_for(session: Session) -> bool:
    """Whether a trial is left for this session."""
    if _renewable(session).exists():
        return True
    return session.trials.count() < session.study.session_length and _unseen(session).exists()


def _lease_end() -> datetime:
    return timezone.now() + timedelta(seconds=settings.TRIAL_LEASE_S)


def _unseen(session: Session) -> TripletQuerySet:
    study = session.study
    seen = Trial.objects.filter(annotator_id=session.annotator_id).values("triplet")
    return study.triplets.filter(
        kind=Triplet.Kind.MAIN, n_assigned__lt=study.judgments_per_triplet
    ).exclude(pk__in=seen)


def _next_triplets(session: Session, n: int) -> list[Triplet]:
    return list(_unseen(session).neediest_first()[:n])


def _first_on_left(seed: int, position: int) -> bool:
    """Balanced within every pair of positions: each two trials show both sides once."""
    flip = random.Random(f"{seed}:{position // 2}").random() < 0.5
    return flip if position % 2 == 0 else not flip


def return_overdue() -> int:
    """Leases that ran out give their slot back to the pool."""
    n_returned = 0
    for trial in Trial.objects.overdue().only("pk", "triplet_id"):
        with transaction.atomic():
            expired = Trial.objects.overdue().filter(pk=trial.pk).update(state=Trial.State.EXPIRED)
            if expired:
                Triplet.objects.filter(pk=trial.triplet_id).update(n_assigned=F("n_assigned") - 1)
                n_returned += 1
    return n_returned
