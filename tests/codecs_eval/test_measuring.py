"""What a report can be asked for beside the table, and what happens where it cannot be had."""

import io
import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from scipy.special import expit

from codecs_eval import datasets, runs
from codecs_eval.metrics.table import METRICS
from codecs_eval.models import Dataset, Run
from codecs_eval.report_conclusion import conclusion
from codecs_eval.scoring import version_here, weights_key
from codecs_eval.training.config import TrainMetricConfig
from codecs_eval.weights import WEIGHTS
from tests.codecs_eval.metrics.pretrained import weight_source
from tests.codecs_eval.test_pages import text_of
from tests.codecs_eval.test_reports import report_on
from tests.codecs_eval.training.datasets import make_dataset
from tests.factories import make_ada

# A run renews its lease from a thread of its own, which sees only rows that are committed.
pytestmark = pytest.mark.usefixtures("transactional_db", "triad_home")


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)


@pytest.fixture
def broken_ffmpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "", "no such filter: libvmaf")

    monkeypatch.setattr(subprocess, "run", run)


@pytest.fixture
def dataset() -> Dataset:
    return datasets.register("planted", make_dataset)


@pytest.fixture
def trained(settings: Any, dataset: Dataset) -> Run:
    """AlexNet's heads trained on planted judgments, by folds, and combined with PSNR."""
    settings.TRIAD_WEIGHTS = str(weight_source()("alexnet").parent)
    call_command(
        "train_metric", dataset=dataset.name, preset="small_data", folds=3, seed=2,
        combine_with=["psnr"],
    )  # fmt: skip
    return Run.objects.get(kind="train_metric", state="done")


def row_of(report: Run, name: str) -> dict[str, Any]:
    assert report.state == "done", report.error
    [found] = [row for row in report.result["metrics"] if row["name"] == name]
    return dict(found)


@pytest.mark.usefixtures("offline")
def test_weights_that_cannot_be_had_cost_their_metric_alone(dataset: Dataset) -> None:
    report = report_on(dataset, "lpips-squeeze", "psnr")
    row_of(report, "psnr")
    [note] = report.result["notes"]
    assert note.startswith("lpips-squeeze was left out: weights squeezenet1_1 are missing")


@pytest.mark.usefixtures("broken_ffmpeg")
def test_a_program_that_fails_costs_its_metric_alone() -> None:
    large = datasets.register("large", lambda folder: make_dataset(folder, size_px=64))
    report = report_on(large, "vmaf", "psnr")
    row_of(report, "psnr")
    [note] = report.result["notes"]
    assert "vmaf was left out" in note and "no such filter: libvmaf" in note


def test_plus_psnr_has_its_row_interval_comparison_and_weights(
    trained: Run, dataset: Dataset, client: Client
) -> None:
    name = f"run:{trained.pk}"
    report = report_on(dataset, "psnr", f"{name}+combined")
    row = row_of(report, f"{name}+combined")
    # Three votes a triplet: the mean over judgments is that over triplets.
    crossed = trained.result["combination"]["cross_validated"]
    assert row["agreement"] == pytest.approx(crossed["with"])
    assert row["low"] <= row["agreement"] <= row["high"]
    assert row["label"] == f"alex + psnr, lin, {str(trained.pk)[:4]}, 3-fold"
    weight = trained.result["combination"]["weights"][1]
    assert f"PSNR (RGB) {weight:.4g}" in row["note"] and "cross-validated" in row["note"]
    # What it departs from follows unasked: itself alone, and the untouched backbone.
    assert row_of(report, name)["agreement"] == pytest.approx(crossed["without"])
    compared = {(found["name"], found["against"]) for found in report.result["differences"]["rows"]}
    assert (f"{name}+combined", name) in compared and (name, "lpips-alex") in compared
    client.force_login(make_ada())
    said = text_of(client.get(reverse("report", args=[report.pk])))
    assert row["note"] in said and row["label"] in said


def test_the_combination_brings_its_own_probability(trained: Run, dataset: Dataset) -> None:
    name = f"run:{trained.pk}"
    report = report_on(dataset, f"{name}+combined")
    found = {row["name"]: row for row in report.result["calibration"]["metrics"]}
    assert found[f"{name}+combined"]["head"] == "own" and found[name]["head"] == "fitted"
    stored = pd.read_parquet(trained.folder / "out_of_fold.parquet").set_index("triplet_id")
    votes = datasets.frozen(dataset).votes().set_index("triplet_id")
    p = expit(stored.loc[votes.index, "combined_logit"])
    chosen = votes["k_second"] * np.log(p) + (votes["n"] - votes["k_second"]) * np.log(1 - p)
    wanted = -chosen.sum() / votes["n"].sum()
    assert found[f"{name}+combined"]["nll"]["value"] == pytest.approx(wanted)


