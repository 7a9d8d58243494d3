"""The results tab: what it shows, who computes, what may be taken from it."""

import csv
import hashlib
import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.models import Session, Study, StudyMember
from annotation.result_files import FILES
from annotation.results_config import StudyResultsConfig
from annotation.running_results import create_results
from codecs_eval import runs
from codecs_eval.models import Run
from tests.annotation.results_made import finished_run, prefers, sit
from tests.factories import make_ada, make_ben, make_session, make_study

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]

FORM = {
    "study_results-metrics": ["psnr"],
    "study_results-anchor": "",
    "study_results-resamples": 100,
    "study_results-seed": 1,
}


@pytest.fixture
def ada() -> Client:
    client = Client()
    client.force_login(make_ada())
    return client


def answered(slug: str = "which", **values: Any) -> Study:
    study = make_study(slug, n_sources=2, judgments_per_triplet=99, **values)
    for codecs in [("webp", "jpeg")] * 7 + [("jpeg", "webp")]:
        sit(study, prefers(*codecs))
    return study


def page_of(client: Client, study: Study) -> Any:
    return client.get(reverse("study_results", args=[study.slug]))


def test_without_results_the_page_says_what_to_do(ada: Client) -> None:
    assert "No judgment that counts yet" in page_of(ada, make_study("empty")).content.decode()
    text = page_of(ada, answered()).content.decode()
    assert "Not computed yet" in text and "Compute results" in text


def test_the_page_shows_what_the_run_found(ada: Client) -> None:
    study = answered()
    run = finished_run(study, metrics=("psnr",))
    reply = page_of(ada, study)
    assert reply.context["told"] == run.result
    text = reply.content.decode()
    assert "16 judgments by 8 observers on 2 photos, as screened; no session was excluded" in text
    assert "nothing has changed since" in text
    assert "SIMULATED" not in text
    assert text.count("16 judgments by 8</td>") == 2
    # JPEG, the first codec, against WebP: 2 won, 14 lost.
    assert ">2–14–0<" in text and "87.5" in text
    assert f"{reverse('study_gallery', args=['which'])}?rate=0.5&amp;pair=jpeg,webp" in text


def test_the_page_sets_any_codec_against_the_others(ada: Client) -> None:
    study = answered()
    finished_run(study)
    address = reverse("study_results", args=["which"])
    text = ada.get(address, {"against": "webp"}).content.decode()
    assert ">14–2–0<" in text and "WebP against the others" in text
    assert "JPEG against the others" in ada.get(address, {"against": "ghost"}).content.decode()


def test_why_there_is_no_interval_is_written_out(ada: Client) -> None:
    study = make_study(n_sources=2, judgments_per_triplet=99)
    for _ in range(3):
        sit(study, prefers("webp", "jpeg"))
    finished_run(study)
    text = page_of(ada, study).content.decode()
    assert "Where there is no interval: 3 observers gave answers; expected 5 or more" in text


def test_the_page_says_what_came_since(ada: Client) -> None:
    study = answered()
    finished_run(study)
    sit(study, prefers("jpeg", "webp"))
    assert "2 judgments have come since" in page_of(ada, study).content.decode()
    Session.objects.filter(pk=study.sessions.last().pk).update(verdict="excluded")
    text = page_of(ada, study).content.decode()
    assert "sessions were screened or answers changed since" in text


def test_both_choices_of_sessions_stand_side_by_side(ada: Client) -> None:
    study = answered()
    odd = study.sessions.order_by("started_at").last()
    assert odd is not None
    odd.screenings.create(verdict="excluded", reasons=["answers too fast"], suspicion=0.99)
    Session.objects.filter(pk=odd.pk).update(verdict="excluded")
    finished_run(study)
    text = page_of(ada, study).content.decode()
    assert "as screened" in text and "with everybody" in text
    assert ">0–14–0<" in text and "2–14–0" in text
    assert "answers too fast" in text
    assert reverse("study_session", args=["which", odd.pk]) in text


def test_simulated_results_say_so_on_the_page_and_in_every_file(ada: Client) -> None:
    study = answered(is_simulated=True)
    run = finished_run(study)
    assert all(path.name.startswith("SIMULATED-") for path in run.folder.iterdir())
    text = page_of(ada, study).content.decode()
    assert "<b>SIMULATED:</b>" in text and "simulated observers" in text
    reply = ada.get(reverse("result_file", args=["which", "shares.csv"]), {"download": ""})
    assert 'filename="SIMULATED-which-shares.csv"' in reply["Content-Disposition"]
    assert {row["is_simulated"] for row in rows_of(reply)} == {"1"}
    figure = ada.get(reverse("result_file", args=["which", "shares.svg"]))
    assert b"<svg" in figure.content


def rows_of(reply: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(reply.content.decode())))


def test_the_folder_has_a_manifest_of_every_file() -> None:
    run = finished_run(answered())
    manifest = json.loads((run.folder / "manifest.json").read_text())
    stored = {path.name for path in run.folder.iterdir()} - {"manifest.json"}
    assert set(manifest["files"]) == stored
    for name, sha in manifest["files"].items():
        assert hashlib.sha256((run.folder / name).read_bytes()).hexdigest() == sha


def test_the_tables_hold_the_numbers_of_the_json(ada: Client) -> None:
    run = finished_run(answered(), metrics=("psnr",))
    shares = rows_of(ada.get(reverse("result_file", args=["which", "shares.csv"])))
    told = run.result["screened"]["rates"][0]["codecs"]
    own = [row for row in shares if row["sessions"] == "screened"]
    assert [row["codec"] for row in own] == [row["codec"] for row in told]
    assert [int(row["n_won"]) for row in own] == [row["n_won"] for row in told]
    assert [float(row["share"]) for row in own] == [row["share"]["value"] for row in told]
    metrics = rows_of(ada.get(reverse("result_file", args=["which", "metrics.csv"])))
    assert {row["kind"] for row in metrics} == {"metric", "people"}


