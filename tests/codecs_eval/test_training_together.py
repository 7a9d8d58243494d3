"""Several processes under torchrun train what one does."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage import data

from codecs_eval import datasets, runs
from codecs_eval.models import Run
from tests.codecs_eval.metrics.pretrained import weight_source
from tests.codecs_eval.training.datasets import make_dataset
from tests.factories import make_source
from tests.processes import wait_for

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = [
    *("--dataset", "planted", "--mode", "tune", "--warm-start", "--ridge", "0.01"),
    *("--trunk-learning-rate", "1e-5", "--learning-rate", "1e-3", "--batch-size", "7"),
    *("--epochs-flat", "2", "--epochs-decay", "0", "--early-stopping", "2"),
]


def start(
    env: dict[str, str], launcher: list[str], options: list[str], command: str = "train_metric"
) -> subprocess.Popen[str]:
    command_line = [sys.executable, *launcher, "manage.py", command, *options]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.Popen(command_line, cwd=ROOT, env=env, text=True, **pipes)


def train(
    env: dict[str, str], launcher: list[str], options: list[str], command: str = "train_metric"
) -> Run:
    """The run, done."""
    child = start(env, launcher, options, command)
    said, _ = child.communicate(timeout=400)
    assert child.returncode == 0, said
    run = Run.objects.order_by("-created_at").first()
    assert run is not None
    assert run.state == "done"
    return run


def curve_of(run: Run) -> dict[str, Any]:
    final: dict[str, Any] = json.loads((run.folder / "curves.json").read_text())["final"]
    return final


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
    curves = [curve_of(train(env, launcher, OPTIONS)) for launcher in ([], together(2))]
    # One run each: the second process has joined the first one's.
    assert Run.objects.count() == 2
    assert len(curves[0]["train_loss"]) == 2
    for name in ("train_loss", "validation_loss"):
        assert curves[1][name] == pytest.approx(curves[0][name], rel=1e-6)
    assert curves[1]["heldout_agreement"] == pytest.approx(curves[0]["heldout_agreement"])


@pytest.mark.slow
def test_two_processes_train_the_codec_of_one(
    transactional_db: None, triad_home: Path, child_env: dict[str, str]
) -> None:
    for index, photo in enumerate((data.astronaut(), data.coffee(), data.chelsea())):
        make_source("photos", f"photo-{index}", pixels=np.ascontiguousarray(photo[:160, :160]))
    options = [
        *("--collection", "photos", "--preset", "demo", "--steps", "4", "--batch-size", "3"),
        *("--held-out", "1", "--measure-every", "4"),
    ]
    env = {**child_env, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    alone, both = (train(env, launcher, options, "train_codec") for launcher in ([], together(2)))
    losses = [
        list(run.metrics.filter(name="loss").values_list("value", flat=True))
        for run in (alone, both)
    ]
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    levels = [run.result["curve"][-1]["levels"] for run in (alone, both)]
    assert [p["psnr_db"] for p in levels[1]] == pytest.approx(
        [p["psnr_db"] for p in levels[0]], abs=0.01
    )


@pytest.mark.slow
def test_processes_that_were_stopped_go_on_together(env: dict[str, str]) -> None:
    options = [*OPTIONS, "--epochs-flat", "20", "--early-stopping", "0"]
    child = start(env, together(2), options)
    wait_for("an epoch is kept", lambda: any_checkpoint() is not None, within_s=200)
    run = Run.objects.get()
    runs.cancel(run)
    # Both end: nobody waits for who has left.
    said, _ = child.communicate(timeout=60)
    run.refresh_from_db()
    assert run.state == "cancelled", said
    assert not (run.folder / "curves.json").exists()
    again = train(env, together(2), ["--resume", str(run.pk)])
    assert again == run
    expected = curve_of(train(env, [], options))["train_loss"]
    assert curve_of(again)["train_loss"] == pytest.approx(expected, rel=1e-5)


def any_checkpoint() -> Path | None:
    run = Run.objects.first()
    path = run.folder / "checkpoint.pt" if run else None
    return path if path and path.exists() else None
