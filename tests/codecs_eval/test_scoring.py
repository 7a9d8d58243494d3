"""Reconstructions + metrics -> Score rows, in a run."""

import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from codecs_eval import runs
from codecs_eval.models import Run, Score
from codecs_eval.scoring import ScoreConfig
from tests.codecs_eval.metrics.pictures import make_damaged, make_picture
from tests.factories import make_reconstruction, make_source

# A run renews its lease from a thread of its own, which sees only rows that are committed.
pytestmark = pytest.mark.django_db(transaction=True)


def score(*metrics: str) -> Run:
    run = runs.create("score", ScoreConfig("park", metrics), title="Scores")
    assert runs.claim(run.pk, "ada")
    runs.execute(run.pk, "ada")
    run.refresh_from_db()
    return run


def make_photo(name: str, height: int, width: int) -> None:
    pixels = make_picture(height, width)
    source = make_source("park", name, pixels=pixels)
    make_reconstruction(source, pixels=make_damaged(pixels, 9))


def test_a_metric_that_cannot_take_a_photo_costs_no_other(triad_home: Path) -> None:
    make_photo("large", 161, 170)
    make_photo("small", 64, 64)
    run = score("psnr", "ms-ssim")
    assert (run.state, run.result["n_new"], run.result["n_left_out"]) == ("done", 3, 1)
    [note] = run.result["notes"]
    assert note.startswith("ms-ssim was left out for 1 of 2 photos, such as small: found an image")
    assert sorted(Score.objects.values_list("metric", flat=True)) == ["ms-ssim", "psnr", "psnr"]
    again = score("psnr")
    assert again.result == {"collection": "park", "metrics": ["psnr"], "n_new": 0}


def test_weights_that_cannot_be_had_cost_their_metric_alone(
    triad_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    make_photo("lake", 64, 64)
    run = score("lpips-squeeze", "psnr")
    assert (run.state, run.result["n_new"]) == ("done", 1), run.error
    [note] = run.result["notes"]
    assert note.startswith("lpips-squeeze was left out for 1 of 1 photos")
    assert "weights squeezenet1_1 are missing" in note


def test_a_run_that_can_score_nothing_fails_and_says_why(triad_home: Path) -> None:
    make_photo("small", 64, 64)
    run = score("ms-ssim")
    assert run.state == "failed"
    assert "at least 161 px" in run.error
