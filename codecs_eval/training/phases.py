"""The fits of one training in their order, folds first; each epoch ends in the checkpoint."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from codecs_eval.agreement.scores import agreement_per_triplet
from codecs_eval.training.checkpoint import read_in_all, write_checkpoint
from codecs_eval.training.config import TrainMetricConfig
from codecs_eval.training.plan import Phase
from codecs_eval.training.processes import ALONE, Processes
from codecs_eval.training.progress import ProgressShare
from codecs_eval.training.reporter import Reporter

# A live curve needs no more points than a screen has.
_MOST_POINTS = 100


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

    def first(self, count: int) -> "Fits":
        return Fits(self.outcomes[:count], self.curves[:count], self.epochs[:count])


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
    state = read_in_all(checkpoint, key, processes) or {
        **{"key": key, "outcomes": [], "curves": [], "epochs": []},
        **{"epoch": 0, "fit": None, "best": None},
    }
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


def _done_epochs(state: dict[str, Any], config: TrainMetricConfig) -> float:
    return len(state["outcomes"]) * config.epochs + float(state["epoch"])


def _fit_one(phase: Phase, index: int, fit: Fit, run: _Run) -> None:
    config, state, bar = run.config, run.state, run.bar
    _begin_or_restore(phase, fit, state)
    curve = state["curves"][-1]
    before = index * config.epochs
    for epoch in range(state["epoch"] + 1, config.epochs + 1):
        if _is_patience_spent(state["best"], epoch, config):
            bar.skip(config.epochs - state["epoch"])
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
        if phase.is_final and _is_point(epoch, config.epochs):
            _tell_point(epoch, curve, bar.report)
        bar.tell(before + epoch, note)
    _end(phase, fit, run)


def _begin_or_restore(phase: Phase, fit: Fit, state: dict[str, Any]) -> None:
    if state["fit"] is not None:
        fit.restore(state["fit"])
        return
    curve: dict[str, list[float]] = {"train_loss": [], "heldout_agreement": []}
    if len(phase.validation):
        curve["validation_loss"] = []
    state["curves"].append(curve)
    state["best"] = None


def _end(phase: Phase, fit: Fit, run: _Run) -> None:
    """Take the best epoch, tell its agreement where it is a fold's, keep what the fit leaves."""
    state, report, curve = run.state, run.bar.report, run.state["curves"][-1]
    best, kept = state["best"], state["epoch"]
    if best is not None:
        fit.take(best["weights"])
        kept = best["epoch"]
    if phase.is_final and not _is_point(state["epoch"], run.config.epochs):
        # The last one, whether it is between two points or not.
        _tell_point(state["epoch"], curve, report)
    if phase.fold is not None and phase.within is None:
        report.metric(phase.fold + 1, "fold_agreement", curve["heldout_agreement"][kept - 1])
    state["epochs"].append(kept)
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
    if phase.within is not None:
        label = f"a part of the {label.replace('final fit', 'training')}, for the combination"
    return f"{label}, epoch {epoch} of {config.epochs}"


def _is_point(epoch: int, epochs: int) -> bool:
    return epoch % math.ceil(epochs / _MOST_POINTS) == 0


def _tell_point(epoch: int, curve: dict[str, list[float]], report: Reporter) -> None:
    for name, values in curve.items():
        if values:
            report.metric(epoch, name, values[-1])
