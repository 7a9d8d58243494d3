"""Studies by the API: made, opened, watched, read to the last triplet; and their results."""

from typing import Any

import pytest

from annotation import designing
from annotation.models import Study
from annotation.results_config import StudyResultsConfig
from annotation.running_results import create_results
from codecs_eval.models import Run
from tests.annotation.rest.asking import Program, make_program
from tests.factories import make_ada, make_judgments, make_ladder, make_session, make_study

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]

DESIGN = {
    "title": "Which is closer?",
    "slug": "fresh",
    "collection": "kodak",
    "codecs": ["jpeg", "webp"],
    "rates_bpp": [0.5],
    "crop_px": 64,
}


@pytest.fixture
def ada() -> Program:
    return make_program(make_ada())


def test_a_study_is_made_opened_and_paused(ada: Program) -> None:
    make_ladder("kodak", n_sources=3)
    made = ada.post("/studies", DESIGN)
    assert made.status_code == 201
    assert made.json()["state"] == "draft"
    assert made.json()["role"] == "owner"
    assert made.json()["n_triplets"]["main"] == 3
    assert made.json()["settings"]["crop_px"] == 64
    for state in ("open", "paused"):
        assert ada.post("/studies/fresh/state", {"state": state}).json()["state"] == state
    study = Study.objects.get(slug="fresh")
    assert (study.state, study.created_by.username) == ("paused", "ada")


def test_a_preset_fills_what_the_body_does_not_say(ada: Program) -> None:
    make_ladder("kodak")
    said = {**DESIGN, "preset": "bapps", "session_length": 7}
    made = ada.post("/studies", said).json()
    kept = designing.Design.of_preset("bapps", **_as_tuples(DESIGN))
    assert made["settings"]["crop"] == kept.crop != designing.Design(**_as_tuples(DESIGN)).crop
    assert made["settings"]["session_length"] == 7


def _as_tuples(said: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(v) if isinstance(v, list) else v for key, v in said.items()}


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"rates_bpp": [0.0]}, "bits per pixel > 0"),
        ({"codecs": ["jpeg", "jpeg"]}, "at least two"),
        ({"codecs": ["jpeg", "gif"]}, "gif"),
        ({"crop_px": "64"}, "body.crop_px"),
        ({"crop": "corner"}, "body.crop"),
        ({"n_warm_up": 30}, "fewer"),
        ({"sentinel_share": 0.9, "repeat_share": 0.9}, "half of a session"),
        ({"colour": "red"}, "body.colour"),
    ],
)
def test_a_design_that_cannot_be_is_refused_and_nothing_is_made(
    ada: Program, wrong: dict[str, Any], expected: str
) -> None:
    make_ladder("kodak")
    reply = ada.post("/studies", {**DESIGN, **wrong})
    assert reply.status_code == 422
    assert expected in reply.json()["detail"]
    assert not Study.objects.exists()


def test_what_cannot_be_as_things_stand_is_a_conflict(ada: Program) -> None:
    assert "import photos first" in ada.post("/studies", DESIGN).json()["detail"]
    make_ladder("kodak")
    assert ada.post("/studies", DESIGN).status_code == 201
    again = ada.post("/studies", DESIGN)
    assert (again.status_code, "exists" in again.json()["detail"]) == (409, True)
    early = ada.post("/studies/fresh/state", {"state": "paused"})
    assert (early.status_code, early.json()["detail"]) == (
        409, "A study that is draft cannot become paused.",
    )  # fmt: skip


