"""What the comparisons cannot tell: items that are unconnected, one-sided or seldom judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from annotation.preference.comparisons import Comparisons
from annotation.preference.davidson import parts_of

# Scaling wants 10 comparisons an item and more (pwcmp); ITU-R BT.500-15 wants 15 observers.
LEAST_VOTES = 10
LEAST_OBSERVERS = 15
_NAMED = 5


@dataclass(frozen=True)
class Connectivity:
    """Items by their codes. `parts`: groups with no comparison between them, largest first.

    `never_compared`: pairs of one part whose difference comes through other items alone.
    `thin_pairs` and `thin_items`: fewer votes than asked for. `warnings`: each one a sentence.
    """

    parts: tuple[tuple[int, ...], ...]
    never_won: tuple[int, ...]
    never_lost: tuple[int, ...]
    one_sided: tuple[tuple[int, ...], ...]
    never_compared: tuple[tuple[int, int], ...]
    thin_pairs: tuple[tuple[int, int], ...]
    thin_items: tuple[int, ...]
    n_observers: int
    warnings: tuple[str, ...]

    @property
    def is_connected(self) -> bool:
        return len(self.parts) <= 1


def connectivity(
    comparisons: Comparisons,
    names: Sequence[str],
    *,
    least_votes: int = LEAST_VOTES,
    least_observers: int = LEAST_OBSERVERS,
) -> Connectivity:
    """What has to be said before any scale of these items; `names` (n,) are for the sentences."""
    if len(names) != comparisons.n_items:
        raise ValueError(f"Found {len(names)} names; expected {comparisons.n_items}.")
    wins, ties = comparisons.wins(), comparisons.ties()
    part, bound = parts_of(wins, ties)
    votes = wins + wins.T + ties
    of_item = votes.sum(axis=1)
    pairs = list(combinations(range(comparisons.n_items), 2))
    compared = [pair for pair in pairs if votes[pair]]
    found = Connectivity(
        parts=_groups(part),
        never_won=_items((of_item > 0) & ((wins + ties).sum(axis=1) == 0)),
        never_lost=_items((of_item > 0) & ((wins.T + ties).sum(axis=1) == 0)),
        one_sided=tuple(group for group in _groups(bound) if _is_split(group, part, bound)),
        never_compared=tuple((i, j) for i, j in pairs if not votes[i, j] and part[i] == part[j]),
        thin_pairs=tuple(pair for pair in compared if votes[pair] < least_votes),
        thin_items=_items(of_item < least_votes),
        n_observers=comparisons.n_active_observers,
        warnings=(),
    )
    said = _warnings(found, names, votes, least_votes, least_observers)
    return Connectivity(**{**vars(found), "warnings": tuple(said)})


def _groups(label: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> tuple[tuple[int, ...], ...]:
    groups = [tuple(np.flatnonzero(label == at).tolist()) for at in np.unique(label)]
    return tuple(sorted(groups, key=lambda group: (-len(group), group)))


def _items(is_member: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> tuple[int, ...]:
    return tuple(np.flatnonzero(is_member).tolist())


def _is_split(
    group: tuple[int, ...],
    part: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    bound: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
) -> bool:
    return len(np.unique(bound[part == part[group[0]]])) > 1


def _warnings(
    found: Connectivity,
    names: Sequence[str],
    votes: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    least_votes: int,
    least_observers: int,
) -> list[str]:
    said = []
    if found.n_observers < least_observers:
        said.append(
            f"{_count(found.n_observers, 'observer')}; ITU-R BT.500 expects {least_observers} or "
            "more."
        )
    if not found.is_connected:
        said.append(
            f"The items fall into {len(found.parts)} parts without any comparison between them, so "
            f"places of different parts cannot be compared: "
            + "; ".join(_named(group, names) for group in found.parts[:_NAMED])
            + "."
        )
    for group, what in ((found.never_won, "won"), (found.never_lost, "lost")):
        said += [
            f"{names[item]} never {what}: how far it stands from the others is the prior's doing."
            for item in group
        ]
    lone = {*found.never_won, *found.never_lost}
    if any(not lone & set(group) for group in found.one_sided) and len(found.one_sided) > 1:
        said.append(
            "Between these groups every comparison went one way, so the prior decides their "
            "distance: " + "; ".join(_named(group, names) for group in found.one_sided) + "."
        )
    if found.never_compared:
        said.append(
            f"{_count(len(found.never_compared), 'pair')} never compared directly: what is said of "
            "such a pair comes through other items."
        )
    if found.thin_pairs:
        few = [f"{names[i]} and {names[j]} ({votes[i, j]:.0f})" for i, j in found.thin_pairs]
        said.append(
            f"{_count(len(found.thin_pairs), 'pair')} with fewer than {least_votes} votes: "
            f"{_listed(few)}."
        )
    if found.thin_items:
        few = [f"{names[item]} ({votes[item].sum():.0f})" for item in found.thin_items]
        said.append(
            f"{_count(len(found.thin_items), 'item')} with fewer than {least_votes} votes: "
            f"{_listed(few)}."
        )
    return said


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _named(group: tuple[int, ...], names: Sequence[str]) -> str:
    return _listed([names[item] for item in group])


def _listed(words: Sequence[str]) -> str:
    more = len(words) - _NAMED
    return ", ".join(words[:_NAMED]) + (f" and {more} more" if more > 0 else "")
