"""A metric that a training run left behind: heads.safetensors and config.json in its folder."""

import json
from collections.abc import Callable
from pathlib import Path

from codecs_eval.metrics.heads import read_safetensors
from codecs_eval.metrics.lpips import LpipsMetric, load_trunk

FORMAT = "triad-metric/1"


def load_trained(
    folder: Path, weights: Callable[[str], Path], name: str = "trained"
) -> LpipsMetric:
    """The run's metric under `name`; ValueError where the folder or its trunk is another's."""
    path = folder / "config.json"
    if not path.is_file():
        raise ValueError(f"{folder} holds no config.json; expected the folder of a trained metric")
    facts = json.loads(path.read_text())
    if facts.get("format") != FORMAT:
        raise ValueError(f"{path} has format {facts.get('format')!r}; expected {FORMAT!r}")
    trunk = load_trunk(facts["backbone"], weights)
    if trunk.sha256 != facts["trunk_sha256"]:
        raise ValueError(
            f"the trunk at hand has SHA-256 {trunk.sha256}; expected {facts['trunk_sha256']}, "
            f"with which {folder} was trained"
        )
    heads = read_safetensors(folder / "heads.safetensors", facts["backbone"])
    return LpipsMetric(name, trunk, heads)
