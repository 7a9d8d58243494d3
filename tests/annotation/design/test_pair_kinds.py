"""Each kind of pairing against pairs worked out by hand."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.design.pair_kinds import ALIKE, DISPUTED_LESS, Asked, pair
from annotation.design.pairing import DIFFERENT_RATES, MISSED, Candidate, Pair

CODECS = ("avif", "jpeg", "webp", "vvc")


def make_cell(source: int = 1, rate: float = 0.5, first: int = 1, **bpp: float) -> list[Candidate]:
    """avif, jpeg, webp and vvc of one photo at one rate, with ids from `first` on; all hits."""
    return [
        Candidate(first + place, source, codec, rate, bpp.get(codec, rate), "hit")
        for place, codec in enumerate(CODECS)
    ]


def ids(candidates: list[Candidate], **asked: Any) -> list[tuple[int, int]]:
    return [(p.first_id, p.second_id) for p in pair(candidates, Asked(**asked)).pairs]


def test_every_codec_meets_the_anchor_and_no_other() -> None:
    cells = make_cell() + make_cell(rate=1.0, first=11)
    assert ids(cells, kind="anchor", anchor="jpeg") == [
        (1, 2), (2, 3), (2, 4), (11, 12), (12, 13), (12, 14),
    ]  # fmt: skip


def test_an_anchor_that_missed_its_rate_leaves_nothing_to_compare() -> None:
    cell = [
        Candidate(1, 1, "jpeg", 0.5, 0.6, "nearest"),
        Candidate(2, 1, "webp", 0.5, 0.5, "hit"),
    ]
    found = pair(cell, Asked(kind="anchor", anchor="jpeg"))
    assert found.pairs == ()
    assert [(refused.pair, refused.reason) for refused in found.refused] == [
        (Pair(1, 1, 2), MISSED)
    ]


def test_named_pairs_are_compared_either_way_round() -> None:
    chosen = (("webp", "avif"), ("jpeg", "vvc"))
    assert ids(make_cell(), kind="chosen", chosen=chosen) == [(1, 3), (2, 4)]


def test_neighbours_are_adjacent_in_the_order_of_the_metric() -> None:
    ranking = {1: 40.0, 2: 30.0, 3: 35.0, 4: 31.0}
    # jpeg 30, vvc 31, webp 35, avif 40.
    assert sorted(ids(make_cell(), kind="neighbours", ranking=ranking)) == [(1, 3), (2, 4), (3, 4)]


def test_equals_in_the_metric_stand_in_the_order_of_their_ids() -> None:
    ranking = dict.fromkeys(range(1, 5), 1.0)
    found = sorted(ids(make_cell(), kind="neighbours", ranking=ranking))
    assert found == [(1, 2), (2, 3), (3, 4)]


def test_neighbours_over_all_rates_connect_the_rates() -> None:
    cells = make_cell()[1:3] + make_cell(rate=1.0, first=11)[1:3]
    ranking = {2: 30.0, 3: 35.0, 12: 34.0, 13: 40.0}
    asked = {"kind": "neighbours", "ranking": ranking}
    assert ids(cells, **asked) == [(2, 3), (12, 13)]
    # jpeg at 0.5 (30), jpeg at 1 (34), webp at 0.5 (35), webp at 1 (40).
    found = ids(cells, keeps_different_rates=True, **asked)
    assert sorted(found) == [(2, 12), (3, 12), (3, 13)]


def test_neighbours_of_different_rates_are_left_out_and_not_replaced() -> None:
    cell = make_cell(jpeg=0.6)
    ranking = {1: 1.0, 2: 2.0, 3: 3.0, 4: 4.0}
    found = pair(cell, Asked(kind="neighbours", ranking=ranking))
    assert [(p.first_id, p.second_id) for p in found.pairs] == [(3, 4)]
    assert found.left_out_pairs == {DIFFERENT_RATES: 2}
    assert [refused.pair.second_id for refused in found.refused] == [2, 3]


def test_a_copy_without_a_value_is_named() -> None:
    with pytest.raises(ValueError, match="reconstruction 3 has no value"):
        pair(make_cell(), Asked(kind="neighbours", ranking={1: 1.0, 2: 1.0, 4: 1.0}))


def test_the_most_disputed_pair_of_each_rate_is_asked() -> None:
    """Ranking says avif is best and jpeg worst; the rival turns webp and vvc round, a little."""
    ranking = {1: 4.0, 2: 1.0, 3: 3.0, 4: 2.0}
    rival = {1: 4.0, 2: 1.0, 3: 2.0, 4: 3.0}
    found = pair(make_cell(), Asked(kind="disputed", ranking=ranking, rival=rival, n_disputed=5))
    assert [(p.first_id, p.second_id) for p in found.pairs] == [(3, 4)]
    assert found.left_out_pairs == {ALIKE: 5}


def test_disputes_are_counted_over_all_photos_of_a_rate() -> None:
    cells = make_cell() + make_cell(source=2, first=11)
    ranking = {**{n: float(n) for n in range(1, 5)}, **{n: float(n) for n in range(11, 15)}}
    # The rival says the reverse of the first photo, half as surely of the second one's.
    rival = {**{n: -float(n) for n in range(1, 5)}, **{n: -n / 2 for n in range(11, 15)}}
    asked = Asked(kind="disputed", ranking=ranking, rival=rival, n_disputed=4)
    found = pair(cells, asked)
    assert [(p.first_id, p.second_id) for p in found.pairs] == [(1, 3), (1, 4), (2, 4), (11, 14)]
    assert found.left_out_pairs == {DISPUTED_LESS: 8}


def test_what_is_beyond_the_tolerance_is_listed_and_kept_only_on_request() -> None:
    cell = make_cell(vvc=0.6)
    found = pair(cell, Asked())
    assert found.left_out_pairs == {DIFFERENT_RATES: 3}
    assert {refused.pair for refused in found.refused} == {
        Pair(1, 1, 4), Pair(1, 2, 4), Pair(1, 3, 4),
    }  # fmt: skip
    kept = pair(cell, Asked(keeps_different_rates=True))
    assert len(kept.pairs) == 6
    assert kept.refused == ()


def test_what_missed_its_rate_is_never_kept() -> None:
    cell = [*make_cell()[:3], Candidate(4, 1, "vvc", 0.5, 0.5, "unreachable")]
    found = pair(cell, Asked(keeps_different_rates=True))
    assert len(found.pairs) == 3
    assert found.left_out_candidates == {"state unreachable": 1}
    assert {refused.reason for refused in found.refused} == {MISSED}


@pytest.mark.parametrize(
    ("values", "said"),
    [({"kind": "best"}, "all"), ({"rate_tolerance": -1.0}, "0 up"), ({"n_disputed": 0}, "1")],
)
def test_what_cannot_be_asked_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Asked(**values)


@given(
    kind=st.sampled_from(["all", "anchor", "neighbours", "chosen", "disputed"]),
    keeps=st.booleans(),
    values=st.lists(st.integers(-3, 3), min_size=32, max_size=32),
    seed=st.integers(0, 100),
)
def test_any_kind_gives_pairs_of_one_photo_once_whatever_the_order(
    kind: str, keeps: bool, values: list[int], seed: int
) -> None:
    cells = [
        found
        for place, (source, rate) in enumerate(((1, 0.5), (1, 1.0), (2, 0.5), (2, 1.0)))
        for found in make_cell(source, rate, first=10 * place + 1, webp=rate * 1.2)
    ]
    keys = [found.reconstruction_id for found in cells]
    asked = Asked(
        kind=kind,
        keeps_different_rates=keeps,
        anchor="jpeg",
        chosen=(("jpeg", "webp"), ("avif", "vvc")),
        ranking=dict(zip(keys, map(float, values[:16]), strict=True)),
        rival=dict(zip(keys, map(float, values[16:]), strict=True)),
        n_disputed=3,
    )
    found = pair(cells, asked)
    shuffled = list(cells)
    random.Random(seed).shuffle(shuffled)
    assert pair(shuffled, asked) == found
    assert len(set(found.pairs)) == len(found.pairs)
    source_of = {found.reconstruction_id: found.source_id for found in cells}
    for made in found.pairs:
        assert source_of[made.first_id] == source_of[made.second_id] == made.source_id
