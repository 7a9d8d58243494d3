"""Several processes under torchrun train what one does."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from codecs_eval import datasets
from codecs_eval.models import Run
from tests.codecs_eval.metrics.pretrained import weight_source
from tests.codecs_eval.training.datasets import make_dataset

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = [
    *("--dataset", "planted", "--mode", "tune", "--warm-start", "--ridge", "0.01"),
    *("--trunk-learning-rate", "1e-5", "--learning-rate", "1e-3", "--batch-size", "7"),
    *("--epochs-flat", "2", "--epochs-decay", "0", "--early-stopping", "2"),
]


def train(env: dict[str, str], *launcher: str) -> str:
    command = [sys.executable, *launcher, "manage.py", "train_metric", *OPTIONS]
    done = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=400, check=False
    )
    return done.stdout if done.returncode == 0 else f"failed: {done.stderr}"


def together(n_processes: int) -> list[str]:
    return ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(n_processes)]


@pytest.fixture
def env(transactional_db: None, triad_home: Path, child_env: dict[str, str]) -> dict[str, str]:
    datasets.register("planted", make_dataset)
    weights = str(weight_source()("alexnet").parent)
    # No GPU: gloo on the CPU is what is asked about here.
    settings = {"TRIAD_WEIGHTS": weights, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    return {**child_env, **settings}


@pytest.mark.slow
def test_two_processes_have_the_loss_curve_of_one(env: dict[str, str]) -> None:
    curves: list[dict[str, Any]] = []
    for launcher in ([], together(2)):
        told = train(env, *launcher)
        assert not told.startswith("failed"), told
        run = Run.objects.order_by("-created_at").first()
        assert run is not None
        assert run.state == "done"
        curves.append(json.loads((run.folder / "curves.json").read_text())["final"])
    # One run each: the second process has joined the first one's.
    assert Run.objects.count() == 2
    assert len(curves[0]["train_loss"]) == 2
    for name in ("train_loss", "validation_loss"):
        assert curves[1][name] == pytest.approx(curves[0][name], rel=1e-6)
    assert curves[1]["heldout_agreement"] == pytest.approx(curves[0]["heldout_agreement"])
