"""The plan of a session: what stands at which place, and which side shows the first image."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

# A repeat that comes soon after is remembered, not judged again.
SMALLEST_REPEAT_GAP = 6


@dataclass(frozen=True)
class Slot:
    """One place in a session.

    kind: practice, main, sentinel or identical. repeats: the place that is shown again, mirrored.
    first_on_left: whether the triplet's first image, or where a right answer is known the right
    one, stands on the left.
    """

    kind: str = "main"
    is_warm_up: bool = False
    repeats: int | None = None
    first_on_left: bool = True


@dataclass(frozen=True)
class Shares:
    """How much of a session is there to check its observer; shares of its length in 0..1."""

    sentinel: float = 0.0
    identical: float = 0.0
    repeat: float = 0.0

    def __post_init__(self) -> None:
        for name in ("sentinel", "identical", "repeat"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"Found {name} share {getattr(self, name)}; expected 0..1.")
        if self.sentinel + self.identical + self.repeat > 0.5:
            raise ValueError(
                "Sentinels, repeats and identical pairs are more than half of a session; "
                "expected at most 0.5 of it together."
            )


@lru_cache(maxsize=256)
def plan_slots(
    seed: int, length: int, n_practice: int = 0, n_warm_up: int = 0, shares: Shares | None = None
) -> tuple[Slot, ...]:
    """Practice, then `length` places: warm-ups first, checks strewn evenly among the rest.

    The same arguments give the same plan. Sides are balanced within 1 in each kind of slot by
    itself; a repeat mirrors its original. Fewer repeats than asked for are planned where the
    session is too short to keep `SMALLEST_REPEAT_GAP` places between a trial and its repeat.
    """
    if length < 1:
        raise ValueError(f"Found a session of {length} trials; expected at least 1.")
    shares = shares or Shares()
    rng = random.Random(f"{seed}:plan")
    slots = [Slot("practice")] * n_practice + [Slot()] * length
    begin = n_practice + min(n_warm_up, length)
    for place in range(n_practice, begin):
        slots[place] = Slot(is_warm_up=True)
    free = list(range(begin, len(slots)))
    for kind, share in (("sentinel", shares.sentinel), ("identical", shares.identical)):
        for place in _strewn(free, round(share * length), rng):
            slots[place] = Slot(kind)
            free.remove(place)
    _plan_repeats(slots, free, round(shares.repeat * length), rng)
    return tuple(_with_sides(slots, seed))


def _strewn(free: Sequence[int], n: int, rng: random.Random) -> list[int]:
    """`n` of the free places, one in each of n equal stretches, anywhere in it."""
    n = min(n, len(free))
    edges = [round(index * len(free) / n) for index in range(n + 1)] if n else []
    return [free[rng.randrange(low, high)] for low, high in zip(edges, edges[1:], strict=False)]


def _plan_repeats(slots: list[Slot], free: list[int], n: int, rng: random.Random) -> None:
    """Originals in the earlier part, repeats in the later one; each original repeated once."""
    late = [place for place in free if place - free[0] >= SMALLEST_REPEAT_GAP]
    late = late[len(late) // 3 :]
    taken: set[int] = set()
    for place in _strewn(late, n, rng):
        originals = [
            early
            for early in free
            if place - early >= SMALLEST_REPEAT_GAP
            and early not in taken
            and slots[early].repeats is None
        ]
        if originals:
            original = rng.choice(originals)
            taken |= {original, place}
            slots[place] = Slot(repeats=original)


def _with_sides(slots: Sequence[Slot], seed: int) -> list[Slot]:
    """Every two places of one kind show both sides once; a repeat mirrors its original."""
    seen: dict[tuple[str, bool], int] = {}
    repeated = {slot.repeats for slot in slots}
    sided: list[Slot] = []
    for place, slot in enumerate(slots):
        if slot.repeats is not None:
            sided.append(replace(slot, first_on_left=not sided[slot.repeats].first_on_left))
            continue
        group = (slot.kind, place in repeated)
        index = seen.get(group, 0)
        seen[group] = index + 1
        flip = random.Random(f"{seed}:{group}:{index // 2}").random() < 0.5
        sided.append(replace(slot, first_on_left=flip if index % 2 == 0 else not flip))
    return sided
