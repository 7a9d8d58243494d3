"""Trainings side by side: what differs, what each scores, under an address that can be sent on."""

from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client
from django.urls import reverse

from codecs_eval import runs
from codecs_eval.models import Dataset, Run, RunMetric
from codecs_eval.training.config import TrainMetricConfig
from tests.codecs_eval.desk_rows import make_dataset, make_run
from tests.codecs_eval.test_pages import text_of
from tests.factories import make_ada, make_cleo

pytestmark = pytest.mark.usefixtures("db", "triad_home")


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(make_ada())
    return client


def make_training(
    dataset: Dataset, trained: float | None = None, title: str = "Metric", **settings: Any
) -> Run:
    """Done with that held-out agreement and a curve; queued where none is given."""
    run = runs.create("train_metric", TrainMetricConfig(**settings), title=title, dataset=dataset)
    if trained is not None:
        part = {"trained": trained, "untouched": 0.7, "n_triplets": 30, "n_sources": 4}
        run.state, run.result = Run.State.DONE, {"heldout": part, "cross_validated": None}
        run.save(update_fields=["state", "result"])
        for step in (1, 2):
            RunMetric.objects.create(run=run, step=step, name="heldout_agreement", value=trained)
    return run


def url_of(*chosen: Run, name: str = "compare_runs") -> str:
    return f"{reverse(name)}?" + "&".join(f"run={run.pk}" for run in chosen)


def test_what_differs_is_marked_and_what_is_equal_stands_apart(desk: Client) -> None:
    dataset = make_dataset()
    first = make_training(dataset, 0.755, ridge=0.01)
    second = make_training(dataset, 0.761, ridge=0.5)
    said = text_of(desk.get(url_of(first, second)))
    table, _, rest = said.partition("</table>")
    assert "Ridge" in table and "0.01" in table and "0.5" in table
    assert "Backbone" not in table and "Backbone" in rest
    assert "75.5" in table and "76.1" in table and "70.0" in table and "n = 30" in table
    assert "different datasets" not in said


def test_runs_on_different_datasets_are_not_comparable_and_it_says_so(desk: Client) -> None:
    first = make_training(make_dataset("garden"), 0.8)
    second = make_training(make_dataset("lakes", is_simulated=True), 0.9)
    said = text_of(desk.get(url_of(first, second)))
    assert "trained on different datasets" in said and "SIMULATED" in said


def test_all_curves_stand_in_one_figure(desk: Client) -> None:
    dataset = make_dataset()
    chosen = [make_training(dataset, 0.7 + n / 100, title=f"Metric {n}") for n in range(3)]
    response = desk.get(url_of(*chosen, name="compared_curves_svg"))
    figure = response.content.decode()
    assert ElementTree.fromstring(figure).tag.endswith("svg")
    for letter, run in zip("ABC", chosen, strict=True):
        assert f"{letter} {run.title}" in figure
    waiting = [make_training(dataset), make_training(dataset)]
    assert desk.get(url_of(*waiting, name="compared_curves_svg")).status_code == 404
    assert "No curve yet" in text_of(desk.get(url_of(*waiting)))


def test_with_fewer_than_two_it_asks_to_choose(desk: Client) -> None:
    url = reverse("compare_runs")
    assert "No training yet" in text_of(desk.get(url))
    dataset = make_dataset()
    one = make_training(dataset, 0.7)
    assert "one training only" in text_of(desk.get(url))
    make_training(dataset)
    said = text_of(desk.get(url_of(one)))
    assert said.count('type="checkbox"') == 2 and said.count(" checked>") == 1


def test_the_runs_list_lets_choose_among_trainings(desk: Client) -> None:
    dataset = make_dataset()
    for _ in range(2):
        make_training(dataset)
    said = text_of(desk.get(reverse("runs") + "?kind=train_metric"))
    assert f'action="{reverse("compare_runs")}"' in said and 'name="run"' in said
    assert 'type="checkbox"' not in text_of(desk.get(reverse("runs")))


def test_an_address_of_no_training_is_refused(desk: Client) -> None:
    training, report = make_training(make_dataset()), make_run()
    assert desk.get(url_of(training, report)).status_code == 404
    assert desk.get(reverse("compare_runs") + "?run=nonsense").status_code == 404
    many = "&".join(f"run=0000000{n}-0000-4000-8000-000000000000" for n in range(7))
    assert desk.get(f"{reverse('compare_runs')}?{many}").status_code == 404


def test_the_page_takes_the_same_queries_for_two_runs_and_for_six(
    desk: Client, django_assert_max_num_queries: Any
) -> None:
    dataset = make_dataset()
    chosen = [make_training(dataset, 0.7) for _ in range(6)]
    with django_assert_max_num_queries(6):
        desk.get(url_of(*chosen))


def test_a_visitor_and_cleo_may_not(client: Client) -> None:
    assert client.get(reverse("compare_runs")).status_code == 302
    client.force_login(make_cleo())
    assert client.get(reverse("compare_runs")).status_code == 403
