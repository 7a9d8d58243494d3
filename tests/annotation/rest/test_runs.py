"""Runs by the API: what can be launched, by whom, with which settings; read and cancelled."""

import json
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from annotation.models import Study, StudyMember
from annotation.results_config import StudyResultsConfig
from annotation.running_results import create_results
from codecs_eval.models import Run
from codecs_eval.run_kinds import KINDS
from tests.annotation.rest.asking import Program, make_program
from tests.factories import make_ada, make_ben, make_cleo, make_ladder, make_study, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]
ROOT = Path(__file__).resolve().parents[3]
LADDER = {"kind": "encode_ladder", "config": {"collection": "kodak", "codecs": ["jpeg"]}}


@pytest.fixture
def ada() -> Program:
    return make_program(make_ada())


def test_a_run_is_launched_with_its_own_settings(
    ada: Program, django_capture_on_commit_callbacks: Any
) -> None:
    make_ladder("kodak")
    with django_capture_on_commit_callbacks(execute=True):
        reply = ada.post("/runs", LADDER)
    assert reply.status_code == 201
    run = Run.objects.get(pk=reply.json()["id"])
    assert (run.kind, run.state, run.title) == ("encode_ladder", "queued", "Encode a ladder")
    assert run.config["codecs"] == ["jpeg"]
    assert run.config["tolerance"] == 0.02
    assert run.created_by is not None
    assert run.created_by.username == "ada"
    assert run.sent_at is not None


@pytest.mark.parametrize(
    ("sent", "status", "expected"),
    [
        ({"kind": "mine_bitcoin"}, 422, "body.kind"),
        ({"kind": "score", "config": {}}, 422, "body.config.collection"),
        ({"kind": "score", "config": {"collection": "k", "metrics": "psnr"}}, 422, "metrics"),
        ({"kind": "score", "config": {"collection": "k", "colour": 1}}, 422, "colour"),
        ({"kind": "agreement", "config": {"scores": ["/etc/passwd:x:higher"]}}, 422, "scores"),
        (
            {
                "kind": "downstream",
                "config": {"collection": "k", "codecs": ["jpeg"], "annotations": "/etc/passwd"},
            },
            422,
            "annotations",
        ),
        ({"kind": "agreement", "config": {}}, 409, "dataset"),
        ({"kind": "agreement", "dataset": str(uuid.UUID(int=7))}, 409, "dataset"),
        ({**LADDER, "dataset": str(uuid.UUID(int=7))}, 422, "needs no dataset"),
        ({"kind": "freeze_dataset", "config": {"study": "ghost"}}, 404, "ghost"),
        ({"kind": "train_codec", "config": {"collection": "nowhere"}}, 409, "nowhere"),
    ],
)
def test_a_run_that_cannot_be_is_refused_and_nothing_is_queued(
    ada: Program, sent: dict[str, Any], status: int, expected: str
) -> None:
    reply = ada.post("/runs", sent)
    assert reply.status_code == status
    assert expected in reply.json()["detail"]
    assert not Run.objects.exists()


def test_a_run_on_simulated_answers_says_so(ada: Program) -> None:
    make_study(is_simulated=True)
    sent = {"kind": "freeze_dataset", "config": {"study": "which"}}
    assert ada.post("/runs", sent).json()["is_simulated"] is True


def test_who_is_no_researcher_launches_nothing_but_on_a_study_of_theirs() -> None:
    study = make_study()
    cleo = make_cleo()
    program = make_program(cleo)
    sent = {"kind": "study_results", "config": {"study": "which"}}
    assert program.post("/runs", LADDER).status_code == 403
    assert program.post("/runs", sent).status_code == 404
    part = StudyMember.objects.create(study=study, user=cleo, role="viewer")
    assert program.post("/runs", sent).status_code == 403
    part.role = "researcher"
    part.save()
    made = program.post("/runs", sent)
    assert made.status_code == 201
    assert program.get(f"/runs/{made.json()['id']}").status_code == 200
    assert program.post("/runs", LADDER).status_code == 403


