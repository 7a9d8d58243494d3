"""A training that went through undisturbed, and one that is killed in mid-work."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codecs_eval.agreement.dataset import FrozenDataset
from codecs_eval.training.config import TrainMetricConfig
from codecs_eval.training.metric import train_metric
from tests.codecs_eval.training.datasets import Listener, make_dataset

Weights = Callable[[str], Path]

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Done:
    dataset: FrozenDataset
    folder: Path
    cache: Path
    result: dict[str, Any]
    listener: Listener


def train_planted(
    home: Path, config: TrainMetricConfig, weights: Weights, size_px: int = 40
) -> Done:
    dataset = make_dataset(home / "planted", size_px=size_px)
    listener = Listener()
    result = train_metric(dataset, config, home / "run", weights, listener, cache=home / "features")
    return Done(dataset, home / "run", home / "features", result, listener)


def without_seconds(result: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in result.items() if key != "seconds"}


def kill_a_training(
    done: Done,
    config_of: str,
    folder: Path,
    weights: Weights,
    is_time: Callable[[], bool],
    *,
    pause_s: float,
    first: str = "",
) -> None:
    """Train in a process of its own into `folder` and kill it once `is_time`.

    `config_of` is the module whose CONFIG is trained with; `pause_s` slows each step down, so
    that the end is not reached before; `first` is run before all else.
    """
    code = f"""
import time
from pathlib import Path
from codecs_eval.agreement.dataset import read_dataset
from codecs_eval.training.metric import train_metric
from tests.codecs_eval.training.datasets import Listener
from {config_of} import CONFIG
{first}
class Slow(Listener):
    def progress(self, done, total, note=""):
        time.sleep({pause_s})
train_metric(read_dataset(Path({str(done.dataset.folder)!r})), CONFIG, Path({str(folder)!r}),
             lambda name: Path({str(weights("alexnet"))!r}), Slow(),
             cache=Path({str(done.cache)!r}))
"""
    child = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    deadline = time.monotonic() + 60
    while not is_time() and time.monotonic() < deadline:
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
