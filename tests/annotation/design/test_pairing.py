import random

import pytest

from annotation.design.pair_kinds import Asked, pair
from annotation.design.pairing import (
    DIFFERENT_RATES,
    SAME_CODEC,
    Candidate,
    Pair,
)


def _candidate(number: int, codec: str, bpp: float = 0.23, **changes: object) -> Candidate:
    facts = {"source_id": 1, "target_bpp": 0.23, "state": "hit", **changes}
    return Candidate(number, codec=codec, bpp=bpp, **facts)  # type: ignore[arg-type]


def test_every_two_codecs_of_a_source_at_a_rate_are_a_pair() -> None:
    found = pair([_candidate(n, c) for n, c in ((5, "jpeg"), (3, "webp"), (9, "avif"))], Asked())
    assert found.pairs == (Pair(1, 3, 5), Pair(1, 3, 9), Pair(1, 5, 9))
    assert found.left_out_candidates == {}
    assert found.left_out_pairs == {}


def test_sources_and_target_rates_are_never_mixed() -> None:
    found = pair(
        [
            _candidate(1, "jpeg"),
            _candidate(2, "webp", source_id=2),
            _candidate(3, "avif", target_bpp=0.37),
        ],
        Asked(),
    )
    assert found.pairs == ()


def test_what_missed_its_rate_is_left_out_and_counted() -> None:
    found = pair(
        [
            _candidate(1, "jpeg", state="nearest"),
            _candidate(2, "webp"),
            _candidate(3, "avif"),
            _candidate(4, "vvc", state="unreachable"),
        ],
        Asked(),
    )
    assert found.pairs == (Pair(1, 2, 3),)
    assert found.left_out_candidates == {"state nearest": 1, "state unreachable": 1}


def test_rates_further_apart_than_the_tolerance_are_left_out_and_counted() -> None:
    candidates = [_candidate(1, "jpeg", 0.20), _candidate(2, "webp", 0.21), _candidate(3, "a", 0.5)]
    found = pair(candidates, Asked(rate_tolerance=0.0501))
    assert found.pairs == (Pair(1, 1, 2),)
    assert found.left_out_pairs == {DIFFERENT_RATES: 2}
    assert pair(candidates, Asked(rate_tolerance=0.049)).pairs == ()


def test_one_codec_is_not_compared_with_itself() -> None:
    found = pair([_candidate(1, "jpeg"), _candidate(2, "jpeg", 0.231)], Asked())
    assert found.pairs == ()
    assert found.left_out_pairs == {SAME_CODEC: 1}


def test_the_order_of_the_candidates_changes_nothing() -> None:
    candidates = [
        _candidate(10 * source + number, codec, source_id=source, target_bpp=target)
        for source in (1, 2)
        for number, (codec, target) in enumerate(
            (codec, target) for codec in ("jpeg", "webp", "avif") for target in (0.23, 0.67)
        )
    ]
    straight = pair(candidates, Asked())
    assert len(straight.pairs) == 12
    random.Random(1).shuffle(candidates)
    assert pair(candidates, Asked()) == straight


def test_candidates_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match=r"given twice: \[1\]"):
        pair([_candidate(1, "jpeg"), _candidate(1, "webp")], Asked())
    with pytest.raises(ValueError, match="more than 0"):
        pair([_candidate(1, "jpeg", 0.0)], Asked())
    with pytest.raises(ValueError, match="rate_tolerance -1"):
        pair([], Asked(rate_tolerance=-1))
    with pytest.raises(ValueError, match="first < second"):
        Pair(1, 2, 2)
