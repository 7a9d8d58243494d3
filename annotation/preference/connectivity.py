"""What the comparisons cannot tell: items that are unconnected, one-sided or seldom judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from annotation.preference.comparisons import Bools, Comparisons, Floats, Ints
from annotation.preference.davidson import parts_of

# Scaling wants 10 comparisons an item and more (pwcmp); ITU-R BT.500-15 wants 15 observers.
LEAST_VOTES = 10
LEAST_OBSERVERS = 15
_NAMED = 5


@dataclass(frozen=True)
class Connectivity:
    """Items by their codes. `parts`: groups with no comparison between them, largest first.

    `one_sided`: groups of one part between which every comparison went one way.

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
    said = [
        *_of_observers(found, least_observers),
        *_of_parts(found, names),
        *_of_one_way(found, names),
        *_of_few_votes(found, names, votes, least_votes),
    ]
    return replace(found, warnings=tuple(said))


def _groups(label: Ints) -> tuple[tuple[int, ...], ...]:
    groups = [tuple(np.flatnonzero(label == at).tolist()) for at in np.unique(label)]
    return tuple(sorted(groups, key=lambda group: (-len(group), group)))


def _items(is_member: Bools) -> tuple[int, ...]:
    return tuple(np.flatnonzero(is_member).tolist())


def _is_split(group: tuple[int, ...], part: Ints, bound: Ints) -> bool:
    return len(np.unique(bound[part == part[group[0]]])) > 1


def _of_observers(found: Connectivity, least: int) -> list[str]:
    if found.n_observers >= least:
        return []
    return [
        f"{_count(found.n_observers, 'observer')} gave answers; ITU-R BT.500-15 expects {least} "
        "or more."
    ]


def _of_parts(found: Connectivity, names: Sequence[str]) -> list[str]:
    said = []
    if not found.is_connected:
        parts = "; ".join(_named(group, names) for group in found.parts[:_NAMED])
        said.append(
            f"The items fall into {len(found.parts)} parts without any comparison between them, so "
            f"places of different parts cannot be compared: {parts}."
        )
    if found.never_compared:
        n = len(found.never_compared)
        said.append(
            f"{_count(n, 'pair')} {'was' if n == 1 else 'were'} never compared directly: what is "
            "said of such a pair comes through other items."
        )
    return said


def _of_one_way(found: Connectivity, names: Sequence[str]) -> list[str]:
    said = [
        f"{names[item]} never {what}: how far it stands from the others is decided by the prior."
        for items, what in ((found.never_won, "won"), (found.never_lost, "lost"))
        for item in items
    ]
    lone = {*found.never_won, *found.never_lost}
    groups = [group for group in found.one_sided if not lone & set(group)]
    if len(groups) > 1:
        told = "; ".join(_named(group, names) for group in groups[:_NAMED])
        said.append(
            "Between these groups every comparison went one way, so the prior decides how far "
            f"apart they stand: {told}."
        )
    return said


def _of_few_votes(
    found: Connectivity, names: Sequence[str], votes: Floats, least: int
) -> list[str]:
    pairs = [f"{names[i]} and {names[j]} ({votes[i, j]:.0f})" for i, j in found.thin_pairs]
    items = [f"{names[item]} ({votes[item].sum():.0f})" for item in found.thin_items]
    return [
        f"{_count(len(few), what)} with fewer than {least} votes: {_listed(few)}."
        for few, what in ((pairs, "pair"), (items, "item"))
        if few
    ]


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _named(group: tuple[int, ...], names: Sequence[str]) -> str:
    return _listed([names[item] for item in group])


def _listed(words: Sequence[str]) -> str:
    more = len(words) - _NAMED
    return ", ".join(words[:_NAMED]) + (f" and {more} more" if more > 0 else "")
