"""What a training leaves in its folder: heads and trunk, config, curves, folds."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor

from codecs_eval.agreement.dataset import FrozenDataset
from codecs_eval.metrics.heads import write_pth, write_safetensors
from codecs_eval.metrics.trained import FORMAT, TRUNK_FILE
from codecs_eval.metrics.trunk import PREPROCESSING, Trunk
from codecs_eval.training.config import TrainMetricConfig


@dataclass(frozen=True)
class Made:
    """The trunk to judge with, heads (channels,), curves, and what else the config.json tells."""

    trunk: Trunk
    heads: Tensor
    curves: Mapping[str, Any]
    told: Mapping[str, Any]


def write_artifacts(
    folder: Path,
    config: TrainMetricConfig,
    dataset: FrozenDataset,
    made: Made,
    weights: Callable[[str], Path],
) -> None:
    """heads.safetensors, trunk.safetensors where it was trained, config.json, curves.json.

    heads.pth, which lpips.LPIPS(model_path=...) loads, only where the trunk is torchvision's: with
    another one lpips would compute wrong distances in silence.
    """
    trunk, name = made.trunk, made.trunk.backbone.name
    manifest = hashlib.sha256((dataset.folder / "manifest.json").read_bytes()).hexdigest()
    metadata = {
        "format": FORMAT,
        "trunk_sha256": trunk.sha256,
        "input": PREPROCESSING,
        "dataset_manifest_sha256": manifest,
        "is_simulated": str(dataset.is_simulated).lower(),
    }
    parts = list(torch.split(made.heads, list(trunk.backbone.channels)))
    write_safetensors(folder / "heads.safetensors", parts, name, metadata)
    if config.is_trunk_trained:
        write_trunk(folder / TRUNK_FILE, trunk, {**metadata, "mode": config.mode})
    else:
        write_pth(folder / "heads.pth", parts, name)
    write_json(folder / "curves.json", {"is_simulated": dataset.is_simulated, **made.curves})
    weights_path = weights(trunk.backbone.weights)
    facts = {
        "format": FORMAT,
        "backbone": name,
        "mode": config.mode,
        "trunk_file": TRUNK_FILE if config.is_trunk_trained else None,
        "trunk_sha256": trunk.sha256,
        "weights": trunk.backbone.weights,
        "weights_sha256": hashlib.sha256(weights_path.read_bytes()).hexdigest(),
        "input": PREPROCESSING,
        "config": config.to_json(),
        "dataset": {"name": dataset.manifest.name, "manifest_sha256": manifest},
        "split": {
            "seed": dataset.manifest.split.seed,
            "train": list(dataset.sources("train")),
            "test": list(dataset.sources("test")),
        },
        **made.told,
        "is_simulated": dataset.is_simulated,
        "torch": torch.__version__,
    }
    write_json(folder / "config.json", facts)


def write_trunk(path: Path, trunk: Trunk, metadata: Mapping[str, str]) -> None:
    """The convolutions by torchvision's names below `features`."""
    state = {
        key: value.detach().cpu().contiguous().clone(memory_format=torch.contiguous_format)
        for key, value in trunk.features.state_dict().items()
    }
    save_file(state, path, metadata={**metadata, "backbone": trunk.backbone.name})
    # safetensors writes for the owner alone; the other exports follow the umask.
    path.chmod(0o644)


def write_out_of_fold(
    folder: Path,
    triplet_ids: Sequence[str],
    fold: NDArray[np.int64],
    d_first: Tensor,
    d_second: Tensor,
    combined_logit: NDArray[np.float64] | None,
    *,
    is_simulated: bool,
) -> None:
    """Per triplet: the fold that held it out, and its distances by heads that never saw it.

    Where metrics are combined, the logit for the second by weights that never saw it either.
    """
    frame = pd.DataFrame({"triplet_id": list(triplet_ids), "fold": fold})
    frame["d_first"], frame["d_second"] = d_first.numpy(), d_second.numpy()
    if combined_logit is not None:
        frame["combined_logit"] = combined_logit
    frame["is_simulated"] = is_simulated
    frame.to_parquet(folder / "out_of_fold.parquet", engine="pyarrow", index=False)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n")
