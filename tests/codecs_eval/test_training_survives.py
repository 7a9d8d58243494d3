"""A real worker on a real broker is killed in mid-training; the run goes on from its checkpoint."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from safetensors.numpy import load

from codecs_eval import datasets, runs, tasks
from codecs_eval.models import Dataset, Run, RunMetric
from codecs_eval.training.config import PRESETS
from tests.codecs_eval.metrics.pretrained import weight_source
from tests.codecs_eval.training.datasets import make_dataset
from tests.processes import wait_for

if TYPE_CHECKING:
    from tests.processes import LiveWorker

CONFIG = replace(PRESETS["small_data"], epochs_flat=300, epochs_decay=0)


@pytest.fixture
def alexnet(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Path:
    """Before the worker starts: it finds the verified file instead of fetching one."""
    path = weight_source()("alexnet")
    monkeypatch.setenv("TRIAD_WEIGHTS", str(path.parent))
    # Short, but longer than a busy machine lets a healthy worker wait.
    monkeypatch.setenv("RUN_LEASE_S", "10")
    settings.TRIAD_WEIGHTS = str(path.parent)
    return path


@pytest.fixture
def dataset(alexnet: Path, triad_home: Path, transactional_db: None) -> Dataset:
    return datasets.register("planted", make_dataset)


@pytest.mark.slow
def test_a_training_whose_worker_is_killed_goes_on_from_its_checkpoint(
    alexnet: Path, dataset: Dataset, live_worker: "LiveWorker"
) -> None:
    run = _start(dataset)
    wait_for("some epochs are done", lambda: _n_points(run) >= 3, within_s=120)
    live_worker.kill()
    run.refresh_from_db()
    assert run.state == "running", "the training ended before it could be killed"
    points_before = _n_points(run)
    live_worker.restart()
    wait_for("the run ends", lambda: _state(run) not in {"queued", "running"}, within_s=180)
    run.refresh_from_db()
    assert run.state == "done", run.error
    assert run.attempts == 2
    assert points_before <= _n_points(run)
    assert "lost its worker" in " ".join(run.lines.values_list("text", flat=True))
    assert _trained(run) == _trained(_undisturbed(dataset))


@pytest.mark.slow
def test_a_running_training_is_cancelled(
    alexnet: Path, dataset: Dataset, live_worker: "LiveWorker"
) -> None:
    run = _start(dataset)
    wait_for("some epochs are done", lambda: _n_points(run) >= 1, within_s=120)
    runs.cancel(run)
    wait_for("the run ends", lambda: _state(run) == "cancelled", within_s=20)


def _start(dataset: Dataset) -> Run:
    run = runs.create("train_metric", CONFIG, title="Training", dataset=dataset)
    tasks.enqueue(run)
    return run


def _undisturbed(dataset: Dataset) -> Run:
    run = runs.create("train_metric", CONFIG, title="Undisturbed", dataset=dataset)
    assert runs.claim(run.pk, "here")
    assert runs.execute(run.pk, "here") == "done"
    return run


def _trained(run: Run) -> dict[str, bytes]:
    """The heads themselves: the same to the last bit (the file's own facts may be in any order)."""
    heads = load((run.folder / "heads.safetensors").read_bytes())
    return {name: tensor.tobytes() for name, tensor in sorted(heads.items())}


def _n_points(run: Run) -> int:
    return RunMetric.objects.filter(run=run).count()


def _state(run: Run) -> str:
    return Run.objects.values_list("state", flat=True).get(pk=run.pk)
