"""Early stopping: sources set aside from the training ones, the best epoch kept."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from codecs_eval.training.cached import CachedFit
from codecs_eval.training.config import TrainMetricConfig
from codecs_eval.training.fitting import Prior, Votes
from codecs_eval.training.phases import Fits, fit_phases, mean_agreement
from codecs_eval.training.plan import Phase, plan_phases
from codecs_eval.training.progress import ProgressShare
from codecs_eval.training.reporter import Stopped
from tests.codecs_eval.training.datasets import Listener

SOURCES = [f"s{number % 10}" for number in range(100)]
TRAIN = {f"s{number}" for number in range(8)}
# Few triplets, many channels, random votes: it can only learn by heart.
CONFIG = TrainMetricConfig(
    learning_rate=0.05,
    epochs_flat=200,
    epochs_decay=0,
    noise=False,
    early_stopping=5,
    batch_size=20,
)


def make_votes() -> Votes:
    generator = torch.Generator().manual_seed(0)
    features = torch.rand(100, 2, 60, generator=generator)
    first, second = torch.arange(100), torch.arange(100).roll(1)
    share = torch.randint(2, (100,), generator=generator).float()
    return Votes(features, first, second, share, torch.ones(100))


def fits(config: TrainMetricConfig, folder: Path, listener: Listener) -> tuple[list[Phase], Fits]:
    phases = plan_phases(SOURCES, TRAIN, config)
    votes, prior = make_votes(), Prior(torch.ones(60), (60,))
    bar = ProgressShare(listener, 0.0, len(phases) * config.epochs, may_end_early=True)
    return phases, fit_phases(
        phases,
        lambda phase, index: CachedFit(config, votes, prior, phase, seed=index),
        config,
        folder / "checkpoint.pt",
        "key",
        bar,
    )


def _folder(parent: Path, name: str) -> Path:
    (parent / name).mkdir()
    return parent / name


def test_sources_are_set_aside_of_the_training_part_alone() -> None:
    config = replace(CONFIG, folds=3, validation_share=0.3)
    for phase in plan_phases(SOURCES, TRAIN, config):
        parts = [
            {SOURCES[row] for row in rows.tolist()}
            for rows in (phase.train, phase.validation, phase.heldout)
        ]
        assert not parts[0] & parts[1] | parts[0] & parts[2] | parts[1] & parts[2]
        assert len(parts[0] | parts[1] | parts[2]) == 10
        assert len(parts[1]) == 2
    assert parts[2] == {"s8", "s9"}


def test_it_is_off_by_default() -> None:
    for phase in plan_phases(SOURCES, TRAIN, TrainMetricConfig(folds=2)):
        assert len(phase.validation) == 0


def test_one_training_source_is_not_enough() -> None:
    with pytest.raises(ValueError, match="found 1 training source for early stopping"):
        plan_phases(SOURCES, {"s0"}, CONFIG)


def test_the_best_epoch_is_kept_and_the_fit_ends_after_the_patience(tmp_path: Path) -> None:
    _, found = fits(CONFIG, tmp_path, Listener())
    [losses] = [curve["validation_loss"] for curve in found.curves]
    [kept] = found.epochs
    assert losses[kept - 1] == min(losses)
    assert len(losses) == kept + 5 < 200
    # The kept heads are those of that epoch: a run of so many epochs ends with them.
    straight = replace(CONFIG, epochs_flat=kept)
    _, alone = fits(straight, _folder(tmp_path, "straight"), Listener())
    assert torch.equal(found.outcomes[0]["heads"], alone.outcomes[0]["heads"])


def test_a_stopped_fit_remembers_its_best_epoch(tmp_path: Path) -> None:
    broken = _folder(tmp_path, "broken")
    _, whole = fits(CONFIG, _folder(tmp_path, "whole"), Listener())
    n_batches = 4
    stop_at = (len(whole.curves[0]["train_loss"]) - 2) * n_batches
    with pytest.raises(Stopped):
        fits(CONFIG, broken, Listener(stop_at=stop_at))
    _, resumed = fits(CONFIG, broken, Listener())
    assert resumed.epochs == whole.epochs
    assert torch.equal(resumed.outcomes[0]["heads"], whole.outcomes[0]["heads"])
    assert resumed.curves == whole.curves


def test_the_pace_is_that_of_the_epochs_that_were_run(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    listener = Listener()
    bar = ProgressShare(listener, 0.0, 100, may_end_early=True)
    bar.begin(0.0)
    now[0] = 20.0
    # Ten epochs of 2 s each, then a fit that ends 40 epochs before its last.
    bar.tell(10.0, "fold 1")
    bar.skip(40.0)
    now[0] = 22.0
    bar.tell(51.0, "fold 2")
    assert listener.notes[0][1] == "fold 1, at most 3 min left"
    assert listener.notes[1][1] == "fold 2, at most 98 s left"


def test_a_fold_that_ends_early_tells_the_agreement_of_the_epoch_that_it_keeps(
    tmp_path: Path,
) -> None:
    listener = Listener()
    phases, found = fits(replace(CONFIG, folds=3), tmp_path, listener)
    told = {step: value for step, name, value in listener.metrics if name == "fold_agreement"}
    assert set(told) == {1, 2, 3}
    for number, phase in enumerate(phases[:-1]):
        assert len(found.curves[number]["train_loss"]) < 200
        votes = make_votes().of(phase.heldout)
        kept = votes.distances(found.outcomes[number]["heads"])
        assert told[number + 1] == mean_agreement(*kept, votes.share)


def test_the_curve_is_told_up_to_the_epoch_at_which_a_fit_ends(tmp_path: Path) -> None:
    listener = Listener()
    _, found = fits(CONFIG, tmp_path, listener)
    steps = [step for step, name, _ in listener.metrics if name == "train_loss"]
    assert steps[-1] == len(found.curves[-1]["train_loss"]) < 200
