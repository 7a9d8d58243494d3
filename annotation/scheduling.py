"""The active scheduler: judgments so far -> the block of triplets that is handed out next.

Off the request path: serving only follows `Triplet.priority`. Without a block, with a used-up
one and with a block that nobody can take, it hands out balanced.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from django.core.cache import cache
from django.db import transaction
from django.db.models import Case, Value, When
from numpy.typing import NDArray

from annotation.conditions import Cells, cells_of, wins_of
from annotation.design.scheduling import Ask, choose_block
from annotation.models import Study, Trial, Triplet
from annotation.preference.scale import fit_scale

# Judgments for each condition before the first block: an order guessed from less misleads.
JUDGMENTS_A_CONDITION = 4
# A block lasts until the next one is planned; what is under a lease is asked already.
SMALLEST_BLOCK = 12


@dataclass(frozen=True)
class Planned:
    """One triplet of a block, and what its answer is expected to tell."""

    triplet: int
    target_bpp: float
    first_codec: str
    second_codec: str
    gain: float


@dataclass(frozen=True)
class Block:
    """The triplets that are handed out first, the one that tells most at its head."""

    n_judgments: int
    n_conditions: int
    planned: tuple[Planned, ...]


@dataclass(frozen=True, eq=False)
class _Counts:
    """Trials of each triplet, by its place in `Cells`: judged or leased, and leased alone."""

    n_assigned: NDArray[np.int64]
    n_leased: NDArray[np.int64]


def block_size(study: Study) -> int:
    """Enough for a few seconds: more than the study's browsers hold at this moment."""
    return SMALLEST_BLOCK + Trial.objects.open().filter(session__study=study).count()


def n_in_block(study: Study) -> int:
    return _main(study).filter(priority__gt=0).count()


def is_due(study: Study) -> bool:
    """Whether judgments came since the last block, and it is half used or they are many."""
    n_judged = _n_judged(study)
    n_known = cache.get(_memory_of(study))
    if n_judged == n_known:
        return False
    size = block_size(study)
    # A cache that forgot costs one block planned too early.
    return n_known is None or abs(n_judged - n_known) >= size or n_in_block(study) <= size // 2


def plan_block(study: Study, *, size: int | None = None) -> Block | None:
    """Choose the next block and give its triplets their priority; clear that of the old one.

    None, and no priority anywhere, where the balanced order serves as well: with few judgments,
    and where every order is certain or nothing is left to ask.
    Raises ValueError for a study that is not open, or not scheduled so.
    """
    if study.scheduler != Study.Scheduler.ACTIVE:
        raise ValueError(
            f"Study {study.slug} has the {study.scheduler} scheduler; blocks are for the active."
        )
    if not study.is_open:
        raise ValueError(f"Study {study.slug} is {study.state}; a block is planned when open.")
    if size is not None and size < 1:
        raise ValueError(f"Found a block of {size}; expected at least 1.")
    n_known = _n_judged(study)
    block = _choose(study, block_size(study) if size is None else size)
    _give_priority(study, block.planned if block else ())
    cache.set(_memory_of(study), n_known)
    return block


def _memory_of(study: Study) -> str:
    return f"block:{study.pk}:{study.slug}"


def _n_judged(study: Study) -> int:
    return Trial.objects.filter(session__study=study, state=Trial.State.JUDGED).count()


def _main(study: Study) -> Any:
    return study.triplets.filter(kind=Triplet.Kind.MAIN)


def _choose(study: Study, size: int) -> Block | None:
    cells = cells_of(study)
    found = wins_of(study)
    n = len(found.conditions)
    if found.n_judgments < max(1, JUDGMENTS_A_CONDITION * n):
        return None
    counts = _counts(study, cells)
    scale = fit_scale(found.wins)
    rates = [rate for rate, _ in cells.conditions]
    asks = choose_block(
        scale.mean,
        scale.covariance,
        _capacity(cells, counts.n_assigned < study.judgments_per_triplet),
        size,
        # Another seed for each block, the same one for the same answers.
        study.seed + found.n_judgments,
        pending=cells.pairs[np.repeat(cells.cell, counts.n_leased)],
        groups=_groups(cells, rates),
    )
    planned = _triplets_for(asks, cells, counts.n_assigned)
    return Block(found.n_judgments, n, planned) if planned else None


def _groups(cells: Cells, rates: list[float]) -> NDArray[np.intp]:
    """Rates are ordered each by itself, unless the study compares across them."""
    at = np.array(rates)
    if len(cells.pairs) and (at[cells.pairs[:, 0]] != at[cells.pairs[:, 1]]).any():
        return np.zeros(len(rates), dtype=np.intp)
    return np.unique(at, return_inverse=True)[1]


def _counts(study: Study, cells: Cells) -> _Counts:
    """Of the triplets that were ever handed out; the index finds them without the others."""
    counts = _Counts(np.zeros(len(cells.keys), np.int64), np.zeros(len(cells.keys), np.int64))
    main = _main(study).order_by()
    for touched in (main.filter(priority=0, n_assigned__gt=0), main.filter(priority__gt=0)):
        rows = np.array(
            touched.values_list("pk", "n_assigned", "n_judged"), dtype=np.int64
        ).reshape(-1, 3)
        place = cells.places(rows[:, 0])
        counts.n_assigned[place] = rows[:, 1]
        counts.n_leased[place] = np.maximum(rows[:, 1] - rows[:, 2], 0)
    return counts


def _capacity(cells: Cells, is_free: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Free triplets of each pair of conditions, (n, n): one stands in a block once."""
    n = len(cells.conditions)
    free = np.bincount(cells.cell[is_free], minlength=len(cells.pairs))
    capacity = np.zeros((n, n), dtype=np.intp)
    one, other = cells.pairs.T
    capacity[one, other] = free
    return capacity


def _triplets_for(
    asks: tuple[Ask, ...], cells: Cells, n_assigned: NDArray[np.int64]
) -> tuple[Planned, ...]:
    """For each ask another triplet of its pair: of the photo that was shown least for it."""
    cell_of = {(int(one), int(other)): cell for cell, (one, other) in enumerate(cells.pairs)}
    queues: dict[int, list[int]] = {}
    planned = []
    for ask in asks:
        cell = cell_of[ask.first, ask.second]
        if cell not in queues:
            places = np.flatnonzero(cells.cell == cell)
            order = np.lexsort((cells.shuffle[places], n_assigned[places]))
            queues[cell] = places[order[: len(asks)]].tolist()
        (rate, first), (_, second) = cells.conditions[ask.first], cells.conditions[ask.second]
        key = int(cells.keys[queues[cell].pop(0)])
        planned.append(Planned(key, rate, first, second, ask.gain))
    return tuple(planned)


def _give_priority(study: Study, planned: tuple[Planned, ...]) -> None:
    places = [
        When(pk=each.triplet, then=Value(len(planned) - place))
        for place, each in enumerate(planned)
    ]
    with transaction.atomic():
        # The same order of locks as in a lease: the study first.
        Study.objects.select_for_update().only("pk").get(pk=study.pk)
        _main(study).filter(priority__gt=0).update(priority=0)
        if places:
            # By their keys alone: with the study beside them, SQLite reads all of its triplets.
            chosen = Triplet.objects.filter(pk__in=[each.triplet for each in planned])
            chosen.update(priority=Case(*places))