def test_runs_about_anothers_study_are_not_found(ada: Program) -> None:
    study = make_study()
    StudyMember.objects.create(study=study, user=make_ben(), role="owner")
    hidden = Run.objects.create(kind="study_results", title="R", config={"study": "which"})
    shown = Run.objects.create(kind="score", title="S", config={"collection": "kodak"})
    assert [row["id"] for row in ada.get("/runs").json()["items"]] == [str(shown.pk)]
    assert ada.get(f"/runs/{hidden.pk}").status_code == 404
    assert ada.post(f"/runs/{hidden.pk}/cancel").status_code == 404


def test_runs_are_told_by_kind_and_state_the_newest_first(ada: Program) -> None:
    for index in range(3):
        Run.objects.create(kind="score", title=f"S{index}", state="done")
    Run.objects.create(kind="saliency", title="other", state="done")
    Run.objects.create(kind="score", title="waits")
    first = ada.get("/runs?kind=score&state=done&limit=2").json()
    rest = ada.get(f"/runs?kind=score&state=done&limit=2&cursor={first['next']}").json()
    assert [row["title"] for row in first["items"] + rest["items"]] == ["S2", "S1", "S0"]


def test_a_run_tells_its_result_or_its_error_and_never_the_code_around_it(ada: Program) -> None:
    run = Run.objects.create(
        kind="score", title="S", state="failed", error="No photo.", traceback="File x, line 1"
    )
    reply = ada.get(f"/runs/{run.pk}")
    assert reply.json()["error"] == "No photo."
    assert "line 1" not in reply.content.decode()


def test_a_waiting_run_is_cancelled_once(ada: Program) -> None:
    run = Run.objects.create(kind="score", title="S")
    assert ada.post(f"/runs/{run.pk}/cancel").json()["state"] == "cancelled"
    again = ada.post(f"/runs/{run.pk}/cancel")
    assert (again.status_code, "cancelled" in again.json()["detail"]) == (409, True)


def test_every_kind_explains_its_settings(ada: Program) -> None:
    kinds = {row["kind"]: row for row in ada.get("/run-kinds").json()}
    assert set(kinds) == set(KINDS)
    tolerance = kinds["encode_ladder"]["config"]["properties"]["tolerance"]
    assert tolerance["default"] == 0.02
    assert "share of its target" in tolerance["description"]
    assert "scores" not in kinds["agreement"]["config"]["properties"]
    assert kinds["train_metric"]["needs_dataset"] is True


def test_to_read_all_settings_the_web_process_loads_no_heavy_library() -> None:
    code = (
        "import django, json, sys; django.setup()\n"
        "from annotation import rest_runs\n"
        "from codecs_eval.run_kinds import KINDS\n"
        "for kind in KINDS: rest_runs._schema_of(kind)\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert set(json.loads(done.stdout)) & {"torch", "torchvision", "lpips", "onnxruntime"} == set()


def test_codecs_and_metrics_are_told_with_what_they_mean(ada: Program) -> None:
    codecs = {row["name"]: row for row in ada.get("/codecs").json()}
    metrics = {row["name"]: row for row in ada.get("/metrics").json()}
    assert codecs["jpeg"]["is_available"] is True
    assert metrics["psnr"]["higher_is_better"] is True
    assert "dB" in metrics["psnr"]["definition"]


def test_a_viewer_reads_a_studys_run_and_does_not_cancel_it() -> None:
    study, ben = make_study(), make_user("ben")
    StudyMember.objects.create(study=study, user=ben, role="viewer")
    run = create_results(study, StudyResultsConfig(study=study.slug))
    program = make_program(ben)
    assert program.get(f"/runs/{run.pk}").status_code == 200
    assert program.post(f"/runs/{run.pk}/cancel").status_code == 403
    run.refresh_from_db()
    assert run.state == "queued"


def test_an_import_is_about_no_study_that_is_here(ada: Program) -> None:
    make_study("foo")
    run = Run.objects.create(
        kind="import_judgments", title="Theirs", config={"path": "x.csv", "study": "foo"}
    )
    assert ada.get(f"/runs/{run.pk}").status_code == 200
    ben = make_user("ben")
    StudyMember.objects.create(study=Study.objects.get(slug="foo"), user=ben, role="viewer")
    assert make_program(ben).get(f"/runs/{run.pk}").status_code == 404
