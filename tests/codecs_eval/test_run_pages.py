"""Run pages: what is new, what went wrong, and what a person may ask of a run."""

from xml.etree import ElementTree

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from codecs_eval.models import Run, RunLine, RunMetric
from codecs_eval.training.config import TrainMetricConfig
from tests.codecs_eval.desk_rows import make_dataset, make_run
from tests.codecs_eval.test_pages import text_of
from tests.factories import make_ada, make_source

pytestmark = pytest.mark.usefixtures("db", "triad_home")


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(make_ada())
    return client


def test_state_json_tells_only_what_is_new(desk: Client) -> None:
    run = make_run("running", progress=0.25, note="epoch 1", started_at=timezone.now())
    first = RunLine.objects.create(run=run, text="began")
    RunLine.objects.create(run=run, text="went on")
    point = RunMetric.objects.create(run=run, step=1, name="train_loss", value=0.7)
    url = reverse("run_state", args=[run.pk])
    whole = desk.get(url).json()
    assert [line["text"] for line in whole["lines"]] == ["began", "went on"]
    assert whole["points"] == [{"id": point.pk, "name": "train_loss", "step": 1, "value": 0.7}]
    assert (whole["state"], whole["progress"], whole["note"]) == ("running", 0.25, "epoch 1")
    news = desk.get(f"{url}?line={first.pk}&point={point.pk}").json()
    assert [line["text"] for line in news["lines"]] == ["went on"] and news["points"] == []
    assert desk.get(f"{url}?line=nonsense").status_code == 200


def test_a_failed_run_says_why_and_what_to_try(desk: Client) -> None:
    run = make_run("failed", error="Found no <weights>.", traceback="Traceback (most recent")
    said = text_of(desk.get(run.get_absolute_url()))
    assert "Found no &lt;weights&gt;." in said and "run it again" in said
    assert "<summary>Traceback</summary>" in said


def test_a_run_of_a_kind_that_is_gone_still_has_its_page(desk: Client) -> None:
    run = make_run("done", kind="forgotten", config={"some_setting": 3}, result={"n_made": 4})
    said = text_of(desk.get(run.get_absolute_url()))
    assert "Some setting" in said and "n made" in said and "Run again" not in said
    desk.post(reverse("run_again", args=[run.pk]))
    assert Run.objects.count() == 1


def test_curves_come_as_figure_and_table(desk: Client) -> None:
    run = make_run("running")
    assert desk.get(reverse("run_curves_svg", args=[run.pk])).status_code == 404
    for step in (1, 2):
        RunMetric.objects.create(run=run, step=step, name="train_loss", value=1 / step)
    figure = desk.get(reverse("run_curves_svg", args=[run.pk])).content
    assert ElementTree.fromstring(figure).tag.endswith("svg")
    table = desk.get(reverse("run_curves_csv", args=[run.pk])).content.decode().splitlines()
    assert table == [
        "name,step,value,is_simulated",
        "train_loss,1,1.0,False",
        "train_loss,2,0.5,False",
    ]


def test_a_training_tells_why_a_report_shows_another_number(desk: Client) -> None:
    run = make_run("done", dataset=make_dataset())
    part = {"trained": 0.8, "untouched": 0.7, "n_triplets": 30, "n_sources": 4}
    result = {
        "heldout": part,
        "n_judgments": 90,
        "n_triplets": 30,
        "seconds": {"features": 1.0, "fits": 2.0},
        "device": "cpu",
    }
    Run.objects.filter(pk=run.pk).update(
        kind="train_metric", config=TrainMetricConfig().to_json(), result=result
    )
    run.refresh_from_db()
    said = text_of(desk.get(run.get_absolute_url()))
    assert "each triplet counts the same" in said
    assert "its column “By triplet” is this one" in said


def test_cancel_and_run_again_are_posts(desk: Client) -> None:
    run = make_run("queued", dataset=make_dataset())
    for name in ("cancel_run", "run_again"):
        assert desk.get(reverse(name, args=[run.pk])).status_code == 405
    desk.post(reverse("cancel_run", args=[run.pk]))
    run.refresh_from_db()
    assert run.state == "cancelled"
    response = desk.post(reverse("run_again", args=[run.pk]))
    again = Run.objects.get(state="queued")
    assert response["Location"] == again.get_absolute_url()
    assert (again.config, again.dataset_id) == (run.config, run.dataset_id)


def test_a_ladder_run_shows_its_parts_and_names_the_photo_that_failed(desk: Client) -> None:
    source = make_source("lakes", "narrow")
    run = make_run("running", kind="encode_ladder", config={"collection": "lakes"})
    run.parts.create(key=f"jpeg:{source.pk}", is_done=True)
    run.parts.create(key=f"vvc:{source.pk}", is_done=True, error="too narrow")
    said = text_of(desk.get(run.get_absolute_url()))
    assert "VVC intra" in said and "narrow" in said and "too narrow" in said
