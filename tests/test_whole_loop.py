"""Photos in, report and CSV out, by the commands that a researcher types, every part real."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from django.core.management import CommandError, call_command
from PIL import Image
from skimage import data

from tests.codecs_eval.metrics.pretrained import weight_source

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("transactional_db")]


@pytest.fixture
def home(child_env: dict[str, str], settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Commands start processes of their own: they share this test's rows and files."""
    for name in ("DATABASE_URL", "TRIAD_HOME", "SECRET_KEY"):
        monkeypatch.setenv(name, child_env[name])
    settings.TRIAD_WEIGHTS = str(weight_source()("alexnet").parent)
    monkeypatch.setenv("TRIAD_WEIGHTS", settings.TRIAD_WEIGHTS)
    return Path(settings.TRIAD_HOME)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, pixels in {
        "cat": data.chelsea()[40:232, 100:292],
        "cup": data.coffee()[100:292, 200:392],
        "pilot": data.astronaut()[20:212, 140:332],
    }.items():
        Image.fromarray(pixels).save(folder / f"{name}.png")
    return folder


def told(*words: str) -> dict[str, Any]:
    """What a command says with --json."""
    out = StringIO()
    call_command(*words, "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_the_loop_closes_by_commands_alone(home: Path, photos: Path, tmp_path: Path) -> None:
    assert len(told("import_images", str(photos), "--collection=c", "--licence=CC0")) > 0
    ladder = told("encode_ladder", "--collection=c", "--codecs=jpeg,webp,jpeg2000", "--rates", "1")
    assert [cell["n"] for cell in ladder["cells"]] == [3, 3, 3]

    study = told(
        "create_study", "--slug=s", "--collection=c", "--rates", "1", "--crop-px=176",
        "--judgments-per-triplet=4", "--session-length=20", "--simulated", "--open",
    )  # fmt: skip
    assert study["n_triplets"] == 9 and study["is_simulated"] and study["url"] is None
    simulated = told("simulate", "--study=s", "--observers=4")
    assert simulated == {
        "study": "s", "is_simulated": True, "n_observers": 4, "n_judgments": 36,
    }  # fmt: skip

    results = told("study_results", "--study=s", "--metrics", "psnr", "--resamples=100")
    assert results["is_simulated"] is True
    assert results["screened"]["rates"][0]["counts"]["n_judgments"] == 36
    assert [row["name"] for row in results["metrics"]["cells"][0]["metrics"]] == ["psnr"]
    files = {path.name for path in (home / "runs" / results["run"]).iterdir()}
    assert {"SIMULATED-results.json", "SIMULATED-shares.svg", "SIMULATED-pairs.csv"} <= files

    frozen = told("freeze_dataset", "--study=s", "--name=d")
    assert frozen["judgments"] == 36
    trained = told("train_metric", "--dataset=d", "--warm-start", "--folds=3", "--epochs-flat=3")
    assert trained["cross_validated"]["n_triplets"] == 9 and trained["is_simulated"] is True

    metric = f"run:{trained['run']}"
    report = told(
        "agreement", "--dataset=d", "--sources=all", "--metrics", "psnr", "ssim", "ms-ssim",
        "lpips-alex", metric,
    )  # fmt: skip
    assert [row["name"] for row in report["metrics"]] == [
        "psnr", "ssim", "ms-ssim", "lpips-alex", metric,
    ]  # fmt: skip
    assert all(0 <= row["agreement"] <= 1 and row["n_triplets"] == 9 for row in report["metrics"])
    assert report["is_simulated"] is True
    assert report["people"]["unbiased"]["value"] <= report["people"]["plugin"]["value"]
    written = {path.name for path in (home / "runs" / report["run"]).iterdir()}
    assert {"report.json", "report.csv", "agreement.svg"} <= written

    codec = told(
        "train_codec", "--collection=c", "--preset=demo", "--steps=4", "--batch-size=2",
        "--measure-every=4", f"--metric={metric}", "--saliency=spectral-residual",
    )  # fmt: skip
    assert codec["is_finished"] and codec["n_photos"] == 2
    learned = codec["codec"]
    coded = told(
        "encode_ladder", "--collection=c", f"--codecs=jpeg,{learned}", "--rates", "1.2", "2"
    )  # fmt: skip
    assert [cell["n"] for cell in coded["cells"] if cell["codec"] == learned] == [3, 3]
    again = told(
        "create_study", "--slug=next", "--collection=c", f"--codecs=jpeg,{learned}", "--rates",
        "1.2", "2", "--crop-px=176", "--simulated", "--open",
    )  # fmt: skip
    assert again["n_triplets"] > 0

    told("export_judgments", "--study=s", f"--output={tmp_path / 'out.csv'}")
    rows = pd.read_csv(tmp_path / "out.csv")
    assert len(rows) == 36 and set(rows["is_simulated"]) == {1}
    assert set(rows["chosen_codec"]) <= {"jpeg", "webp", "jpeg2000"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["encode_ladder", "--collection=none"], "No photo in collection 'none'"),
        (["create_study", "--slug=s", "--collection=none", "--codecs=jpeg,webp"], "import photos"),
        (["simulate", "--study=none"], "No study"),
        (["freeze_dataset", "--study=none"], "No study is called 'none'"),
        (["study_results", "--study=none"], "No study is called 'none'"),
        (["train_metric", "--dataset=none"], "No dataset is called 'none'"),
        (["agreement", "--dataset=none"], "No dataset is called 'none'"),
        (["export_judgments", "--study=none"], "No study is called 'none'"),
        (["import_judgments", "/nowhere", "--format=pairs", "--name=x"], "/nowhere"),
        (["import_images", "/nowhere", "--collection=c", "--licence=CC0"], "/nowhere"),
    ],
)
def test_bad_input_is_told_in_one_sentence(words: list[str], said: str) -> None:
    with pytest.raises(CommandError) as refused:
        call_command(*words)
    assert said in str(refused.value) and "\n" not in str(refused.value)
