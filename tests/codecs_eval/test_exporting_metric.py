"""Taking a trained metric away: by its page, by the command, as folder and as zip."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lpips
import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from PIL import Image

from codecs_eval import datasets, exporting_metric, runs
from codecs_eval.models import Dataset, Run
from codecs_eval.training.config import TrainMetricConfig
from codecs_eval.weights import WEIGHTS
from tests.codecs_eval.desk_rows import make_dataset, make_run
from tests.codecs_eval.metrics.pretrained import as_input, official_lpips, weight_source
from tests.codecs_eval.test_pages import text_of
from tests.codecs_eval.training import datasets as planted
from tests.factories import make_ada, make_cleo

pytestmark = pytest.mark.usefixtures("db", "triad_home")


@pytest.fixture(scope="session")
def weight_file() -> Callable[[str], Path]:
    return weight_source()


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(make_ada())
    return client


def make_training(state: str = "done", dataset: Dataset | None = None) -> Run:
    run = runs.create(
        "train_metric", TrainMetricConfig(), title="Metric", dataset=dataset or make_dataset()
    )
    Run.objects.filter(pk=run.pk).update(state=state)
    run.refresh_from_db()
    return run


def make_files(training: Run) -> None:
    """An export of two files, as its folder would hold them."""
    folder = exporting_metric.export_folder(training)
    folder.mkdir(parents=True)
    (folder / "README.md").write_text("# Metric")
    (folder / "lpips.pth").write_bytes(b"tensors")
    (folder / "config.json").write_text(json.dumps({"files": {"lpips.pth": "ab"}}))


def test_a_finished_training_without_an_export_offers_to_make_one(
    desk: Client, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    training = make_training()
    assert "Make the download</button>" in text_of(desk.get(training.get_absolute_url()))
    with django_capture_on_commit_callbacks(execute=True) as bells:
        response = desk.post(reverse("export_run", args=[training.pk]))
    made = Run.objects.get(kind="export_metric")
    assert response["Location"] == made.get_absolute_url() and len(bells) == 1
    assert made.config == {"training": str(training.pk)}
    assert made.dataset_id == training.dataset_id
    said = text_of(desk.get(training.get_absolute_url()))
    assert "The download is being made" in said and "Make the download<" not in said


@pytest.mark.parametrize("state", ["queued", "running", "failed", "cancelled"])
def test_only_a_finished_training_can_be_exported(desk: Client, state: str) -> None:
    training = make_training(state)
    assert "Make the download" not in text_of(desk.get(training.get_absolute_url()))
    desk.post(reverse("export_run", args=[training.pk]))
    assert not Run.objects.filter(kind="export_metric").exists()


def test_a_report_can_not_be_exported(desk: Client) -> None:
    report = make_run("done")
    assert "Make the download" not in text_of(desk.get(report.get_absolute_url()))
    desk.post(reverse("export_run", args=[report.pk]))
    assert not Run.objects.filter(kind="export_metric").exists()
    assert desk.get(reverse("metric_zip", args=[report.pk])).status_code == 404


def test_the_zip_holds_the_export_under_one_folder(desk: Client) -> None:
    training = make_training(dataset=make_dataset(is_simulated=True))
    url = reverse("metric_zip", args=[training.pk])
    assert desk.get(url).status_code == 404
    make_files(training)
    assert "Download the metric (zip)" in text_of(desk.get(training.get_absolute_url()))
    response = desk.get(url)
    name = f"lpips-alex-garden-{str(training.pk)[:8]}-SIMULATED"
    assert response["Content-Disposition"] == f'attachment; filename="{name}.zip"'
    archive = zipfile.ZipFile(io.BytesIO(response.getvalue()))
    assert archive.namelist() == [
        f"{name}/{file}" for file in ("README.md", "config.json", "lpips.pth")
    ]
    assert archive.read(f"{name}/lpips.pth") == b"tensors"


def test_cleo_takes_nothing_away(client: Client) -> None:
    training = make_training()
    make_files(training)
    client.force_login(make_cleo())
    assert client.get(reverse("metric_zip", args=[training.pk])).status_code == 403
    assert client.post(reverse("export_run", args=[training.pk])).status_code == 403


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        ("ffffffff", "Found 0 training runs whose id begins with 'ffffffff'"),
        ("", "Found 0 training runs"),
    ],
)
def test_a_wrong_name_is_told(named: str, reason: str) -> None:
    make_training()
    with pytest.raises(CommandError, match=reason):
        call_command("export_metric", named)


def test_a_folder_that_exists_is_not_written_into(tmp_path: Path) -> None:
    training = make_training()
    with pytest.raises(CommandError, match="expected a new folder"):
        call_command("export_metric", str(training.pk), folder=tmp_path)
    assert not Run.objects.filter(kind="export_metric").exists()


def test_a_training_whose_folder_is_elsewhere_says_so() -> None:
    training = make_training()
    with pytest.raises(CommandError, match="is not on this machine"):
        call_command("export_metric", str(training.pk))


def test_heads_on_a_rounded_trunk_are_not_exported() -> None:
    training = make_training()
    [file] = [file for file in WEIGHTS["squeezenet1_1"].files if file.is_rounded]
    training.folder.mkdir(parents=True)
    facts = {"weights": "squeezenet1_1", "weights_sha256": file.sha256, "trunk_file": None}
    (training.folder / "config.json").write_text(json.dumps(facts))
    with pytest.raises(CommandError, match="rounded to 16 bits"):
        call_command("export_metric", str(training.pk))


@pytest.fixture
def trained(
    transactional_db: None, settings: Any, weight_file: Callable[[str], Path], triad_home: Path
) -> Run:
    """A real training of AlexNet's heads on planted judgments."""
    settings.TRIAD_WEIGHTS = str(weight_file("alexnet").parent)
    dataset = datasets.register("planted", lambda folder: planted.make_dataset(folder))
    call_command("train_metric", dataset=dataset.name, preset="small_data", folds=3, seed=2)
    return Run.objects.get(kind="train_metric", state="done")


