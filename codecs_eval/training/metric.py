"""A frozen dataset -> a metric: features once, heads by folds, heads for good, files.

triplets --pair_features--> vectors --fit_phases--> heads without each fold -> out_of_fold
                                                --> heads on the train part -> heads.*
"""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from codecs_eval.agreement.dataset import FrozenDataset
from codecs_eval.metrics.heads import official_heads
from codecs_eval.metrics.lpips import load_trunk
from codecs_eval.metrics.trunk import Trunk
from codecs_eval.training.artifacts import (
    write_config,
    write_heads,
    write_json,
    write_out_of_fold,
)
from codecs_eval.training.config import TrainMetricConfig
from codecs_eval.training.features import PairFeatures, pair_features
from codecs_eval.training.fitting import Prior, Votes
from codecs_eval.training.phases import (
    Fits,
    Phase,
    ProgressShare,
    agreement,
    fit_phases,
    plan_phases,
)
from codecs_eval.training.reporter import Reporter, Stopped

# Share of a run's progress bar that the features get; the fits are quick beside them.
_FEATURES_SHARE = 0.8


def train_metric(
    dataset: FrozenDataset,
    config: TrainMetricConfig,
    folder: Path,
    weights: Callable[[str], Path],
    report: Reporter,
    cache: Path | None = None,
) -> dict[str, Any]:
    """Train linear heads on the dataset's train part; agreements in the result are in 0..1.

    `cache` keeps the features (default: `folder`/features), to be shared by runs. Continues from
    `folder`/checkpoint.pt to the very numbers of a run that was never interrupted. Where `report`
    asks to stop, the result is {"is_finished": False}.
    """
    try:
        return _train(dataset, config, folder, weights, report, cache or folder / "features")
    except Stopped:
        report.log("stopped; the checkpoint is kept")
        return {"is_finished": False}


def _train(
    dataset: FrozenDataset,
    config: TrainMetricConfig,
    folder: Path,
    weights: Callable[[str], Path],
    report: Reporter,
    cache: Path,
) -> dict[str, Any]:
    began = time.monotonic()
    table = triplet_table(dataset)
    phases = plan_phases(list(table["source"]), dataset.sources("train"), config)
    folder.mkdir(parents=True, exist_ok=True)
    trunk = load_trunk(config.backbone, weights)
    features = pair_features(dataset, trunk, cache, report, _FEATURES_SHARE)
    seconds = {"features": time.monotonic() - began}
    votes = votes_of(table, features)
    prior = Prior(torch.cat(official_heads(config.backbone)), trunk.backbone.channels)
    bar = ProgressShare(report, _FEATURES_SHARE, len(phases) * config.epochs)
    manifest_sha256 = hashlib.sha256((dataset.folder / "manifest.json").read_bytes()).hexdigest()
    key = _fingerprint(config, manifest_sha256, features, table)
    fits = fit_phases(phases, votes, prior, config, folder / "checkpoint.pt", key, bar)
    heads = [on_scale(found, prior.heads, votes) for found in fits.heads]
    seconds["fits"] = time.monotonic() - began - seconds["features"]

    write_heads(folder, heads[-1], trunk, manifest_sha256, is_simulated=dataset.is_simulated)
    weight_sha256 = hashlib.sha256(weights(trunk.backbone.weights).read_bytes()).hexdigest()
    write_config(folder, config, dataset, manifest_sha256, trunk, weight_sha256)
    write_json(
        folder / "curves.json",
        {"is_simulated": dataset.is_simulated, **_curves(phases, fits)},
    )
    compared = _compare(
        phases, heads, prior.heads, votes, table, folder, is_simulated=dataset.is_simulated
    )
    report.progress(1.0, 1.0, "trained")
    return {
        "is_finished": True,
        **compared,
        "n_triplets": len(table),
        "n_sources": int(table["source"].nunique()),
        "n_judgments": int(table["n"].sum()),
        "seconds": {name: round(value, 2) for name, value in seconds.items()},
        "device": _device_of(trunk),
        "is_simulated": dataset.is_simulated,
    }


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


def on_scale(heads: Tensor, prior: Tensor, votes: Votes) -> Tensor:
    """Heads with the official heads' mean distance on the same pairs.

    Decisions stay; without it each training would have a scale of its own, and thresholds or
    losses tuned for LPIPS would not fit.
    """
    rows = torch.unique(torch.cat([votes.first, votes.second]))
    means = votes.features[rows, 0].double().mean(dim=0)
    found = float(means @ heads.double())
    if not found > 0.0:
        raise RuntimeError(
            f"the trained heads give a mean distance of {found}; expected more than 0: "
            f"lower the learning rate or add a ridge"
        )
    return (heads.double() * (float(means @ prior.double()) / found)).float()


def _fingerprint(
    config: TrainMetricConfig, manifest_sha256: str, features: PairFeatures, table: pd.DataFrame
) -> str:
    facts = [config.to_json(), manifest_sha256, features.key, list(table["triplet_id"])]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _compare(
    phases: Sequence[Phase],
    heads: Sequence[Tensor],
    prior: Tensor,
    votes: Votes,
    table: pd.DataFrame,
    folder: Path,
    *,
    is_simulated: bool,
) -> dict[str, Any]:
    """Trained beside untouched heads on the same triplets, by part; writes out_of_fold.parquet."""
    final = phases[-1]
    parts = {"train": final.train, "heldout": final.heldout}
    compared = {
        part: _part(votes.of(rows), table.iloc[rows.numpy()], heads[-1], prior)
        for part, rows in parts.items()
    }
    if len(phases) == 1:
        return {**compared, "cross_validated": None}
    out_of_fold: dict[int, tuple[int, float, float]] = {}
    right = 0.0
    for phase, found in zip(phases[:-1], heads[:-1], strict=True):
        assert phase.fold is not None
        held = votes.of(phase.heldout)
        right += agreement(held, found) * len(held)
        d_first, d_second = held.distances(found)
        for row, first, second in zip(phase.heldout, d_first, d_second, strict=True):
            out_of_fold[int(row)] = (phase.fold, float(first), float(second))
    write_out_of_fold(
        folder,
        list(table["triplet_id"]),
        [out_of_fold[i] for i in range(len(table))],
        is_simulated=is_simulated,
    )
    crossed = _part(votes, table, heads[-1], prior)
    assert crossed is not None
    return {**compared, "cross_validated": {**crossed, "trained": right / len(table)}}


def _part(
    votes: Votes, rows: pd.DataFrame, heads: Tensor, prior: Tensor
) -> dict[str, float | int] | None:
    if len(votes) == 0:
        return None
    return {
        "trained": agreement(votes, heads),
        "untouched": agreement(votes, prior),
        "n_triplets": len(rows),
        "n_judgments": int(rows["n"].sum()),
        "n_sources": int(rows["source"].nunique()),
    }


def _curves(phases: Sequence[Phase], fits: Fits) -> dict[str, Any]:
    return {"final": fits.curves[-1], "folds": fits.curves[: len(phases) - 1]}


def _device_of(trunk: Trunk) -> str:
    device = trunk.shift.device
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