def test_progress_tells_what_is_judged_and_what_is_missing(ada: Program) -> None:
    study = make_study(judgments_per_triplet=2)
    session = make_session(study)
    make_judgments(session, 1, "left")
    make_judgments(session, 1, "right")
    make_session(study, state="finished")
    told = ada.get("/studies/which/progress").json()
    assert told == {
        "state": "open", "is_simulated": False,
        "n_triplets": 2, "n_wanted": 4, "n_judged": 2, "n_missing": 2, "share_done": 0.5,
        "n_sessions": 2, "n_finished": 1, "n_annotators": 2, "n_left": 1, "n_right": 1,
        "median_response_ms": 1500.0,
        "cells": [{"target_bpp": 0.5, "n_triplets": 2, "n_touched": 2, "n_judgments": 2}],
    }  # fmt: skip


def test_a_judgment_too_many_on_one_triplet_fills_no_other(ada: Program) -> None:
    study = make_study(judgments_per_triplet=1)
    first = study.triplets.first()
    assert first is not None
    study.triplets.filter(pk=first.pk).update(n_judged=2)
    told = ada.get("/studies/which/progress").json()
    assert (told["n_judged"], told["n_wanted"], told["n_missing"]) == (2, 2, 1)
    assert told["share_done"] == 0.5


def test_progress_of_an_empty_draft_is_none(ada: Program) -> None:
    make_study(state="draft", n_sources=1).triplets.all().delete()
    told = ada.get("/studies/which/progress").json()
    assert (told["share_done"], told["median_response_ms"], told["cells"]) == (0.0, None, [])


def test_every_triplet_comes_once_however_long_the_pages(ada: Program) -> None:
    study = make_study(n_sources=7)
    whole = ada.get("/studies/which/triplets").json()
    assert whole["next"] is None
    found, cursor = [], ""
    while cursor is not None:
        query = f"?limit=3&cursor={cursor}" if cursor else "?limit=3"
        page = ada.get(f"/studies/which/triplets{query}").json()
        found += page["items"]
        cursor = page["next"]
    assert found == whole["items"]
    assert {row["id"] for row in found} == set(study.triplets.values_list("pk", flat=True))
    assert found[0]["first"] == {"codec": "jpeg", "bpp": 0.5, "state": "hit"}


def test_a_full_last_page_promises_no_other(ada: Program) -> None:
    make_study(n_sources=3)
    assert ada.get("/studies/which/triplets?limit=3").json()["next"] is None


def test_the_newest_study_comes_first(ada: Program) -> None:
    for slug in ("one", "two", "three"):
        make_study(slug)
    first = ada.get("/studies?limit=2").json()
    rest = ada.get(f"/studies?limit=2&cursor={first['next']}").json()
    slugs = [row["slug"] for row in first["items"] + rest["items"]]
    assert slugs == ["three", "two", "one"]


# Results


def results_run(study: Study, **values: Any) -> Run:
    run = create_results(study, StudyResultsConfig(study=study.slug))
    Run.objects.filter(pk=run.pk).update(**values)
    return run


def test_without_a_run_of_results_it_is_said_how_to_launch_one(ada: Program) -> None:
    make_study()
    reply = ada.get("/studies/which/results")
    assert reply.status_code == 404
    assert "study_results" in reply.json()["detail"]


@pytest.mark.parametrize(
    ("state", "error"), [("queued", ""), ("running", ""), ("failed", "no judgment that counts")]
)
def test_results_that_are_not_done_are_a_conflict_that_says_why(
    ada: Program, state: str, error: str
) -> None:
    results_run(make_study(), state=state, error=error)
    reply = ada.get("/studies/which/results")
    assert reply.status_code == 409
    assert state in reply.json()["detail"]
    assert error in reply.json()["detail"]


def test_the_newest_finished_results_are_given(ada: Program) -> None:
    study, other = make_study(is_simulated=True), make_study("other")
    results_run(other, state="done", result={"n": 0})
    results_run(study, state="done", result={"n": 1})
    newest = results_run(study, state="done", result={"n": 2}, finished_at=study.opened_at)
    results_run(study, state="running")
    told = ada.get("/studies/which/results").json()
    assert told["result"] == {"n": 2}
    assert told["run"] == str(newest.pk)
    assert told["is_simulated"] is True
