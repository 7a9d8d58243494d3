"""Every command answers in JSON where asked, and refuses bad input in one sentence."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from annotation.models import Judgment, Study
from codecs_eval.models import Dataset, Run
from tests.annotation.test_importing import GOOD, make_folder
from tests.factories import (
    make_judgments,
    make_ladder,
    make_reconstruction,
    make_session,
    make_source,
    make_study,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]


def told(command: str, *arguments: Any) -> dict[str, Any]:
    """What the command prints under --json: one JSON object and nothing else."""
    out = io.StringIO()
    call_command(command, *[str(argument) for argument in arguments], "--json", stdout=out)
    found = json.loads(out.getvalue())
    assert isinstance(found, dict)
    return found


def refusal(command: str, *arguments: Any) -> str:
    """The one sentence with which a command refuses; it stands on one line."""
    with pytest.raises(CommandError) as refused:
        call_command(command, *[str(argument) for argument in arguments], stdout=io.StringIO())
    sentence = str(refused.value)
    assert sentence
    assert "\n" not in sentence
    assert "Traceback" not in sentence
    return sentence


# create_study


def test_create_study_tells_what_it_made() -> None:
    make_ladder("kodak", n_sources=3)
    assert told("create_study", "--slug", "which", "--collection", "kodak", "--rates", 0.5) == {
        "study": "which", "state": "draft", "n_triplets": 3, "left_out": {},
        "is_simulated": False, "url": "/s/which/", "n_checks": {}, "preset": "",
    }  # fmt: skip
    assert Study.objects.get().codecs == ["jpeg", "webp"]


def test_create_study_opens_it_where_asked_and_marks_a_simulated_one() -> None:
    make_ladder("kodak")
    found = told(
        "create_study", "--slug", "dry", "--collection", "kodak", "--rates", 0.5, "--simulated",
        "--open", "--codecs", "jpeg", "webp",
    )  # fmt: skip
    assert (found["state"], found["is_simulated"], found["url"]) == ("open", True, None)
    assert Study.objects.get().is_frozen


def test_create_study_leaves_out_what_missed_its_rate() -> None:
    for source in make_ladder("kodak", n_sources=2):
        make_reconstruction(source, "avif", state="nearest", bpp=0.7)
    found = told(
        "create_study", "--slug", "which", "--collection", "kodak", "--rates", 0.5,
        "--codecs", "avif", "jpeg", "webp",
    )  # fmt: skip
    assert (found["n_triplets"], found["left_out"]) == (2, {"state nearest": 2})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--collection", "ghost", "--codecs", "jpeg", "webp"], "'ghost'"),
        (["--collection", "ghost"], "ghost"),
        (["--collection", "bare"], "bare"),
        (["--collection", "kodak", "--codecs", "jpeg"], "at least two"),
        (["--collection", "kodak", "--codecs", "jpeg", "gif"], "gif"),
        (["--collection", "kodak", "--rates", "0"], "bits per pixel"),
        (["--collection", "kodak", "--rates", "0.9"], "encode_ladder"),
        (["--collection", "kodak", "--rates", "fast"], "fast"),
        (["--collection", "kodak", "--crop", "oval"], "oval"),
        (["--collection", "kodak", "--rates", "0.5", "--crop-px", "1"], "crop_px=1"),
        (["--collection", "kodak", "--rates", "0.5", "--seed", "-4"], "seed=-4"),
        (["--collection", "kodak", "--rates", "0.5", "--slug", "two words"], "two words"),
        (["--collection", "kodak", "--rates", "0.5", "--slug", "taken"], "'taken' exists"),
        ([], "--collection"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_create_study_refuses_in_one_sentence(arguments: list[str], said: str) -> None:
    make_ladder("kodak")
    make_source("bare")
    make_study("taken", collection="kodak")
    assert said in refusal("create_study", "--slug", "which", *arguments)
    assert Study.objects.count() == 1


# simulate


def test_simulate_tells_how_much_it_made_and_that_it_is_simulated() -> None:
    make_study(is_simulated=True)
    assert told("simulate", "--study", "which", "--observers", 2) == {
        "study": "which", "is_simulated": True, "n_observers": 2, "n_judgments": 4,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--study", "ghost"], "ghost"),
        (["--study", "people"], "is for people"),
        (["--study", "dry", "--observers", "0"], "at least 1"),
        (["--study", "dry", "--seed", "-1"], "seed"),
        (["--study", "draft"], "is draft"),
        ([], "--study"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_simulate_refuses_in_one_sentence(arguments: list[str], said: str) -> None:
    make_study("people", collection="kodak")
    make_study("dry", collection="kodak", is_simulated=True)
    make_study("draft", collection="kodak", is_simulated=True, state="draft")
    assert said in refusal("simulate", *arguments)
    assert not Judgment.objects.exists()


# freeze_dataset


@pytest.mark.django_db(transaction=True)
def test_freeze_dataset_tells_the_run_and_the_dataset() -> None:
    make_judgments(make_session(make_study()), 2)
    found = told("freeze_dataset", "--study", "which", "--name", "first", "--test-share", 0.5)
    dataset = Dataset.objects.get()
    assert found == {
        "run": str(Run.objects.get().pk), "state": "done",
        "dataset": str(dataset.pk), "name": "first", "judgments": 2,
    }  # fmt: skip


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--study", "ghost"], "ghost"),
        (["--study", "empty"], "no judgment to freeze"),
        (["--study", "which", "--test-share", "2"], "test share"),
        (["--study", "which", "--name", "taken"], "never changes"),
        ([], "--study"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_freeze_dataset_refuses_in_one_sentence(arguments: list[str], said: str) -> None:
    make_study("empty")
    make_judgments(make_session(make_study()), 2)
    told("freeze_dataset", "--study", "which", "--name", "taken")
    assert said in refusal("freeze_dataset", *arguments)
    assert Dataset.objects.count() == 1


# import_judgments


def test_import_judgments_tells_what_went_in_and_what_did_not(tmp_path: Path) -> None:
    folder = make_folder(
        tmp_path / "in", GOOD, {**GOOD, "original": "dog"}, {**GOOD, "original": "ghost"}
    )
    found = told("import_judgments", folder, "--format", "pairs", "--name", "outside")
    assert found == {
        "dataset": str(Dataset.objects.get().pk), "name": "outside", "accepted": 2,
        "refused": [{"line": 4, "reason": "no file originals/ghost.*"}],
        "n_sources": 2, "n_triplets": 2, "n_judgments": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ghost", "--format", "pairs", "--name", "x"], "not a folder"),
        (["empty", "--format", "pairs", "--name", "x"], "answers.csv is missing"),
        (["in", "--format", "tables", "--name", "x"], "tables"),
        (["in", "--format", "pairs"], "--name"),
        (["in", "--format", "pairs", "--name", ""], "name"),
        (["in", "--format", "pairs", "--name", "x", "--test-share", "0"], "share"),
        (["in", "--format", "pairs", "--name", "x", "--seed", "-1"], "seed"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_import_judgments_refuses_in_one_sentence(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    make_folder(tmp_path / "in", GOOD, {**GOOD, "original": "dog"})
    (tmp_path / "empty").mkdir()
    folder, *rest = arguments
    assert said in refusal("import_judgments", tmp_path / folder, *rest)
    assert not Dataset.objects.exists()
    assert not list((tmp_path / "datasets").glob("*"))


# export_judgments


def test_export_judgments_writes_a_file_and_tells_how_much(tmp_path: Path) -> None:
    make_judgments(make_session(make_study()), 2)
    path = tmp_path / "out.csv"
    assert told("export_judgments", "--study", "which", "--output", path) == {
        "file": str(path), "n_judgments": 2,
    }  # fmt: skip
    with path.open(newline="", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 2


def test_export_judgments_counts_rows_and_not_lines(tmp_path: Path) -> None:
    make_judgments(make_session(make_study(question="Which\nis closer?")), 2)
    assert told("export_judgments", "--output", tmp_path / "out.csv")["n_judgments"] == 2


def test_export_judgments_writes_to_the_screen_by_default() -> None:
    make_judgments(make_session(make_study()), 2)
    out = io.StringIO()
    call_command("export_judgments", "--study", "which", stdout=out)
    assert len(list(csv.DictReader(io.StringIO(out.getvalue())))) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--study", "ghost"], "ghost"),
        (["--study", "which", "--json"], "--output"),
        (["--study", "which", "--output", "/ghost/out.csv"], "/ghost/out.csv"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_export_judgments_refuses_in_one_sentence(arguments: list[str], said: str) -> None:
    make_study()
    assert said in refusal("export_judgments", *arguments)


# demo


def test_demo_refuses_a_folder_that_is_none_before_it_does_anything(tmp_path: Path) -> None:
    assert "not a folder" in refusal("demo", "--photos", tmp_path / "ghost")


def test_create_study_takes_a_preset_and_what_is_said_besides() -> None:
    make_ladder("kodak", n_sources=3, rates_bpp=(0.2, 0.5, 1.0))
    told_of = told(
        "create_study", "--slug", "which", "--collection", "kodak", "--rates", 0.5,
        "--preset", "cid22", "--n-practice", 2, "--no-allow-not-sure",
    )  # fmt: skip
    assert told_of["preset"] == "cid22, changed"
    assert told_of["n_checks"] == {"practice": 2, "sentinel": 4}
    study = Study.objects.get()
    assert (study.mode, study.n_practice, study.allow_not_sure) == ("toggle_copies", 2, False)
