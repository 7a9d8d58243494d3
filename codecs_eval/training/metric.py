"""A frozen dataset -> a metric: features once, fits by folds, the fit for good, files.

triplets --pair_features--> vectors --CachedFit--> heads               (lin)
         --crops----------> images  --TuneFit----> trunk and heads     (tune, scratch)
fit_phases: without each fold -> out_of_fold; on the train part -> heads.*, trunk.*; on parts of
each of these -> the weights of a combination with other metrics
"""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from codecs_eval.agreement.dataset import FrozenDataset
from codecs_eval.metrics.heads import official_heads
from codecs_eval.metrics.lpips import default_device, load_trunk
from codecs_eval.metrics.trunk import Trunk
from codecs_eval.training.artifacts import (
    Made,
    write_artifacts,
    write_out_of_fold,
)
from codecs_eval.training.cached import CachedFit
from codecs_eval.training.capacity import check_bf16, check_memory, memory_bytes
from codecs_eval.training.comparing import (
    Compared,
    Distances,
    combination,
    compare,
    out_of_fold,
)
from codecs_eval.training.config import TrainMetricConfig
from codecs_eval.training.crops import Crops, triplet_sizes
from codecs_eval.training.features import PairFeatures, pair_features
from codecs_eval.training.fitting import Prior, Votes
from codecs_eval.training.metric_differences import score_differences
from codecs_eval.training.official_scale import OfficialScale
from codecs_eval.training.phases import Begin, Fits, fit_phases
from codecs_eval.training.plan import Phase, plan_inner, plan_phases
from codecs_eval.training.processes import ALONE, Processes
from codecs_eval.training.progress import ProgressShare
from codecs_eval.training.reporter import Reporter, Stopped
from codecs_eval.training.tuning import Judged, TuneFit

# Share of a run's progress bar that the features get: the fits are quick beside them in lin, and
# dear in tune and scratch.
_FEATURES_SHARE = 0.8
_FEATURES_SHARE_TUNE = 0.1


def train_metric(
    dataset: FrozenDataset,
    config: TrainMetricConfig,
    folder: Path,
    weights: Callable[[str], Path],
    report: Reporter,
    cache: Path | None = None,
    processes: Processes = ALONE,
) -> dict[str, Any]:
    """Train a metric on the dataset's train part; agreements in the result are in 0..1.

    `cache` keeps the features (default: `folder`/features), to be shared by runs. Continues from
    `folder`/checkpoint.pt to the very numbers of a run that was never interrupted. Where `report`
    asks to stop, the result is {"is_finished": False}. All of `processes` call it alike; the first
    one alone writes files and needs to listen to a person.
    """
    if processes.count > 1 and not config.is_trunk_trained:
        raise ValueError(
            f"found {processes.count} processes for mode lin; expected one: its heads train in "
            f"seconds on features that are computed once"
        )
    try:
        work = _Training(dataset, config, folder, weights, report, processes)
        return work.run(cache or folder / "features")
    except Stopped:
        report.log("stopped; the checkpoint is kept")
        return {"is_finished": False}


