"""What a trained metric may be judged on, and how it is labelled."""

import shutil
from pathlib import Path

import pytest

from codecs_eval import datasets, reports, runs
from codecs_eval.agreement.dataset import write_dataset
from codecs_eval.models import Dataset, Run
from codecs_eval.reports import AgreementConfig
from codecs_eval.training.config import TrainMetricConfig
from tests.codecs_eval.training.datasets import make_dataset

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
        lambda folder: write_dataset(
            folder,
            name="smaller",
            origin="import:test",
            question="Which is closer?",
            polarity="closer",
            is_simulated=True,
            licence="CC0",
            attribution="",
            filters=[],
            triplets=triplets,
            judgments=frozen.judgments,
            images=pngs,
            seed=8,
        ),
    )


def report_on(dataset: Dataset, *metrics: str, sources: str = "all") -> Run:
    config = AgreementConfig(metrics=metrics, sources=sources)
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
    assert {"report.json", "report.csv", "agreement.svg"} <= written
    assert report.result["part"] == "test"
    assert "SIMULATED" in (report.folder / "agreement.svg").read_text()


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
        reports.trained_run(name)
