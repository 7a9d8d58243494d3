"""The fits of one training in their order, folds first; each epoch ends in the checkpoint."""

import io
import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from codecs_eval.agreement.scores import agreement_per_triplet
from codecs_eval.training.checkpoint import read_checkpoint, write_checkpoint
from codecs_eval.training.config import TrainMetricConfig
from codecs_eval.training.processes import ALONE, Processes
from codecs_eval.training.progress import ProgressShare
from codecs_eval.training.reporter import Reporter

# A live curve needs no more points than a screen has.
_MOST_POINTS = 100


@dataclass(frozen=True)
class Phase:
    """One fit: rows of the triplet table to train on and to watch; fold is None for the last.

    `validation`: what early stopping watches; neither trained on nor held out.
    """

    fold: int | None
    train: Tensor
    heldout: Tensor
    validation: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.long))


@dataclass(frozen=True)
class Watch:
    """Of one epoch: who listens, how to keep the fit as it is, how to tell the share done."""

    report: Reporter
    keep: Callable[[], None]
    tell: Callable[[float], None]


class Fit(Protocol):
    """A fit in progress; `rows` are those of the whole triplet table."""

    def run_epoch(self, epoch: int, watch: Watch) -> float: ...

    def agreement(self, rows: Tensor) -> float: ...

    def loss(self, rows: Tensor) -> float: ...

    def weights(self) -> dict[str, Tensor]: ...

    def take(self, weights: dict[str, Tensor]) -> None: ...

    def outcome(self) -> dict[str, Tensor]: ...

    def snapshot(self) -> dict[str, Any]: ...

    def restore(self, snapshot: dict[str, Any]) -> None: ...


Begin = Callable[[Phase, int], Fit]


@dataclass(frozen=True)
class Fits:
    """Of each phase: what its fit left, its curves by epoch, the epoch that was kept."""

    outcomes: list[dict[str, Tensor]]
    curves: list[dict[str, list[float]]]
    epochs: list[int]


def plan_phases(
    sources: Sequence[str], train_sources: Collection[str], config: TrainMetricConfig
) -> list[Phase]:
    """Folds over all sources, then the final fit; `sources` has one name per triplet.

    A source is never on two sides of a fit, whatever its number of triplets.
    """
    phases = []
    if config.folds:
        fold_of = deal_folds(sources, config.folds, config.seed)
        for fold in range(config.folds):
            inside = torch.from_numpy(fold_of == fold)
            phases.append(Phase(fold, (~inside).nonzero()[:, 0], inside.nonzero()[:, 0]))
    is_train = torch.tensor([source in train_sources for source in sources])
    phases.append(Phase(None, is_train.nonzero()[:, 0], (~is_train).nonzero()[:, 0]))
    if not config.early_stopping:
        return phases
    return [_set_aside(phase, sources, config, index) for index, phase in enumerate(phases)]


def _set_aside(
    phase: Phase, sources: Sequence[str], config: TrainMetricConfig, index: int
) -> Phase:
    """The phase with some of its training sources moved to `validation`."""
    names = sorted({sources[row] for row in phase.train.tolist()})
    if len(names) < 2:
        raise ValueError(
            f"found {len(names)} training source for early stopping; expected at least 2, one to "
            f"learn from and one to watch: turn it off"
        )
    count = min(len(names) - 1, max(1, round(config.validation_share * len(names))))
    order = np.random.default_rng([config.seed, index]).permutation(len(names))
    watched = {names[i] for i in order[:count]}
    is_watched = torch.tensor([sources[row] in watched for row in phase.train.tolist()])
    return Phase(
        phase.fold, phase.train[~is_watched], phase.heldout, validation=phase.train[is_watched]
    )


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
    begin: Begin,
    config: TrainMetricConfig,
    checkpoint: Path,
    key: str,
    bar: ProgressShare,
    processes: Processes = ALONE,
) -> Fits:
    """Do what the checkpoint does not hold yet; the first process writes it. May raise Stopped."""
    state = _shared_state(checkpoint, key, processes)
    run = _Run(config, checkpoint, state, bar, processes)
    bar.begin(_done_epochs(state, config))
    while len(state["outcomes"]) < len(phases):
        index = len(state["outcomes"])
        _fit_one(phases[index], index, begin(phases[index], index), run)
    return Fits(state["outcomes"], state["curves"], state["epochs"])


