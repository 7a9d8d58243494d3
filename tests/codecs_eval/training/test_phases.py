"""Folds and the order of fits."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from codecs_eval.training.config import TrainMetricConfig
from codecs_eval.training.plan import INNER_FOLDS, plan_inner, plan_phases

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
    def held(seed: int) -> list[list[int]]:
        phases = plan_phases(SOURCES, set(SOURCES), replace(CONFIG, seed=seed))
        return [phase.heldout.tolist() for phase in phases[:-1]]

    assert held(5) == held(5)
    assert any(held(0) != held(seed) for seed in (1, 2, 3))
    assert sorted(len({SOURCES[row] for row in rows}) for rows in held(5)) == [2, 2, 3]


@pytest.mark.parametrize("early_stopping", [0, 2])
def test_parts_hold_out_each_learned_source_once_and_never_see_the_fold(
    early_stopping: int,
) -> None:
    config = replace(CONFIG, combine_with=("psnr",), early_stopping=early_stopping)
    phases = plan_phases(SOURCES, {"s0", "s1", "s2", "s3", "s4"}, config)
    inner = plan_inner(phases, SOURCES, config)
    assert len(inner) == INNER_FOLDS * len(phases)
    for number, phase in enumerate(phases):
        parts = [part for part in inner if part.within == number]
        held = torch.cat([part.heldout for part in parts])
        assert sorted(held.tolist()) == phase.learned.tolist()
        for part in parts:
            seen, unseen = ({SOURCES[row] for row in rows} for rows in (part.learned, part.heldout))
            assert not seen & unseen
            assert not seen & {SOURCES[row] for row in phase.heldout.tolist()}


def test_a_metric_that_joins_no_other_needs_no_parts() -> None:
    assert plan_inner(plan_phases(SOURCES, set(SOURCES), CONFIG), SOURCES, CONFIG) == []


def test_more_folds_than_sources_are_refused() -> None:
    with pytest.raises(ValueError, match="found 7 sources for 8 folds"):
        plan_phases(SOURCES, set(SOURCES), replace(CONFIG, folds=8))