@pytest.mark.parametrize("name", [name for name in FILES if name != "joint.svg"])
def test_every_file_can_be_taken(ada: Client, name: str) -> None:
    finished_run(answered(), metrics=("psnr",))
    reply = ada.get(reverse("result_file", args=["which", name]), {"download": ""})
    assert reply.status_code == 200
    assert f'filename="which-{name}"' in reply["Content-Disposition"]
    assert reply["Content-Type"] == FILES[name]


def test_what_is_no_file_of_results_is_not_found(ada: Client) -> None:
    study = answered()
    address = reverse("result_file", args=["which", "shares.csv"])
    assert ada.get(address).status_code == 404
    finished_run(study)
    assert ada.get(address).status_code == 200
    assert ada.get(reverse("result_file", args=["which", "secret.txt"])).status_code == 404


def test_ada_computes_and_a_second_press_starts_nothing(ada: Client) -> None:
    study = answered()
    address = reverse("results_compute", args=["which"])
    ada.post(address, FORM)
    run = Run.objects.get()
    assert (run.kind, run.state, str(run.created_by)) == ("study_results", "queued", "ada")
    assert run.config["metrics"] == ["psnr"]
    reply = ada.post(address, FORM, follow=True)
    assert "computed already" in reply.content.decode()
    assert Run.objects.count() == 1
    text = page_of(ada, study).content.decode()
    assert "waiting for a worker" in text and "study_results" in text
    state = ada.get(reverse("results_state", args=["which"])).json()
    assert state == {
        "run": str(run.pk), "state": "queued", "progress": 0, "note": "", "is_active": True,
    }  # fmt: skip


def test_results_can_be_had_without_any_metric(ada: Client) -> None:
    answered()
    form = {name: value for name, value in FORM.items() if name != "study_results-metrics"}
    ada.post(reverse("results_compute", args=["which"]), form)
    assert Run.objects.get().config["metrics"] == []


def test_a_setting_that_cannot_be_is_told(ada: Client) -> None:
    answered()
    wrong = {**FORM, "study_results-resamples": 3}
    reply = ada.post(reverse("results_compute", args=["which"]), wrong, follow=True)
    assert "Nothing was computed" in reply.content.decode()
    assert not Run.objects.exists()


def test_a_computation_that_failed_is_told_above_the_last_results(ada: Client) -> None:
    study = answered()
    finished_run(study)
    run = create_results(study, StudyResultsConfig(study=study.slug))
    owner = runs.new_owner()
    assert runs.claim(run.pk, owner)
    runs.fail(run.pk, owner, ValueError("no space left"))
    text = page_of(ada, study).content.decode()
    assert "no space left" in text and "16 judgments by 8 observers" in text


def test_a_viewer_reads_and_does_not_compute() -> None:
    study, ben = answered(), make_ben()
    StudyMember.objects.create(study=study, user=ben, role=StudyMember.Role.VIEWER)
    client = Client()
    client.force_login(ben)
    finished_run(study)
    text = page_of(client, study).content.decode()
    assert "16 judgments by 8 observers" in text and "Compute again" not in text
    assert client.get(reverse("result_file", args=["which", "shares.svg"])).status_code == 200
    assert client.post(reverse("results_compute", args=["which"]), FORM).status_code == 403


def test_a_page_of_results_takes_as_many_queries_for_many_rows_as_for_few(ada: Client) -> None:
    few, many = answered(), answered("many", rates_bpp=(0.25, 0.5, 1.0))
    finished_run(few)
    finished_run(many)

    def n_queries(study: Study) -> int:
        with CaptureQueriesContext(connection) as found:
            assert page_of(ada, study).status_code == 200
        return len(found)

    assert n_queries(few) == n_queries(many) <= 14


def test_the_admin_launches_results_of_the_chosen_studies() -> None:
    client = Client()
    client.force_login(make_ada(is_superuser=True))
    study = answered()
    form = {"action": "compute_results", "_selected_action": [study.pk]}
    client.post(reverse("admin:annotation_study_changelist"), form)
    run = Run.objects.get()
    assert (run.kind, run.config["study"]) == ("study_results", "which")


# A run renews its lease from a thread of its own, which sees only rows that are committed.
@pytest.mark.django_db(transaction=True)
def test_the_command_prints_what_the_page_shows(ada: Client) -> None:
    study = answered(title="What is closer?")
    said = io.StringIO()
    call_command(
        "study_results", study="What is closer?", metrics=["psnr"], resamples=100, json=True,
        stdout=said,
    )  # fmt: skip
    told = json.loads(said.getvalue())
    assert told.pop("state") == "done"
    assert told.pop("run") == str(Run.objects.get().pk)
    assert told == page_of(ada, study).context["told"]
    run_page = ada.get(Run.objects.get().get_absolute_url()).content.decode()
    assert reverse("study_results", args=["which"]) in run_page


@pytest.mark.django_db(transaction=True)
def test_the_command_says_who_is_closest_and_that_it_is_simulated() -> None:
    answered(is_simulated=True)
    said = io.StringIO()
    call_command("study_results", study="which", metrics=[], resamples=100, stdout=said)
    assert said.getvalue().startswith("SIMULATED")
    assert "0.5 bpp: closest" in said.getvalue()


def test_a_command_that_cannot_be_is_told() -> None:
    make_session(make_study())
    with pytest.raises(CommandError, match="No study is called 'ghost'"):
        call_command("study_results", study="ghost")
    with pytest.raises(CommandError, match="expected some of"):
        call_command("study_results", study="which", metrics=["beauty"])