def mean_agreement(d_first: Tensor, d_second: Tensor, share: Tensor) -> float:
    """Mean 2AFC agreement, 0..1, of distances with the shares for the second image."""
    values = agreement_per_triplet(d_first.numpy(), d_second.numpy(), share.double().numpy())
    return float(values.mean())


@dataclass(frozen=True)
class _Run:
    config: TrainMetricConfig
    checkpoint: Path
    state: dict[str, Any]
    bar: ProgressShare
    processes: Processes

    def write(self) -> None:
        if self.processes.is_first:
            write_checkpoint(self.checkpoint, self.state)


def _shared_state(checkpoint: Path, key: str, processes: Processes) -> dict[str, Any]:
    fresh: dict[str, Any] = {
        **{"key": key, "outcomes": [], "curves": [], "epochs": []},
        **{"epoch": 0, "fit": None, "best": None},
    }
    found = read_checkpoint(checkpoint, key) if processes.is_first else None
    if processes.count == 1:
        return found or fresh
    # Other machines do not see the first one's folder.
    packed = io.BytesIO()
    torch.save(found or fresh, packed)
    packed = io.BytesIO(processes.share(packed.getvalue()))
    state: dict[str, Any] = torch.load(packed, map_location="cpu", weights_only=True)
    return state


def _done_epochs(state: dict[str, Any], config: TrainMetricConfig) -> float:
    return len(state["outcomes"]) * config.epochs + float(state["epoch"])


def _fit_one(phase: Phase, index: int, fit: Fit, run: _Run) -> None:
    config, state, bar = run.config, run.state, run.bar
    if state["fit"] is None:
        curve: dict[str, list[float]] = {"train_loss": [], "heldout_agreement": []}
        if len(phase.validation):
            curve["validation_loss"] = []
        state["curves"].append(curve)
        state["best"] = None
    else:
        fit.restore(state["fit"])
    curve = state["curves"][-1]
    before = index * config.epochs
    for epoch in range(state["epoch"] + 1, config.epochs + 1):
        if _is_patience_spent(state["best"], epoch, config):
            break
        note = _note(phase, epoch, config)

        def keep() -> None:
            state["fit"] = fit.snapshot()
            run.write()

        def tell(share: float, done: float = before + epoch - 1, note: str = note) -> None:
            bar.tell(done + share, note)

        curve["train_loss"].append(fit.run_epoch(epoch, Watch(bar.report, keep, tell)))
        if len(phase.heldout):
            curve["heldout_agreement"].append(fit.agreement(phase.heldout))
        if len(phase.validation):
            curve["validation_loss"].append(fit.loss(phase.validation))
            _keep_best(state, epoch, curve["validation_loss"][-1], fit)
        state["epoch"] = epoch
        keep()
        _tell(phase, epoch, config.epochs, curve, bar.report)
        bar.tell(before + epoch, note)
    best = state["best"]
    if best is not None:
        fit.take(best["weights"])
    state["epochs"].append(state["epoch"] if best is None else best["epoch"])
    state["outcomes"].append(fit.outcome())
    state.update(epoch=0, fit=None, best=None)
    run.write()


def _is_patience_spent(best: dict[str, Any] | None, epoch: int, config: TrainMetricConfig) -> bool:
    return best is not None and epoch - best["epoch"] > config.early_stopping


def _keep_best(state: dict[str, Any], epoch: int, loss: float, fit: Fit) -> None:
    if state["best"] is None or loss < state["best"]["loss"]:
        state["best"] = {"epoch": epoch, "loss": loss, "weights": fit.weights()}


def _note(phase: Phase, epoch: int, config: TrainMetricConfig) -> str:
    label = "final fit" if phase.fold is None else f"fold {phase.fold + 1}"
    return f"{label}, epoch {epoch} of {config.epochs}"


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
