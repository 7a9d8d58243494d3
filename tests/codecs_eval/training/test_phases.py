"""Folds and the order of fits."""

from dataclasses import replace

import numpy as np
import pytest

from codecs_eval.training.config import TrainMetricConfig
from codecs_eval.training.phases import deal_folds, plan_phases

SOURCES = [f"s{number % 7}" for number in range(50)]
CONFIG = TrainMetricConfig(folds=3)


def test_no_source_is_on_both_sides_of_a_fit() -> None:
    phases = plan_phases(SOURCES, {"s0", "s1", "s2", "s3", "s4"}, CONFIG)
    assert [phase.fold for phase in phases] == [0, 1, 2, None]
    for phase in phases:
        train, heldout = ({SOURCES[row] for row in part} for part in (phase.train, phase.heldout))
        assert not train & heldout
        assert len(phase.train) + len(phase.heldout) == len(SOURCES)
    assert {SOURCES[row] for row in phases[-1].heldout} == {"s5", "s6"}


def test_every_triplet_is_held_out_once() -> None:
    phases = plan_phases(SOURCES, set(SOURCES), CONFIG)
    heldout = np.concatenate([phase.heldout.numpy() for phase in phases[:-1]])
    assert sorted(heldout) == list(range(len(SOURCES)))


def test_folds_come_from_the_seed_and_are_even() -> None:
    assert np.array_equal(deal_folds(SOURCES, 3, 5), deal_folds(SOURCES, 3, 5))
    assert any(
        not np.array_equal(deal_folds(SOURCES, 3, 0), deal_folds(SOURCES, 3, seed))
        for seed in (1, 2, 3)
    )
    fold_of = dict(zip(SOURCES, deal_folds(SOURCES, 3, 5), strict=True))
    assert sorted(np.bincount(list(fold_of.values()))) == [2, 2, 3]


def test_more_folds_than_sources_are_refused() -> None:
    with pytest.raises(ValueError, match="found 7 sources for 8 folds"):
        plan_phases(SOURCES, set(SOURCES), replace(CONFIG, folds=8))
