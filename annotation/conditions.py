"""The conditions that a study compares (a rate and a codec), and how often each was closer."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import numpy as np
from django.db.models import Count
from numpy.typing import NDArray

from annotation.models import Judgment, Study, Triplet
from annotation.preference.scale import count_wins

# A rate and a codec. A pair of two rates compares two conditions of their own.
Condition = tuple[float, str]

SHARE_FIRST = {"first": 1.0, "second": 0.0, "not_sure": 0.5}


@dataclass(frozen=True, eq=False)
class Wins:
    """How often each condition (a rate and a codec) was seen as closer than each other one."""

    conditions: tuple[tuple[float, str], ...]
    wins: NDArray[np.float64]
    n_judgments: int


@dataclass(frozen=True, eq=False)
class Cells:
    """Which triplets ask about which two conditions; in an opened study they never change.

    A condition is a rate and a codec; a cell is a pair of them. Arrays by cell: `pairs` (c, 2).
    Arrays by triplet, in the order of their keys: `keys`, `cell`, `is_turned` where the triplet's
    second image is the pair's first condition, and `shuffle`, the study's seeded order.
    """

    conditions: tuple[tuple[float, str], ...]
    pairs: NDArray[np.intp]
    keys: NDArray[np.int64]
    cell: NDArray[np.intp]
    is_turned: NDArray[np.bool_]
    shuffle: NDArray[np.int64]

    def places(self, keys: Any) -> NDArray[np.intp]:
        return np.searchsorted(self.keys, np.asarray(keys, dtype=np.int64))


def cells_of(study: Study) -> Cells:
    return _read_cells(study.pk, study.opened_at)


@lru_cache(maxsize=4)
def _read_cells(study_id: int, opened_at: datetime | None) -> Cells:
    """One reading of a study's triplets: seconds for a million, so it is kept."""
    rows = (
        Triplet.objects.filter(study=study_id, kind=Triplet.Kind.MAIN)
        .order_by("pk")
        .values_list(
            "pk",
            "shuffle",
            "first__target_bpp",
            "first__codec",
            "second__target_bpp",
            "second__codec",
        )  # fmt: skip
    )
    of_cell: dict[tuple[Condition, Condition], int] = {}
    table = np.fromiter(
        (
            (pk, shuffle, *_placed((rate, codec), (other_rate, other_codec), of_cell))
            for pk, shuffle, rate, codec, other_rate, other_codec in rows.iterator(
                chunk_size=10_000
            )
        ),
        dtype=[("pk", np.int64), ("shuffle", np.int64), ("cell", np.intp), ("turned", np.bool_)],
    )
    conditions = sorted({condition for two in of_cell for condition in two})
    number = {condition: place for place, condition in enumerate(conditions)}
    pairs = [(number[one], number[two]) for one, two in of_cell]
    return Cells(
        tuple(conditions),
        np.array(pairs, dtype=np.intp).reshape(-1, 2),
        table["pk"].copy(),
        table["cell"].copy(),
        table["turned"].copy(),
        table["shuffle"].copy(),
    )


def _placed(
    one: Condition, other: Condition, of_cell: dict[tuple[Condition, Condition], int]
) -> tuple[int, bool]:
    """The cell of a pair, made where it is new, and whether the pair stands in it turned."""
    return of_cell.setdefault((min(one, other), max(one, other)), len(of_cell)), one > other


def wins_of(study: Study) -> Wins:
    """What its counted judgments say about an opened study's conditions; not sure is half each.

    In wins (n, n), row i stands for the one that was closer, whatever the study's question.
    """
    cells = cells_of(study)
    rows = Judgment.objects.counted().of_study(study).order_by()
    found = list(rows.values_list("trial__triplet_id", "choice").annotate(n=Count("pk")))
    keys, choices, times = zip(*found, strict=True) if found else ((), (), ())
    place = cells.places(keys)
    share = np.array([SHARE_FIRST[choice] for choice in choices])
    # Asked for the one that differs more, people chose the worse one.
    is_swapped = cells.is_turned[place] ^ (study.polarity == Study.Polarity.DIFFERS)
    one, other = cells.pairs[cells.cell[place]].T
    wins = count_wins(
        len(cells.conditions), one, other, np.where(is_swapped, 1 - share, share), np.array(times)
    )
    return Wins(cells.conditions, wins, sum(times))
