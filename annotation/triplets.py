"""The triplets of a draft study: its pairs, its checks, and where each is cut."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from django.db import transaction

from annotation.crops import MEGAPIXELS_AT_ONCE, READING, Crops, maps_of, megapixels_read
from annotation.design.pairing import pair_far_apart
from annotation.models import Study, Triplet
from annotation.pairs import Pairs, candidate_of, pairs_of, with_photos
from codecs_eval.models import Reconstruction

Two = tuple[Reconstruction, Reconstruction]
Progress = Callable[[int, int], None]
# What a study's triplets follow from; whatever else changes leaves them as they are.
PLANNED_BY = (
    "collection", "codecs", "rates_bpp", "rate_tolerance", "keeps_different_rates",
    "pairing", "anchor_codec", "chosen_pairs", "ranking_metric", "rival_metric", "n_disputed",
    "crop", "crop_px", "seed", "polarity", "session_length", "n_practice",
    "sentinel_share", "identical_share",
)  # fmt: skip


@dataclass(frozen=True)
class Planned:
    """What a plan made, or `is_later`, will make; and what it left out and why."""

    n_triplets: int
    left_out: dict[str, int]
    n_checks: dict[str, int] = field(default_factory=dict)
    is_later: bool = False


@dataclass(frozen=True)
class Check:
    """A comparison that tells of the observer, not of the codecs."""

    kind: str
    two: Two
    expected: str = ""


@dataclass(frozen=True)
class Plan:
    """What a study would ask, before anything is cut or stored."""

    pairs: Pairs
    checks: tuple[Check, ...]

    @property
    def planned(self) -> Planned:
        n_checks = Counter(str(check.kind) for check in self.checks)
        return Planned(len(self.pairs.pairing.pairs), self.pairs.left_out, dict(n_checks))

    def every_two(self) -> list[Two]:
        return [*self.pairs.asked(), *(check.two for check in self.checks)]


def plan_of(study: Study) -> Plan:
    """What a study, saved or not, asks about; reads rows and no pixels.

    Raises ValueError when no pair can be formed, or what decides pairs, crops or checks is missing.
    """
    pairs = pairs_of(study)
    if not pairs.pairing.pairs:
        raise ValueError(
            f"No pair of codecs at one rate in collection {study.collection!r} "
            f"(found {len(pairs.rows)} reconstructions, left out {pairs.left_out}). "
            "Encode the ladder first (encode_ladder)."
        )
    if study.crop == Study.Crop.SALIENT:
        maps_of(study)
    return Plan(pairs, tuple(_checks(study, list(pairs.rows.values()))))


def is_long(study: Study, plan: Plan) -> bool:
    """Whether planning reads more pixels than a page may wait for."""
    if study.crop not in READING:
        return False
    return megapixels_read(study, plan.every_two()) > MEGAPIXELS_AT_ONCE


def plan(study: Study, *, may_take_long: bool) -> Planned:
    """Make a draft's triplets anew, or none where that would take long and may not."""
    found = plan_of(study)
    if may_take_long or not is_long(study, found):
        return plan_triplets(study, found)
    study.triplets.all().delete()
    return replace(found.planned, is_later=True)


def plan_triplets(
    study: Study,
    found: Plan | None = None,
    on_progress: Progress = lambda done, total: None,
    beside: Callable[[], object] = lambda: None,
) -> Planned:
    """Make the triplets of a draft study anew from its ladder.

    `beside` writes what belongs to them, in their own transaction.

    Raises ValueError for a study that was opened or changed meanwhile, or when no pair can be
    formed.
    """
    if study.is_frozen:
        raise ValueError(f"Study {study.slug} was opened; its triplets no longer change.")
    found = found or plan_of(study)
    rows = _rows(study, found, on_progress)
    with transaction.atomic():
        _refuse_another(study)
        study.triplets.all().delete()
        Triplet.objects.bulk_create(rows, batch_size=5000)
        beside()
    return found.planned


def _refuse_another(study: Study) -> None:
    """Cutting takes its time: what was opened or changed in it is not given an older plan."""
    held = Study.objects.select_for_update().get(pk=study.pk)
    names = (*PLANNED_BY, "opened_at")
    changed = [name for name in names if getattr(held, name) != getattr(study, name)]
    if changed:
        raise ValueError(
            f"Study {study.slug} changed while its triplets were planned ({', '.join(changed)}); "
            "its newer plan stands."
        )


def _rows(study: Study, plan: Plan, on_progress: Progress) -> list[Triplet]:
    """In the order of photos and rates, so that each copy is decoded once."""
    crops = Crops(study)
    main = list(plan.pairs.asked())
    order = list(range(len(main)))
    random.Random(study.seed).shuffle(order)
    total = len(main) + len(plan.checks)
    rows = []
    for two, place in zip(main, order, strict=True):
        rows.append(_triplet(study, crops, two, place))
        on_progress(len(rows), total)
    place_of_kind: Counter[str] = Counter()
    for check in plan.checks:
        row = _triplet(study, crops, check.two, place_of_kind[check.kind])
        row.kind, row.expected = check.kind, check.expected
        place_of_kind[check.kind] += 1
        rows.append(row)
        on_progress(len(rows), total)
    return rows


def _triplet(study: Study, crops: Crops, two: Two, shuffle: int) -> Triplet:
    first, second = two
    left, top, width, height = crops.of(first, second)
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


def _checks(study: Study, rows: list[Reconstruction]) -> list[Check]:
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
            checks += [Check(kind, two, _expected(study, *two)) for two in chosen]
    alike = rng.sample(rows, min(n_identical, len(rows)))
    return checks + [Check(Triplet.Kind.IDENTICAL, (row, row)) for row in alike]


def _obvious(study: Study) -> list[Two]:
    """Pairs far apart in rate, from the whole ladder: also rates that the study does not ask."""
    ladder = (
        Reconstruction.objects.filter(
            source__collection=study.collection,
            codec__in=study.codecs,
            state=Reconstruction.State.HIT,
        )
        .exclude(path="")
        .order_by("pk")
    )
    by_id = {row.pk: row for row in with_photos(ladder, study.collection)}
    pairs = pair_far_apart([candidate_of(row) for row in by_id.values()])
    return [(by_id[pair.first_id], by_id[pair.second_id]) for pair in pairs]


def _expected(study: Study, first: Reconstruction, second: Reconstruction) -> str:
    """More bits of one codec are closer; asked for the one that differs, the other one is right."""
    is_first_closer = first.bpp > second.bpp
    return "first" if is_first_closer == (study.polarity == Study.Polarity.CLOSER) else "second"
