"""A metric that a training run left behind: heads, trunk where it was trained, and config.json."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from safetensors import safe_open

from codecs_eval.metrics.heads import read_safetensors
from codecs_eval.metrics.lpips import LpipsMetric, default_device, load_trunk
from codecs_eval.metrics.metric import Image, Metric
from codecs_eval.metrics.table import load_metric
from codecs_eval.metrics.trunk import Trunk

FORMAT = "triad-metric/1"
TRUNK_FILE = "trunk.safetensors"


class CombinedMetric:
    """A trained metric plus others: sum of weight x score, each turned so that lower is closer.

    Its differences are the logits of a judgment. Lower is better; values may be negative and
    identical images are not at 0.
    """

    higher_is_better = False

    def __init__(self, name: str, metrics: Sequence[Metric], weights: Sequence[float]) -> None:
        self.name = name
        self.metrics = tuple(metrics)
        self.weights = tuple(weights)

    def scores(self, reference: Image, distorted: Sequence[Image]) -> list[float]:
        total = [0.0] * len(distorted)
        for metric, weight in zip(self.metrics, self.weights, strict=True):
            sign = -weight if metric.higher_is_better else weight
            found = metric.scores(reference, distorted)
            total = [sum_ + sign * value for sum_, value in zip(total, found, strict=True)]
        return total


def load_trained(
    folder: Path, weights: Callable[[str], Path], name: str = "trained"
) -> LpipsMetric:
    """The run's metric under `name`; ValueError where the folder or its trunk is another's."""
    facts = _facts(folder)
    trunk = _trunk(folder, facts, weights)
    if trunk.sha256 != facts["trunk_sha256"]:
        raise ValueError(
            f"the trunk at hand has SHA-256 {trunk.sha256}; expected {facts['trunk_sha256']}, "
            f"with which {folder} was trained"
        )
    heads = read_safetensors(folder / "heads.safetensors", facts["backbone"])
    return LpipsMetric(name, trunk, heads)


def load_combined(
    folder: Path, weights: Callable[[str], Path], name: str = "combined"
) -> CombinedMetric:
    """The run's metric with those that it was combined with; ValueError where it was with none."""
    found = _facts(folder).get("combination")
    if found is None:
        raise ValueError(f"{folder} was trained alone; expected a training with combine_with")
    trained = load_trained(folder, weights)
    others = [load_metric(other, weights) for other in found["metrics"][1:]]
    return CombinedMetric(name, [trained, *others], found["weights"])


def _facts(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    if not path.is_file():
        raise ValueError(f"{folder} holds no config.json; expected the folder of a trained metric")
    facts: dict[str, Any] = json.loads(path.read_text())
    if facts.get("format") != FORMAT:
        raise ValueError(f"{path} has format {facts.get('format')!r}; expected {FORMAT!r}")
    return facts


def _trunk(folder: Path, facts: dict[str, Any], weights: Callable[[str], Path]) -> Trunk:
    # Trainings before there were modes wrote no trunk_file.
    if not facts.get("trunk_file"):
        return load_trunk(facts["backbone"], weights)
    path = folder / TRUNK_FILE
    if not path.is_file():
        raise ValueError(f"{folder} lacks {TRUNK_FILE}; expected the trunk that it trained")
    with safe_open(path, framework="pt", device="cpu") as file:
        state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    return Trunk(facts["backbone"], state).to(default_device())
