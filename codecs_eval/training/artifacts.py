"""What a training leaves in its folder: heads in two formats, config, curves, folds."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from codecs_eval.agreement.dataset import FrozenDataset
from codecs_eval.metrics.heads import write_pth, write_safetensors
from codecs_eval.metrics.trained import FORMAT
from codecs_eval.metrics.trunk import PREPROCESSING, Trunk
from codecs_eval.training.config import TrainMetricConfig


def write_heads(
    folder: Path, heads: Tensor, trunk: Trunk, manifest_sha256: str, *, is_simulated: bool
) -> None:
    """heads.safetensors (lin0..lin4) and heads.pth, which lpips.LPIPS(model_path=...) loads."""
    parts = list(torch.split(heads, list(trunk.backbone.channels)))
    metadata = {
        "format": FORMAT,
        "trunk_sha256": trunk.sha256,
        "input": PREPROCESSING,
        "dataset_manifest_sha256": manifest_sha256,
        "is_simulated": str(is_simulated).lower(),
    }
    write_safetensors(folder / "heads.safetensors", parts, trunk.backbone.name, metadata)
    write_pth(folder / "heads.pth", parts, trunk.backbone.name)


def write_config(
    folder: Path,
    config: TrainMetricConfig,
    dataset: FrozenDataset,
    manifest_sha256: str,
    trunk: Trunk,
    weights_sha256: str,
) -> None:
    manifest = dataset.manifest
    facts = {
        "format": FORMAT,
        "backbone": trunk.backbone.name,
        "trunk_sha256": trunk.sha256,
        "weights": trunk.backbone.weights,
        "weights_sha256": weights_sha256,
        "input": PREPROCESSING,
        "config": config.to_json(),
        "dataset": {"name": manifest.name, "manifest_sha256": manifest_sha256},
        "split": {
            "seed": manifest.split.seed,
            "train": list(dataset.sources("train")),
            "test": list(dataset.sources("test")),
        },
        "is_simulated": dataset.is_simulated,
        "torch": torch.__version__,
    }
    write_json(folder / "config.json", facts)


def write_out_of_fold(
    folder: Path,
    triplet_ids: Sequence[str],
    rows: Sequence[tuple[int, float, float]],
    *,
    is_simulated: bool,
) -> None:
    """Per triplet: the fold that held it out, and its distances by heads that never saw it."""
    frame = pd.DataFrame(list(rows), columns=["fold", "d_first", "d_second"])
    frame.insert(0, "triplet_id", list(triplet_ids))
    frame["is_simulated"] = is_simulated
    frame.to_parquet(folder / "out_of_fold.parquet", engine="pyarrow", index=False)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n")
