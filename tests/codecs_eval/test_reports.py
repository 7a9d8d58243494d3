"""What a trained metric may be judged on, and how it is labelled."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from codecs_eval import datasets, runs
from codecs_eval.agreement.dataset import FrozenDataset
from codecs_eval.measuring_trained import trained_run
from codecs_eval.models import Dataset, Run
from codecs_eval.reports import AgreementConfig
from codecs_eval.training.config import TrainMetricConfig
from tests.codecs_eval.metrics.pretrained import weight_source
from tests.codecs_eval.training.datasets import make_dataset, write_planted

# A run renews its lease from a thread of its own, which sees only rows that are committed.
pytestmark = pytest.mark.usefixtures("transactional_db", "triad_home")


def make_trained(dataset: Dataset) -> Run:
    """A finished training; its heads are not needed to see that they may not be used."""
    run = runs.create("train_metric", TrainMetricConfig(), title="Training", dataset=dataset)
    Run.objects.filter(pk=run.pk).update(state=Run.State.DONE)
    run.refresh_from_db()
    return run


def other_crops_of(dataset: Dataset, tmp_path: Path) -> Dataset:
    """The same photos under another name, with other pixels shown and another split."""
    frozen = make_dataset(tmp_path / "smaller", size_px=36)
    triplets = frozen.triplets.assign(
        source="renamed-" + frozen.triplets["source"],
        source_sha256=list(datasets.frozen(dataset).triplets["source_sha256"]),
    )
    pngs = {path.stem: path.read_bytes() for path in (frozen.folder / "images").iterdir()}
    shutil.rmtree(frozen.folder)
    return datasets.register(
        "smaller",
        lambda folder: write_planted(folder, "smaller", triplets, frozen.judgments, pngs, seed=8),
    )


def report_on(dataset: Dataset, *metrics: str, sources: str = "all", **settings: str) -> Run:
    config = AgreementConfig(metrics=metrics, sources=sources, **settings)
    run = runs.create("agreement", config, title="Report", dataset=dataset)
    assert runs.claim(run.pk, "ada")
    runs.execute(run.pk, "ada")
    run.refresh_from_db()
    return run


def test_a_metric_is_not_judged_on_photos_that_it_learned_from_in_another_crop(
    tmp_path: Path,
) -> None:
    learned_from = datasets.register("planted", make_dataset)
    trained = make_trained(learned_from)
    report = report_on(other_crops_of(learned_from, tmp_path), "psnr", f"run:{trained.pk}")
    assert report.state == "done", report.error
    assert [row["name"] for row in report.result["metrics"]] == ["psnr"]
    (note,) = report.result["notes"]
    assert "left out" in note and "of the 6 photos" in note


def test_a_metric_without_folds_is_not_judged_on_all_sources_of_its_own_dataset() -> None:
    dataset = datasets.register("planted", make_dataset)
    report = report_on(dataset, f"run:{make_trained(dataset).pk}")
    assert report.state == "failed"
    assert "Train with folds" in report.error


def test_a_metric_that_cannot_take_the_images_does_not_cost_the_others() -> None:
    report = report_on(datasets.register("planted", make_dataset), "psnr", "ms-ssim")
    assert [row["name"] for row in report.result["metrics"]] == ["psnr"]
    assert "161 px" in report.result["notes"][0]


def test_a_report_writes_its_numbers_and_figures() -> None:
    report = report_on(datasets.register("planted", make_dataset), "psnr", "ssim", sources="test")
    written = {path.name for path in report.folder.iterdir()}
    tables = {"report.csv", "table.tex", "table.md", "differences.csv", "calibration.csv"}
    assert {"report.json", *tables, "agreement.svg", "reliability.svg"} <= written
    assert report.result["part"] == "test"
    assert "held_out.csv" not in written
    for name in ("agreement.svg", "reliability.svg", "table.tex", "table.md"):
        assert "SIMULATED" in (report.folder / name).read_text(), name
    for name in ("report.csv", "differences.csv", "calibration.csv"):
        assert pd.read_csv(report.folder / name)["is_simulated"].all(), name


def test_metrics_are_compared_with_the_one_that_was_chosen_or_in_every_pair() -> None:
    dataset = datasets.register("planted", make_dataset)
    names = ("psnr", "ssim", "psnr-y")
    chosen = report_on(dataset, *names, reference="ssim").result["differences"]
    assert chosen["reference"] == "ssim"
    assert [row["name"] for row in chosen["rows"]] == ["psnr", "psnr-y"]
    every = report_on(dataset, *names, reference="pairs").result["differences"]
    assert every["reference"] is None and every["n_compared"] == 3
    with pytest.raises(ValueError, match="'vmaf' to compare with"):
        AgreementConfig(metrics=names, reference="vmaf")


def test_a_reference_that_was_left_out_gives_way_to_the_first_and_says_so() -> None:
    dataset = datasets.register("planted", make_dataset)
    report = report_on(dataset, "psnr", "ssim", "ms-ssim", reference="ms-ssim")
    assert report.result["differences"]["reference"] == "psnr"
    assert any("compared with instead" in note for note in report.result["notes"])


def of_four_codecs(folder: Path) -> FrozenDataset:
    """The planted dataset, each strength of its noise called a codec and a rate."""
    frozen = make_dataset(folder.with_name("planted-before"))
    triplets = frozen.triplets.copy()
    for side in ("first", "second"):
        strength = triplets[f"{side}_settings"].map(lambda text: json.loads(text)["strength"])
        triplets[f"{side}_codec"] = [f"noise{value:g}" for value in strength]
        triplets[f"{side}_target_bpp"] = 1 / strength
    pngs = {path.stem: path.read_bytes() for path in (frozen.folder / "images").iterdir()}
    return write_planted(folder, "four codecs", triplets, frozen.judgments, pngs, seed=3)


def test_heads_are_held_out_by_codec_and_rate_in_the_report(
    triad_home: Path,
) -> None:
    (triad_home / "weights").mkdir()
    shutil.copy(weight_source()("alexnet"), triad_home / "weights")
    dataset = datasets.register("four", of_four_codecs)
    report = report_on(dataset, "psnr", hold_out="both")
    assert report.state == "done", report.error
    (note,) = report.result["notes"]
    assert "human_jpeg_pairs" in note
    (training,) = report.result["held_out"]
    assert training["label"] == "Heads by the small-data recipe"
    assert training["n_folds"] == 5
    labels = [row["label"] for row in training["rows"]]
    assert labels[:4] == ["noise20", "noise3", "noise45", "noise9"] and len(labels) == 8
    for row in training["rows"]:
        assert (row["n_triplets"], row["n_sources"]) == (18, 6)
        assert 0.5 < row["unmet"]["value"] <= 1.0
    stored = pd.read_csv(report.folder / "held_out.csv")
    assert len(stored) == 8 and stored["is_simulated"].all()


def test_one_codec_alone_cannot_be_held_out_and_the_table_says_why(triad_home: Path) -> None:
    (triad_home / "weights").mkdir()
    shutil.copy(weight_source()("alexnet"), triad_home / "weights")
    gone = "run:00000000-0000-0000-0000-000000000000"
    report = report_on(datasets.register("planted", make_dataset), "psnr", gone, hold_out="codecs")
    assert f"{gone} was left out: No training run" in report.result["notes"][0]
    (row,) = report.result["held_out"][0]["rows"]
    assert row["unmet"] is None
    assert row["reason"] == "every triplet touches it: none is left to train on"


def test_what_cannot_be_held_out_is_refused() -> None:
    with pytest.raises(ValueError, match="hold out 'photos'"):
        AgreementConfig(hold_out="photos")


def test_scores_are_computed_once_for_a_dataset(triad_home: Path) -> None:
    dataset = datasets.register("planted", make_dataset)
    report_on(dataset, "psnr")
    (kept,) = (triad_home / "scores" / str(dataset.pk)).iterdir()
    before = kept.stat().st_mtime_ns
    report_on(dataset, "psnr")
    assert kept.stat().st_mtime_ns == before


@pytest.mark.parametrize("name", ["run:nonsense", "run:00000000-0000-0000-0000-000000000000"])
def test_a_training_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(ValueError, match="No training run"):
        trained_run(name)
