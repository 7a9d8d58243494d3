"""A trained metric as a folder laid out for model hubs: card, tensors in three formats, numbers."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from codecs_eval.agreement.dataset import FrozenDataset
from codecs_eval.metrics.lpips import LpipsMetric
from codecs_eval.metrics.lpips_state import write_lpips_pth
from codecs_eval.metrics.onnx_export import write_onnx
from codecs_eval.training.artifacts import write_json
from codecs_eval.training.model_card import model_card
from codecs_eval.training.self_test import check_lpips, write_self_test
from codecs_eval.weights import weight_entry

FORMAT = "triad-metric-export/1"


@dataclass(frozen=True)
class Exported:
    """What is exported: the metric, `facts` as the training's config.json holds them, its scores.

    `is_trunk_trained`: the trunk differs from torchvision's and travels with the heads.
    """

    title: str
    run: str
    metric: LpipsMetric
    is_trunk_trained: bool
    facts: Mapping[str, Any]
    scores: Mapping[str, Any]
    dataset: FrozenDataset


def write_hub_folder(folder: Path, found: Exported) -> list[str]:
    """Write all files into the new `folder`; returns their names, the card first."""
    folder.mkdir(parents=True)
    trunk = found.metric.trunk
    heads = list(torch.split(found.metric.weights, list(trunk.backbone.channels)))
    write_lpips_pth(folder / "lpips.pth", trunk, heads, with_trunk=found.is_trunk_trained)
    check_lpips(folder / "lpips.pth", found.metric, is_trunk_inside=found.is_trunk_trained)
    metadata = _metadata(found)
    _write_tensors(folder / "model.safetensors", found, heads, metadata)
    error = write_onnx(folder / "model.onnx", trunk, heads, metadata)
    self_test = write_self_test(folder / "self_test", found.metric)
    write_json(folder / "metrics.json", found.scores)
    names = [
        "lpips.pth",
        "model.safetensors",
        "model.onnx",
        "metrics.json",
        "self_test/reference.png",
        "self_test/distorted.png",
    ]
    config = {
        **_config(found),
        "onnx": {"relative_error": error, "inputs": ["reference", "distorted"]},
        "self_test": self_test,
        "files": {name: _sha256(folder / name) for name in names},
    }
    write_json(folder / "config.json", config)
    (folder / "README.md").write_text(model_card(config, found.scores))
    return ["README.md", "config.json", *names]


def _config(found: Exported) -> dict[str, Any]:
    trunk = found.metric.trunk
    weights = weight_entry(trunk.backbone.weights)
    split = found.facts["split"]
    return {
        "format": FORMAT,
        "title": found.title,
        "run": found.run,
        "is_simulated": found.dataset.is_simulated,
        "backbone": trunk.backbone.name,
        "channels": list(trunk.backbone.channels),
        "smallest_px": trunk.backbone.smallest_px,
        "input": found.facts["input"],
        "input_range": [-1.0, 1.0],
        "higher_is_better": False,
        "trunk": {
            "label": weights.label,
            "licence": weights.licence,
            "sha256": trunk.sha256,
            "is_trained": found.is_trunk_trained,
        },
        "dataset": _dataset(found.dataset, found.facts),
        "split": {
            "rule": "by source",
            "seed": split["seed"],
            "n_train": len(split["train"]),
            "n_test": len(split["test"]),
        },
        "config": dict(found.facts["config"]),
        "combination": found.facts.get("combination"),
        "torch": found.facts["torch"],
    }


def _dataset(dataset: FrozenDataset, facts: Mapping[str, Any]) -> dict[str, Any]:
    manifest, triplets = dataset.manifest, dataset.triplets
    n = dataset.votes()["n"]
    codecs = {*triplets["first_codec"].dropna(), *triplets["second_codec"].dropna()}
    return {
        "name": manifest.name,
        "origin": manifest.origin,
        "question": manifest.question,
        "polarity": manifest.polarity,
        "licence": manifest.licence,
        "attribution": manifest.attribution,
        "manifest_sha256": facts["dataset"]["manifest_sha256"],
        "sources": manifest.counts.sources,
        "triplets": manifest.counts.triplets,
        "judgments": manifest.counts.judgments,
        "observers": manifest.counts.observers,
        "votes_per_triplet": {
            "least": int(n.min()),
            "median": float(n.median()),
            "most": int(n.max()),
        },
        "codecs": sorted(str(codec) for codec in codecs if codec),
        "rates_bpp": _rates(triplets),
        "sizes_px": _sizes(dataset),
    }


def _rates(triplets: pd.DataFrame) -> list[float] | None:
    """Lowest and highest rate of a reconstruction, where any is recorded."""
    both = pd.concat([triplets["first_bpp"], triplets["second_bpp"]]).astype(float).dropna()
    return None if both.empty else [float(both.min()), float(both.max())]


def _sizes(dataset: FrozenDataset) -> dict[str, list[int]]:
    """The smallest and the largest source by area, [width, height]."""
    sizes = []
    for sha in dataset.triplets["source_image"].unique():
        with Image.open(dataset.image_path(str(sha))) as image:
            sizes.append(image.size)
    by_area = sorted(sizes, key=lambda size: (size[0] * size[1], size))
    return {"least": list(by_area[0]), "most": list(by_area[-1])}


def _metadata(found: Exported) -> dict[str, str]:
    trunk = found.metric.trunk
    return {
        "format": FORMAT,
        "backbone": trunk.backbone.name,
        "trunk_sha256": trunk.sha256,
        "input": str(found.facts["input"]),
        "dataset_manifest_sha256": str(found.facts["dataset"]["manifest_sha256"]),
        "is_simulated": str(found.dataset.is_simulated).lower(),
        "scores": json.dumps(found.scores["parts"], allow_nan=False),
    }


def _write_tensors(
    path: Path, found: Exported, heads: list[Tensor], metadata: dict[str, str]
) -> None:
    """lin0, lin1, ... (1, channels, 1, 1), and features.* where the trunk was trained."""
    state = {f"lin{i}": head.reshape(1, -1, 1, 1).contiguous() for i, head in enumerate(heads)}
    if found.is_trunk_trained:
        for key, tensor in found.metric.trunk.features.state_dict().items():
            state[f"features.{key}"] = tensor.cpu().contiguous()
    save_file(state, path, metadata=metadata)
    # safetensors writes for the owner alone; the others follow the umask.
    path.chmod(0o644)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