def test_held_out_sources_are_scored_by_the_combination_itself(
    trained: Run, dataset: Dataset
) -> None:
    name = f"run:{trained.pk}+combined"
    report = report_on(dataset, name, sources="test")
    wanted = trained.result["combination"]["heldout"]["with"]
    assert row_of(report, name)["agreement"] == pytest.approx(wanted)
    assert {row["head"] for row in report.result["calibration"]["metrics"]} == {"own", "fitted"}


def test_the_conclusion_says_each_training_beside_its_untouched_backbone(
    trained: Run, dataset: Dataset
) -> None:
    report = report_on(dataset, "psnr", f"run:{trained.pk}")
    [found] = [
        row for row in report.result["differences"]["rows"] if row["against"] == "lpips-alex"
    ]
    assert found["p_adjusted"] is None or found["p_adjusted"] >= found["p_value"]
    said = conclusion(report.result)
    label = row_of(report, f"run:{trained.pk}")["label"]
    verb = "agrees more often than" if found["is_different"] else "is not told from"
    assert f"{label.capitalize()} {verb} LPIPS (AlexNet):" in said
    assert f"{100 * found['difference']:+.1f} points" in said


def test_a_training_by_the_small_data_preset_says_that_its_settings_were_chosen(
    trained: Run, dataset: Dataset
) -> None:
    report = report_on(dataset, f"run:{trained.pk}")
    assert any("human_jpeg_pairs" in note for note in report.result["notes"])


def make_crossed(dataset: Dataset, **settings: Any) -> Run:
    """A finished training that finds the first image closer, whatever it saw."""
    config = TrainMetricConfig(folds=2, **settings)
    run = runs.create("train_metric", config, title="Training", dataset=dataset)
    Run.objects.filter(pk=run.pk).update(state=Run.State.DONE)
    run.folder.mkdir(parents=True)
    ids = datasets.frozen(dataset).triplets["triplet_id"]
    pd.DataFrame({"triplet_id": ids, "d_first": 1.0, "d_second": 2.0}).to_parquet(
        run.folder / "out_of_fold.parquet"
    )
    return run


@pytest.mark.parametrize("mode", ["lin", "tune"])
def test_trainings_of_another_mode_have_another_label(dataset: Dataset, mode: str) -> None:
    run = make_crossed(dataset, mode=mode)
    report = report_on(dataset, f"run:{run.pk}")
    assert row_of(report, f"run:{run.pk}")["label"] == f"alex, {mode}, {str(run.pk)[:4]}, 2-fold"
    assert not any("human_jpeg_pairs" in note for note in report.result["notes"])
    lost = report_on(dataset, f"run:{run.pk}+combined")
    assert "was trained alone" in lost.error


def test_rounded_weights_are_labelled_and_their_scores_kept_apart(
    dataset: Dataset, settings: Any, shared_data: Callable[[str], Path], triad_home: Path
) -> None:
    beside = shared_data("").parent / "weights"
    if not (beside / "squeezenet1_1_tv_fp16.npz").is_file():
        pytest.skip("the rounded SqueezeNet lies in no folder here")
    settings.TRIAD_WEIGHTS = str(beside)
    report = report_on(dataset, "lpips-squeeze")
    row = row_of(report, "lpips-squeeze")
    assert row["label"] == "LPIPS (SqueezeNet), fp16" and "rounded to 16 bits" in row["note"]
    [kept] = (triad_home / "scores" / str(dataset.pk)).iterdir()
    entry = METRICS["lpips-squeeze"]
    assert kept.stem == f"lpips-squeeze-{weights_key(entry)}" and "f414890c" in kept.stem
    assert version_here(entry) == "1-fp16"


def test_a_training_on_a_rounded_trunk_says_so(dataset: Dataset) -> None:
    run = make_crossed(dataset, backbone="squeeze")
    [file] = [file for file in WEIGHTS["squeezenet1_1"].files if file.is_rounded]
    facts = {"weights": "squeezenet1_1", "weights_sha256": file.sha256}
    (run.folder / "config.json").write_text(json.dumps(facts))
    report = report_on(dataset, f"run:{run.pk}")
    assert "rounded to 16 bits" in row_of(report, f"run:{run.pk}")["note"]


def test_the_command_ends_with_the_conclusion(dataset: Dataset) -> None:
    out = io.StringIO()
    call_command("agreement", dataset=dataset.name, metrics=["psnr", "ssim"], stdout=out)
    report = Run.objects.get(kind="agreement")
    assert conclusion(report.result) in out.getvalue()


def test_a_report_tells_what_each_metric_is(dataset: Dataset) -> None:
    report = report_on(dataset, "psnr", "ssim")
    row = row_of(report, "psnr")
    entry = METRICS["psnr"]
    assert (row["version"], row["definition"]) == (entry.version, entry.definition)
    assert (row["range_low"], row["range_high"]) == (0.0, 100.0)
    table = pd.read_csv(report.folder / "report.csv", dtype={"version": str})
    written = table[(table["by"] == "all") & (table["name"] == "psnr")].iloc[0]
    assert (written["version"], written["range_high"]) == (entry.version, 100.0)
    json.loads((report.folder / "report.json").read_text())
