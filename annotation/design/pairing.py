"""Reconstructions -> the pairs worth asking about: two codecs, one source, one target rate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

DIFFERENT_RATES = "achieved rates differ by more than the tolerance"
SAME_CODEC = "both by the same codec"


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
class Pairing:
    """The pairs, and how many candidates and pairs were left out for which reason."""

    pairs: tuple[Pair, ...]
    left_out_candidates: Mapping[str, int]
    left_out_pairs: Mapping[str, int]


def pair_codecs(candidates: Sequence[Candidate], rate_tolerance: float = 0.05) -> Pairing:
    """Pair every two codecs of one source at one target rate.

    A candidate whose state is not 'hit' stands under a rate that it missed and is left out, as is
    a pair whose achieved rates differ by more than `rate_tolerance` of the smaller one. The same
    candidates in any order give the same pairs, ordered by source, rate and ids.
    """
    if not rate_tolerance >= 0:
        raise ValueError(f"rate_tolerance {rate_tolerance}, expected a share from 0 up")
    _refuse_doubles(candidates)
    cells: dict[tuple[int, float], list[Candidate]] = {}
    missed: Counter[str] = Counter()
    for candidate in sorted(candidates, key=lambda found: found.reconstruction_id):
        if candidate.state != "hit":
            missed[f"state {candidate.state}"] += 1
        else:
            cells.setdefault((candidate.source_id, candidate.target_bpp), []).append(candidate)
    pairs: list[Pair] = []
    left_out: Counter[str] = Counter()
    for cell in sorted(cells):
        for first, second in combinations(cells[cell], 2):
            reason = _reason_against(first, second, rate_tolerance)
            if reason is None:
                pairs.append(Pair(cell[0], first.reconstruction_id, second.reconstruction_id))
            else:
                left_out[reason] += 1
    return Pairing(tuple(pairs), dict(sorted(missed.items())), dict(sorted(left_out.items())))


def _reason_against(first: Candidate, second: Candidate, rate_tolerance: float) -> str | None:
    if first.codec == second.codec:
        return SAME_CODEC
    low, high = sorted((first.bpp, second.bpp))
    if high - low > rate_tolerance * low:
        return DIFFERENT_RATES
    return None


def _refuse_doubles(candidates: Sequence[Candidate]) -> None:
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
    _refuse_doubles(candidates)
    cells: dict[tuple[int, str], list[Candidate]] = {}
    for candidate in candidates:
        cells.setdefault((candidate.source_id, candidate.codec), []).append(candidate)
    pairs = []
    for (source_id, _codec), found in sorted(cells.items()):
        low = min(found, key=lambda candidate: (candidate.bpp, candidate.reconstruction_id))
        high = max(found, key=lambda candidate: (candidate.bpp, candidate.reconstruction_id))
        if high.bpp >= OBVIOUS_RATIO * low.bpp:
            ids = sorted((low.reconstruction_id, high.reconstruction_id))
            pairs.append(Pair(source_id, *ids))
    return tuple(pairs)