def test_the_command_exports_a_real_training(
    trained: Run, tmp_path: Path, weight_file: Callable[[str], Path]
) -> None:
    out = io.StringIO()
    call_command(
        "export_metric",
        f"run:{str(trained.pk)[:8]}",
        folder=tmp_path / "hub",
        zip=tmp_path / "metric.zip",
        stdout=out,
    )
    assert str(tmp_path / "hub") in out.getvalue()
    config = json.loads((tmp_path / "hub" / "config.json").read_text())
    scores = json.loads((tmp_path / "hub" / "metrics.json").read_text())
    # Every triplet has three votes: the mean over judgments is the mean over triplets.
    by_part = {part["part"]: part["metrics"] for part in scores["parts"]}
    for part, (ours, theirs) in by_part.items():
        assert ours["agreement"] == pytest.approx(trained.result[part]["trained"])
        assert theirs["agreement"] == pytest.approx(trained.result[part]["untouched"])
    assert set(by_part) == {"heldout", "cross_validated"}
    official = official_lpips("alex", weight_file, tmp_path / "hub" / "lpips.pth")
    assert _self_test(official, tmp_path / "hub", config) == pytest.approx(
        config["self_test"]["distance"], rel=1e-5
    )
    names = zipfile.ZipFile(tmp_path / "metric.zip").namelist()
    assert {name.partition("/")[2] for name in names} == {
        path.relative_to(tmp_path / "hub").as_posix()
        for path in (tmp_path / "hub").rglob("*")
        if path.is_file()
    }


def _self_test(module: lpips.LPIPS, folder: Path, config: dict[str, Any]) -> float:
    pictures = [
        as_input(np.asarray(Image.open(folder / config["self_test"][name])))
        for name in ("reference", "distorted")
    ]
    return float(module(*pictures).detach())
