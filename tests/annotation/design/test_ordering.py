"""The plan of a session follows from its seed; sides are balanced, repeats mirror."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.design.ordering import SMALLEST_REPEAT_GAP, Shares, Slot, plan_slots

SHARES = Shares(sentinel=0.1, identical=0.05, repeat=0.1)


def plan(seed: int = 1, length: int = 40, **values: int) -> tuple[Slot, ...]:
    return plan_slots(seed, length, shares=SHARES, **values)


def test_the_same_seed_plans_the_same_session_and_another_seed_another() -> None:
    assert plan(4, n_practice=3, n_warm_up=2) == plan(4, n_practice=3, n_warm_up=2)
    assert len({plan(seed) for seed in range(10)}) == 10


def test_practice_comes_first_and_warm_ups_after_it() -> None:
    slots = plan(n_practice=3, n_warm_up=2)
    assert len(slots) == 43
    assert [slot.kind for slot in slots[:3]] == ["practice"] * 3
    assert [slot.is_warm_up for slot in slots] == [False] * 3 + [True] * 2 + [False] * 38
    assert {slot.kind for slot in slots[3:5]} == {"main"}


@given(seed=st.integers(0, 10_000))
def test_as_many_checks_stand_in_a_session_as_it_asks_for(seed: int) -> None:
    kinds = Counter(slot.kind for slot in plan(seed))
    assert kinds == {"main": 34, "sentinel": 4, "identical": 2}
    assert sum(slot.repeats is not None for slot in plan(seed)) == 4


@given(seed=st.integers(0, 10_000))
def test_sentinels_are_strewn_over_the_whole_session(seed: int) -> None:
    places = [place for place, slot in enumerate(plan(seed)) if slot.kind == "sentinel"]
    assert [place // 10 for place in places] == [0, 1, 2, 3]


@given(seed=st.integers(0, 10_000), length=st.integers(1, 60))
def test_a_repeat_mirrors_an_earlier_main_trial_once(seed: int, length: int) -> None:
    slots = plan(seed, length, n_practice=2, n_warm_up=1)
    originals = [slot.repeats for slot in slots if slot.repeats is not None]
    assert len(originals) == len(set(originals))
    for place, slot in enumerate(slots):
        if slot.repeats is not None:
            original = slots[slot.repeats]
            assert (original.kind, original.is_warm_up, original.repeats) == ("main", False, None)
            assert place - slot.repeats >= SMALLEST_REPEAT_GAP
            assert slot.first_on_left is not original.first_on_left


@given(seed=st.integers(0, 10_000), length=st.integers(1, 60))
def test_sides_are_balanced_in_every_kind_of_trial(seed: int, length: int) -> None:
    sides: dict[str, list[bool]] = {}
    for slot in plan(seed, length, n_practice=2):
        sides.setdefault(slot.kind, []).append(slot.first_on_left)
    for kind, left in sides.items():
        # Main trials are repeated ones with their repeats, and the others: 1 off in each.
        assert abs(2 * sum(left) - len(left)) <= (2 if kind == "main" else 1)


def test_a_short_session_has_fewer_repeats_rather_than_close_ones() -> None:
    assert not any(slot.repeats is not None for slot in plan_slots(1, 6, shares=Shares(repeat=0.5)))


@pytest.mark.parametrize(
    "values", [{"sentinel": 1.5}, {"repeat": -0.1}, {"identical": float("nan")}]
)
def test_a_share_outside_of_a_session_is_refused(values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="0..1"):
        Shares(**values)


def test_a_session_is_not_made_of_checks() -> None:
    with pytest.raises(ValueError, match="half"):
        Shares(sentinel=0.3, repeat=0.3)


def test_a_session_without_a_trial_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        plan_slots(1, 0)
