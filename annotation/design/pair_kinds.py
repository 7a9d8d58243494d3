"""Which copies of one photo are compared: all, with one codec, neighbours, named, or disputed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import TypeAlias

from annotation.design.disputing import most_disputed
from annotation.design.pairing import (
    DIFFERENT_RATES,
    MISSED,
    SAME_CODEC,
    Candidate,
    Pairing,
    Refused,
    pair_of,
    rate_difference,
    refuse_doubles,
)

KINDS = ("all", "anchor", "neighbours", "chosen", "disputed")
ALIKE = "both metrics order them alike"
DISPUTED_LESS = "disputed less than those that are asked"

Two: TypeAlias = tuple[Candidate, Candidate]
Cells: TypeAlias = dict[tuple[int, float], list[Candidate]]


@dataclass(frozen=True)
class Asked:
    """Which pairs a study asks about.

    kind: all (every two codecs at one rate); anchor (every codec against `anchor`); chosen (the
    codec pairs in `chosen`, either way round); neighbours (adjacent ones in the order of
    `ranking`, at one rate, or over all rates of a photo with `keeps_different_rates`); disputed
    (at each rate the `n_disputed` that `ranking` and `rival` dispute most: `most_disputed`).
    rate_tolerance: largest difference of achieved rates, as a share of the smaller one.
    keeps_different_rates: pairs beyond it are asked as well; what missed its rate never is.
    ranking, rival: quality of each reconstruction by its id, higher is better.
    """

    kind: str = "all"
    rate_tolerance: float = 0.05
    keeps_different_rates: bool = False
    anchor: str = ""
    chosen: tuple[tuple[str, str], ...] = ()
    ranking: Mapping[int, float] = field(default_factory=dict)
    rival: Mapping[int, float] = field(default_factory=dict)
    n_disputed: int = 50

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"pairing {self.kind!r}, expected one of {', '.join(KINDS)}")
        if not self.rate_tolerance >= 0:
            raise ValueError(f"rate_tolerance {self.rate_tolerance}, expected a share from 0 up")
        if self.n_disputed < 1:
            raise ValueError(f"n_disputed {self.n_disputed}, expected at least 1")


def pair(candidates: Sequence[Candidate], asked: Asked) -> Pairing:
    """The pairs that a study asks about, of one source each, ordered by source, rate and ids.

    A candidate whose state is not 'hit' stands under a rate that it missed and is left out. The
    same candidates in any order give the same pairs. Raises ValueError where candidates come
    twice, have no rate, or lack a value of a metric that the kind goes by.
    """
    refuse_doubles(candidates)
    ordered = sorted(candidates, key=lambda found: (found.target_bpp, found.reconstruction_id))
    hits = [candidate for candidate in ordered if candidate.state == "hit"]
    missed = Counter(f"state {found.state}" for found in ordered if found.state != "hit")
    named = [*_named(hits, asked)]
    kept, left_out, refused = _of_like_rates(named, asked)
    if asked.kind == "disputed":
        kept, less = _disputed(kept, asked)
        left_out += less
    refused += [Refused(pair_of(*two), MISSED) for two in _with_a_miss(ordered, asked)]
    return Pairing(
        tuple(pair_of(*two) for two in sorted(kept, key=_place)),
        dict(sorted(missed.items())),
        dict(sorted(left_out.items())),
        tuple(refused),
    )


def _place(two: Two) -> tuple[float, ...]:
    rates = sorted((two[0].target_bpp, two[1].target_bpp))
    return two[0].source_id, *rates, *sorted(found.reconstruction_id for found in two)


def _named(hits: Sequence[Candidate], asked: Asked) -> Iterable[Two]:
    """The pairs that the kind names, whatever their achieved rates; of the disputed, all."""
    if asked.kind == "neighbours":
        return _neighbours(hits, asked)
    return _of_codecs(_cells(hits), _names_them(asked))


def _cells(candidates: Iterable[Candidate]) -> Cells:
    cells: Cells = {}
    for candidate in candidates:
        cells.setdefault((candidate.source_id, candidate.target_bpp), []).append(candidate)
    return cells


def _names_them(asked: Asked) -> Callable[[str, str], bool]:
    if asked.kind == "anchor":
        return lambda one, other: asked.anchor in (one, other)
    if asked.kind == "chosen":
        wanted = {frozenset(codecs) for codecs in asked.chosen}
        return lambda one, other: frozenset((one, other)) in wanted
    return lambda one, other: True


def _of_codecs(cells: Cells, names_them: Callable[[str, str], bool]) -> Iterable[Two]:
    for cell in sorted(cells):
        for first, second in combinations(cells[cell], 2):
            if names_them(first.codec, second.codec):
                yield first, second


def _neighbours(hits: Sequence[Candidate], asked: Asked) -> Iterable[Two]:
    """Adjacent in quality; over all rates of a photo, copies of two rates meet as well."""
    groups: dict[tuple[int, float], list[Candidate]] = {}
    for candidate in hits:
        rate = 0.0 if asked.keeps_different_rates else candidate.target_bpp
        groups.setdefault((candidate.source_id, rate), []).append(candidate)
    for group in sorted(groups):
        yield from pairwise(sorted(groups[group], key=lambda found: _order(found, asked.ranking)))


def _order(candidate: Candidate, ranking: Mapping[int, float]) -> tuple[float, int]:
    return quality_of(candidate, ranking), candidate.reconstruction_id


def quality_of(candidate: Candidate, ranking: Mapping[int, float]) -> float:
    if candidate.reconstruction_id not in ranking:
        raise ValueError(f"reconstruction {candidate.reconstruction_id} has no value to order it")
    return ranking[candidate.reconstruction_id]


def _of_like_rates(
    named: Sequence[Two], asked: Asked
) -> tuple[list[Two], Counter[str], list[Refused]]:
    kept: list[Two] = []
    left_out: Counter[str] = Counter()
    refused: list[Refused] = []
    for two in named:
        if two[0].codec == two[1].codec and two[0].target_bpp == two[1].target_bpp:
            left_out[SAME_CODEC] += 1
        elif asked.keeps_different_rates or rate_difference(*two) <= asked.rate_tolerance:
            kept.append(two)
        else:
            left_out[DIFFERENT_RATES] += 1
            refused.append(Refused(pair_of(*two), DIFFERENT_RATES))
    return kept, left_out, refused


def _with_a_miss(ordered: Sequence[Candidate], asked: Asked) -> Iterable[Two]:
    """Pairs that would have been named, had both copies hit their rate.

    Which ones a metric would have named is not known before it orders what hit.
    """
    if asked.kind in ("neighbours", "disputed"):
        return
    for first, second in _of_codecs(_cells(ordered), _names_them(asked)):
        if first.codec != second.codec and {first.state, second.state} != {"hit"}:
            yield first, second


def _disputed(kept: Sequence[Two], asked: Asked) -> tuple[list[Two], Counter[str]]:
    """At each rate by itself, over all photos."""
    by_rate: dict[float, list[Two]] = {}
    for two in kept:
        by_rate.setdefault(two[0].target_bpp, []).append(two)
    chosen: list[Two] = []
    left_out: Counter[str] = Counter()
    for rate in sorted(by_rate):
        twos = by_rate[rate]
        differences = [
            tuple(quality_of(two[1], of) - quality_of(two[0], of) for two in twos)
            for of in (asked.ranking, asked.rival)
        ]
        found = most_disputed(differences[0], differences[1], asked.n_disputed)
        chosen += [twos[index] for index in found.chosen]
        left_out[ALIKE] += len(twos) - found.n_disputed
        left_out[DISPUTED_LESS] += found.n_disputed - len(found.chosen)
    return chosen, +left_out
