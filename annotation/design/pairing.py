"""Reconstructions -> the pairs worth asking about: two copies of one source, at one target rate.

candidates --what hit its rate--> cells (a source at a rate) --kind of pairing--> pairs
           --achieved rates alike?--> pairs that are asked, pairs that are left out and listed
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

DIFFERENT_RATES = "achieved rates differ by more than the tolerance"
SAME_CODEC = "both by the same codec"
MISSED = "a copy missed its rate"


@dataclass(frozen=True)
class Candidate:
    """One reconstruction as pairing sees it; `state` is that of its rate search."""

    reconstruction_id: int
    source_id: int
    codec: str
    target_bpp: float
    bpp: float
    state: str


@dataclass(frozen=True)
class Pair:
    """Two reconstructions of one source; unordered, so the smaller id stands first."""

    source_id: int
    first_id: int
    second_id: int

    def __post_init__(self) -> None:
        if not self.first_id < self.second_id:
            raise ValueError(
                f"first {self.first_id} and second {self.second_id}, expected first < second"
            )


@dataclass(frozen=True)
class Refused:
    """A pair that would be asked about, and why it is not."""

    pair: Pair
    reason: str


@dataclass(frozen=True)
class Pairing:
    """The pairs, and what was left out for which reason: candidates, pairs, and each such pair.

    `refused` lists the pairs left out for their rates; of two copies by one codec it lists none.
    """

    pairs: tuple[Pair, ...]
    left_out_candidates: Mapping[str, int]
    left_out_pairs: Mapping[str, int]
    refused: tuple[Refused, ...] = field(default=(), compare=False)


def pair_of(first: Candidate, second: Candidate) -> Pair:
    """The pair of two candidates, whichever way round they come."""
    ids = sorted((first.reconstruction_id, second.reconstruction_id))
    return Pair(first.source_id, ids[0], ids[1])


def rate_difference(first: Candidate, second: Candidate) -> float:
    """How much larger the larger file is, as a share of the smaller one; 0 and up."""
    low, high = sorted((first.bpp, second.bpp))
    return high / low - 1


def refuse_doubles(candidates: Sequence[Candidate]) -> None:
    seen = Counter(candidate.reconstruction_id for candidate in candidates)
    doubles = sorted(found for found, count in seen.items() if count > 1)
    if doubles:
        raise ValueError(f"reconstructions given twice: {doubles[:5]}")
    for candidate in candidates:
        if not candidate.bpp > 0:
            raise ValueError(
                f"reconstruction {candidate.reconstruction_id} has {candidate.bpp} bpp, "
                "expected more than 0"
            )


# Files of one codec whose sizes differ so much are told apart by nearly everybody who looks.
OBVIOUS_RATIO = 2.5


def pair_far_apart(candidates: Sequence[Candidate]) -> tuple[Pair, ...]:
    """For each source and codec, its smallest and its largest file: an obvious difference.

    Only where the larger has `OBVIOUS_RATIO` times the bits. Ordered by source and codec; which
    of the two is better follows from their rates.
    """
    refuse_doubles(candidates)
    cells: dict[tuple[int, str], list[Candidate]] = {}
    for candidate in candidates:
        cells.setdefault((candidate.source_id, candidate.codec), []).append(candidate)
    pairs = []
    for _, found in sorted(cells.items()):
        low = min(found, key=lambda candidate: (candidate.bpp, candidate.reconstruction_id))
        high = max(found, key=lambda candidate: (candidate.bpp, candidate.reconstruction_id))
        if high.bpp >= OBVIOUS_RATIO * low.bpp:
            pairs.append(pair_of(low, high))
    return tuple(pairs)
