"""What is held out is met by no fit: neither the codec or rate, nor the photo."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from codecs_eval.agreement.differences import holm
from codecs_eval.agreement.folds import deal_sources
from codecs_eval.agreement.intervals import Bootstrap
from codecs_eval.agreement.judged import Judged
from codecs_eval.agreement.leaving_out import By, hold_outs, leave_out, splits
from tests.codecs_eval.agreement.simulated import judged_of

CODECS = ("avif", "jpeg", "webp", "jxl")
RATES = (0.25, 0.5, 1.0)


def _made(n_sources: int = 8) -> Judged:
    rng = np.random.default_rng(3)
    rows = [
        (source, first, second, rate)
        for source in range(n_sources)
        for first, second in combinations(CODECS, 2)
        for rate in RATES
    ]
    source = np.asarray([row[0] for row in rows])
    votes = rng.integers(0, 2, (len(rows), 3)).astype(float)
    judged = judged_of(source, np.tile(np.arange(3), (len(rows), 1)), votes, has_raters=False)
    table = judged.table.assign(
        first_codec=[row[1] for row in rows],
        second_codec=[row[2] for row in rows],
        first_target_bpp=[row[3] for row in rows],
        second_target_bpp=[row[3] for row in rows],
    )
    return Judged(table, judged.metrics, judged.distances)


@pytest.mark.parametrize(("by", "n"), [("codec", 4), ("rate", 3)])
def test_neither_the_codec_nor_the_photo_leaks(by: By, n: int) -> None:
    judged = _made()
    table = judged.table
    fold_of = deal_sources(judged.sources, 4, 1)
    found = hold_outs(table, by)
    assert len(found) == n
    for hold_out in found:
        tested: list[int] = []
        for train, test in splits(hold_out, fold_of, range(4)):
            learned, scored = table.iloc[train], table.iloc[test]
            assert not set(learned["source"]) & set(scored["source"])
            if by == "codec":
                met = {*learned["first_codec"], *learned["second_codec"]}
                touched = scored[["first_codec", "second_codec"]].eq(hold_out.label).any(axis=1)
            else:
                rate = float(hold_out.label.removesuffix(" bpp"))
                met = {f"{value:g} bpp" for value in learned["first_target_bpp"]}
                touched = scored["first_target_bpp"] == rate
            assert hold_out.label not in met
            assert len(learned) and touched.all()
            tested += list(test)
        # Every triplet that touches it is the test of exactly one fold.
        assert sorted(tested) == list(np.flatnonzero(hold_out.touches))


def test_rates_are_in_order_and_sides_without_a_target_are_placed_by_octave() -> None:
    table = _made(2).table
    assert [found.label for found in hold_outs(table, "rate")] == ["0.25 bpp", "0.5 bpp", "1 bpp"]
    free = table.assign(first_target_bpp=np.nan, second_target_bpp=np.nan)
    free["first_bpp"], free["second_bpp"] = 0.3, 1.5
    found = hold_outs(free, "rate")
    assert [one.label for one in found] == ["0.25 to 0.5 bpp", "1 to 2 bpp"]
    assert all(one.touches.all() for one in found)
    unknown = free.assign(first_bpp=np.nan, second_bpp=np.nan)
    assert hold_outs(unknown, "rate") == ()


def test_what_a_fit_learned_is_scored_where_it_has_not_been() -> None:
    """A fit that knows all codecs it met, and is wrong about any other."""
    judged = _made()
    table = judged.table
    share = judged.column("k_second") / judged.column("n")
    right = np.where(share > 0.5, 1.0, -1.0)

    def fit(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        learned = table.iloc[train]
        met = {*learned["first_codec"], *learned["second_codec"]}
        scored = table.iloc[test]
        knows = scored["first_codec"].isin(met) & scored["second_codec"].isin(met)
        return np.where(knows, 1.0, -1.0) * right[test], np.zeros(len(test))

    fold_of = deal_sources(judged.sources, 4, 1)
    found = leave_out(judged, hold_outs(table, "codec"), fold_of, range(4), fit, Bootstrap())
    assert [row.label for row in found] == sorted(CODECS)
    for row in found:
        assert row.unmet and row.met and row.untouched and row.gain
        assert row.met.value > 0.7 > 0.3 > row.unmet.value
        assert row.unmet.value == pytest.approx(1 - row.met.value)
        assert row.gain.value == pytest.approx(row.unmet.value - row.untouched.value)
        assert (row.n_triplets, row.n_judgments, row.n_sources) == (72, 216, 8)
        # Of six pairs three do not touch it; six of eight photos are not in the fold.
        assert row.n_trained_on == 3 * 3 * 6
        assert row.to_json()["gain"]["low"] is not None


def test_gains_are_adjusted_for_their_number_by_holms_procedure() -> None:
    judged = _made()

    def fit(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(len(train))
        return rng.random(len(test)), rng.random(len(test))

    fold_of = deal_sources(judged.sources, 4, 1)
    found = leave_out(judged, hold_outs(judged.table, "codec"), fold_of, range(4), fit, Bootstrap())
    told = [row.to_json() for row in found]
    p_values = [row["gain_p_value"] for row in told]
    assert all(0.0 < p <= 1.0 for p in p_values)
    assert [row["gain_p_adjusted"] for row in told] == holm(p_values)


def test_a_test_part_is_one_fold() -> None:
    judged = _made()
    is_test = np.isin(judged.sources, ["photo0001", "photo0002"]).astype(np.int64)
    seen: list[tuple[int, int]] = []

    def fit(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        assert not is_test[train].any() and is_test[test].all()
        seen.append((len(train), len(test)))
        return np.zeros(len(test)), np.ones(len(test))

    found = leave_out(judged, hold_outs(judged.table, "codec"), is_test, (1,), fit, Bootstrap())
    assert len(seen) == 1 + len(CODECS)
    assert all(row.n_triplets == 18 for row in found)


def test_where_all_triplets_touch_a_codec_nothing_is_left_to_train_on() -> None:
    judged = _made()
    inside = np.asarray(judged.table["first_codec"] == "avif")
    part = judged.where(inside)
    fold_of = deal_sources(part.sources, 4, 1)

    def fit(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.zeros(len(test)), np.ones(len(test))

    found = leave_out(part, hold_outs(part.table, "codec"), fold_of, range(4), fit, Bootstrap())
    first = found[0]
    assert (first.label, first.unmet, first.n_trained_on) == ("avif", None, 0)
    assert first.reason == "every triplet touches it: none is left to train on"
    assert found[1].unmet is not None
    assert pd.DataFrame([row.to_json() for row in found])["label"].tolist() == sorted(CODECS)


def test_sources_are_dealt_whole_and_evenly() -> None:
    names = [f"photo{number % 10}" for number in range(100)]
    fold_of = deal_sources(names, 5, 3)
    assert all(len(set(fold_of[number::10])) == 1 for number in range(10))
    assert list(np.bincount(fold_of)) == [20] * 5
    with pytest.raises(ValueError, match="found 10 sources for 11 folds"):
        deal_sources(names, 11, 3)