@dataclass(frozen=True)
class _Training:
    dataset: FrozenDataset
    config: TrainMetricConfig
    folder: Path
    weights: Callable[[str], Path]
    report: Reporter
    processes: Processes

    def run(self, cache: Path) -> dict[str, Any]:
        dataset, config, report = self.dataset, self.config, self.report
        began = time.monotonic()
        table = triplet_table(dataset)
        sources = list(table["source"])
        phases = plan_phases(sources, dataset.sources("train"), config)
        inner = plan_inner(phases, sources, config)
        self.folder.mkdir(parents=True, exist_ok=True)
        if config.is_trunk_trained and config.bf16:
            check_bf16(default_device(), torch.cpu.get_capabilities())
        trunk = load_trunk(config.backbone, self.weights)
        share = _FEATURES_SHARE_TUNE if config.is_trunk_trained else _FEATURES_SHARE
        with self.processes.together():
            others = score_differences(dataset, table, config.combine_with, self.weights, report)
            features = pair_features(dataset, trunk, cache, report, share)
        seconds = {"features": time.monotonic() - began}
        votes = votes_of(table, features)
        prior = Prior(torch.cat(official_heads(config.backbone)), trunk.backbone.channels)
        n_epochs = (len(phases) + len(inner)) * config.epochs
        bar = ProgressShare(report, share, n_epochs, may_end_early=config.early_stopping > 0)
        manifest_sha256 = hashlib.sha256((dataset.folder / "manifest.json").read_bytes())
        key = _fingerprint(config, manifest_sha256.hexdigest(), features, table)
        checkpoint = self.folder / "checkpoint.pt"
        begin = self._begin(table, votes, prior, trunk)
        every = fit_phases([*phases, *inner], begin, config, checkpoint, key, bar, self.processes)
        seconds["fits"] = time.monotonic() - began - seconds["features"]

        untouched = Distances(*votes.distances(prior.heads))
        fits, scale = every.first(len(phases)), OfficialScale(votes, prior)
        distances = [scale.distances(left) for left in every.outcomes]
        compared = Compared(
            phases=phases,
            table=table,
            trained=distances[: len(phases)],
            untouched=untouched,
            others=others,
            is_weighted_by_votes=config.vote_weighting == "binomial",
            inner=list(zip(inner, distances[len(phases) :], strict=True)),
        )
        heads = scale.heads(fits.outcomes[-1])
        result = {**compare(compared), **self._finish(compared, heads, fits, trunk)}
        report.progress(1.0, 1.0, "trained")
        return {
            "is_finished": True,
            **result,
            "n_triplets": len(table),
            "n_sources": int(table["source"].nunique()),
            "n_judgments": int(table["n"].sum()),
            "seconds": {name: round(value, 2) for name, value in seconds.items()},
            "device": _device_of(trunk),
            "is_simulated": dataset.is_simulated,
        }

    def _begin(self, table: pd.DataFrame, votes: Votes, prior: Prior, trunk: Trunk) -> Begin:
        config = self.config
        if not config.is_trunk_trained:
            return lambda phase, index: CachedFit(
                config, votes, prior, phase, seed=1000 * config.seed + index
            )
        columns = ["source_image", "first_image", "second_image"]
        triplets = [(a, b, c) for a, b, c in table[columns].itertuples(index=False)]
        crops = Crops(self.dataset)
        sizes = triplet_sizes(crops, triplets)
        check_memory(set(sizes), config.backbone, memory_bytes(default_device()))
        judged = Judged(crops, triplets, sizes, votes.share, votes.n)
        return lambda phase, index: TuneFit(
            *(config, judged, prior, trunk, phase), 1000 * config.seed + index, self.processes
        )

    def _finish(
        self, compared: Compared, heads: Tensor, fits: Fits, untouched: Trunk
    ) -> dict[str, Any]:
        """Combination and early stopping for the result; writes what the training leaves."""
        config, told = self.config, dict[str, Any]()
        logits = None
        if config.combine_with:
            told["combination"], logits = combination(compared, config.combine_with)
        if config.early_stopping:
            told["early_stopping"] = _stopped_early(compared, fits, config)
        if not self.processes.is_first:
            return told
        trunk = untouched
        if config.is_trunk_trained:
            tuned = fits.outcomes[-1]
            state = {k.removeprefix("trunk."): v for k, v in tuned.items() if k[:6] == "trunk."}
            trunk = Trunk(config.backbone, state)
        made = Made(trunk, heads, _curves(compared.phases, fits), told)
        write_artifacts(self.folder, config, self.dataset, made, self.weights)
        if len(compared.phases) > 1:
            fold, crossed = out_of_fold(compared)
            write_out_of_fold(
                self.folder,
                list(compared.table["triplet_id"]),
                *(fold, crossed.first, crossed.second, logits),
                is_simulated=self.dataset.is_simulated,
            )
        return told


def triplet_table(dataset: FrozenDataset) -> pd.DataFrame:
    """Triplets with their votes, one row each; ValueError where one has no vote."""
    votes = dataset.votes()[["triplet_id", "n", "k_second"]]
    table = dataset.triplets.merge(votes, on="triplet_id", how="left", validate="one_to_one")
    empty = table.loc[table["n"].isna(), "triplet_id"]
    if len(empty):
        raise ValueError(
            f"{len(empty)} of {len(table)} triplets have no judgment, such as {empty.iloc[0]}; "
            f"expected at least one each"
        )
    return table


def votes_of(table: pd.DataFrame, features: PairFeatures) -> Votes:
    """The table's triplets as rows of the feature array, with their votes."""

    def rows(image: str) -> Tensor:
        pairs = list(zip(table["source_image"], table[image], strict=True))
        return torch.from_numpy(features.of(pairs))

    n = torch.tensor(table["n"].to_numpy(), dtype=torch.float32)
    second = torch.tensor(table["k_second"].to_numpy(), dtype=torch.float32)
    values = torch.from_numpy(features.values)
    return Votes(values, rows("first_image"), rows("second_image"), second / n, n)


def _fingerprint(
    config: TrainMetricConfig, manifest_sha256: str, features: PairFeatures, table: pd.DataFrame
) -> str:
    facts = [config.to_json(), manifest_sha256, features.key, list(table["triplet_id"])]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _stopped_early(compared: Compared, fits: Fits, config: TrainMetricConfig) -> dict[str, Any]:
    """Which epoch was kept, and that the sources named here chose it."""
    watched = compared.table["source"].to_numpy()[compared.phases[-1].validation.numpy()]
    return {
        "kept_epoch": fits.epochs[-1],
        "epochs_run": len(fits.curves[-1]["train_loss"]),
        "epochs": config.epochs,
        "kept_epochs_of_folds": fits.epochs[:-1],
        "chosen_by": "the likelihood on training sources that were set aside",
        "validation_sources": np.unique(watched).tolist(),
    }


def _curves(phases: Sequence[Phase], fits: Fits) -> dict[str, Any]:
    return {"final": fits.curves[-1], "folds": fits.curves[: len(phases) - 1]}


def _device_of(trunk: Trunk) -> str:
    device = trunk.shift.device
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
