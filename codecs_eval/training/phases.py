"""The fits of one training in their order, folds first; each epoch ends in the checkpoint."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from codecs_eval.agreement.scores import agreement_per_triplet
from codecs_eval.training.checkpoint import read_checkpoint, write_checkpoint
from codecs_eval.training.config import TrainMetricConfig
from codecs_eval.training.fitting import HeadsFit, Prior, Votes
from codecs_eval.training.reporter import Reporter

# A live curve needs no more points than a screen has.
_MOST_POINTS = 100


@dataclass(frozen=True)
class Phase:
    """One fit: rows of the triplet table to train on and to watch; fold is None for the last."""

    fold: int | None
    train: Tensor
    heldout: Tensor


@dataclass(frozen=True)
class Fits:
    """Heads of each phase, and each phase's curves by epoch."""

    heads: list[Tensor]
    curves: list[dict[str, list[float]]]


@dataclass(frozen=True)
class ProgressShare:
    """The part of a run's progress bar, `low` to 1, that the fits fill."""

    report: Reporter
    low: float
    total: int

    def tell(self, done: int, note: str) -> None:
        self.report.progress(self.low + (1.0 - self.low) * done / self.total, 1.0, note)


def plan_phases(
    sources: Sequence[str], train_sources: Collection[str], config: TrainMetricConfig
) -> list[Phase]:
    """Folds over all sources, then the final fit; `sources` has one name per triplet.

    A source is never on both sides of a fit, whatever its number of triplets.
    """
    phases = []
    if config.folds:
        fold_of = deal_folds(sources, config.folds, config.seed)
        for fold in range(config.folds):
            inside = torch.from_numpy(fold_of == fold)
            phases.append(Phase(fold, (~inside).nonzero()[:, 0], inside.nonzero()[:, 0]))
    is_train = torch.tensor([source in train_sources for source in sources])
    return [*phases, Phase(None, is_train.nonzero()[:, 0], (~is_train).nonzero()[:, 0])]


def deal_folds(sources: Sequence[str], folds: int, seed: int) -> NDArray[np.int64]:
    """Fold number of each triplet: the sources are shuffled from the seed and dealt in turn."""
    names = sorted(set(sources))
    if len(names) < folds:
        raise ValueError(
            f"found {len(names)} sources for {folds} folds; expected one at least each"
        )
    dealt = np.random.default_rng(seed).permutation(len(names)) % folds
    fold_of = dict(zip(names, dealt.tolist(), strict=True))
    return np.array([fold_of[source] for source in sources], dtype=np.int64)


def fit_phases(
    phases: Sequence[Phase],
    votes: Votes,
    prior: Prior,
    config: TrainMetricConfig,
    checkpoint: Path,
    key: str,
    bar: ProgressShare,
) -> Fits:
    """Do what the checkpoint does not hold yet. May raise Stopped."""
    state = read_checkpoint(checkpoint, key) or _fresh(key)
    while len(state["heads"]) < len(phases):
        index = len(state["heads"])
        _fit_one(phases[index], index, votes, prior, config, checkpoint, state, bar)
    return Fits(state["heads"], state["curves"])


def agreement(votes: Votes, heads: Tensor) -> float:
    """Mean 2AFC agreement, 0..1, of heads on votes."""
    d_first, d_second = (d.numpy() for d in votes.distances(heads))
    return float(agreement_per_triplet(d_first, d_second, votes.share.double().numpy()).mean())


def _fresh(key: str) -> dict[str, Any]:
    return {"key": key, "heads": [], "curves": [], "epoch": 0, "fit": None}


def _fit_one(
    phase: Phase,
    index: int,
    votes: Votes,
    prior: Prior,
    config: TrainMetricConfig,
    checkpoint: Path,
    state: dict[str, Any],
    bar: ProgressShare,
) -> None:
    fit = HeadsFit(config, votes.of(phase.train), prior, seed=1000 * config.seed + index)
    if state["fit"] is None:
        state["curves"].append({"train_loss": [], "heldout_agreement": []})
    else:
        fit.restore(state["fit"])
    heldout = votes.of(phase.heldout)
    curve = state["curves"][-1]
    label = "final fit" if phase.fold is None else f"fold {phase.fold + 1}"
    for epoch in range(state["epoch"] + 1, config.epochs + 1):
        curve["train_loss"].append(fit.run_epoch(epoch, bar.report))
        if len(heldout):
            curve["heldout_agreement"].append(agreement(heldout, fit.heads.detach()))
        state.update(epoch=epoch, fit=fit.snapshot())
        write_checkpoint(checkpoint, state)
        _tell(phase, epoch, config.epochs, curve, bar.report)
        bar.tell(index * config.epochs + epoch, f"{label}, epoch {epoch} of {config.epochs}")
    state["heads"].append(fit.heads.detach().clone())
    state.update(epoch=0, fit=None)
    write_checkpoint(checkpoint, state)


def _tell(
    phase: Phase, epoch: int, epochs: int, curve: dict[str, list[float]], report: Reporter
) -> None:
    is_last = epoch == epochs
    if phase.fold is not None:
        if is_last:
            report.metric(phase.fold + 1, "fold_agreement", curve["heldout_agreement"][-1])
        return
    if is_last or epoch % math.ceil(epochs / _MOST_POINTS) == 0:
        for name, values in curve.items():
            if values:
                report.metric(epoch, name, values[-1])
