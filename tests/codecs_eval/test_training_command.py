"""Training by the command: where its settings begin, and how a training goes on."""

import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from codecs_eval import runs, training_together
from codecs_eval.management.commands.train_metric import Command
from codecs_eval.models import Dataset, Run
from codecs_eval.run_forms import SMALL_DATA_TRIPLETS
from codecs_eval.training.config import PRESETS, TrainMetricConfig
from tests.codecs_eval.desk_rows import make_dataset

pytestmark = pytest.mark.usefixtures("transactional_db", "triad_home")


@pytest.fixture
def garden() -> Dataset:
    return make_dataset()


def train(*arguments: str) -> Run:
    """The run that the command hands to the workers."""
    call_command("train_metric", *arguments, "--queue", stdout=io.StringIO())
    return Run.objects.get(kind="train_metric")


def make_training(dataset: Dataset, state: str, **values: Any) -> Run:
    run = runs.create("train_metric", TrainMetricConfig(), title="Training", dataset=dataset)
    Run.objects.filter(pk=run.pk).update(state=state, **values)
    run.refresh_from_db()
    return run


def test_without_a_preset_the_datasets_size_chooses_as_its_page_does(garden: Dataset) -> None:
    assert train("--dataset", "garden").config == PRESETS["small_data"].to_json() | {
        "combine_with": []
    }


def test_a_large_dataset_begins_at_the_papers_recipe(garden: Dataset) -> None:
    Dataset.objects.filter(pk=garden.pk).update(n_triplets=SMALL_DATA_TRIPLETS)
    config = train("--dataset", "garden", "--epochs-flat", "2").config
    assert (config["head"], config["noise"], config["epochs_flat"]) == ("reference", True, 2)


def test_a_preset_that_is_named_is_taken(garden: Dataset) -> None:
    assert train("--dataset", "garden", "--preset", "reference").config["head"] == "reference"


def test_scratch_does_not_begin_at_the_heads_of_a_trunk_that_it_lacks(garden: Dataset) -> None:
    config = train("--dataset", "garden", "--mode", "scratch").config
    assert (config["warm_start"], config["ridge"]) == (False, 0.0)


def test_the_help_tells_what_each_preset_begins_with() -> None:
    said = " ".join(Command().create_parser("manage.py", "train_metric").format_help().split())
    assert "(reference: 0.0, small_data: 0.01)" in said
    assert "--combine-with" in said


@pytest.fixture
def ended(garden: Dataset) -> Iterator[list[Run]]:
    before = timezone.now() - timedelta(seconds=1)
    lost = {"owner": "killed", "lease_until": before, "attempts": 5, "is_cancel_wanted": True}
    yield [
        make_training(garden, "failed", error="out of memory", finished_at=before),
        make_training(garden, "cancelled", is_cancel_wanted=True, finished_at=before),
        make_training(garden, "running", **lost),
    ]


def test_a_training_that_ended_early_is_queued_again(ended: list[Run]) -> None:
    for run in ended:
        call_command("train_metric", resume=f"run:{str(run.pk)[:12]}", queue=True)
        run.refresh_from_db()
        assert (run.state, run.error, run.owner) == ("queued", "", "")
        assert run.finished_at is None and not run.is_cancel_wanted and run.attempts == 0
    assert Run.objects.count() == len(ended)


@pytest.mark.parametrize("state", ["done", "running"])
def test_a_training_that_is_done_or_at_work_is_left_alone(state: str, garden: Dataset) -> None:
    later = timezone.now() + timedelta(seconds=60)
    run = make_training(garden, state, owner="worker", lease_until=later)
    with pytest.raises(CommandError, match=f"is {state}; expected one that was stopped"):
        call_command("train_metric", resume=str(run.pk), queue=True)
    run.refresh_from_db()
    assert (run.state, run.owner) == (state, "worker")


def test_a_training_goes_on_with_its_own_settings_alone(ended: list[Run]) -> None:
    with pytest.raises(CommandError, match="Found --resume with epochs_flat; expected it alone"):
        train("--resume", str(ended[0].pk), "--epochs-flat", "3")
    with pytest.raises(CommandError, match="not allowed with argument"):
        train("--resume", str(ended[0].pk), "--dataset", "garden")


def test_a_helping_process_sees_for_itself_that_it_should_stop(
    garden: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_together, "_LOOK_EVERY_S", -1.0)
    run = make_training(garden, "running")
    helper = training_together.Helper(run)
    assert not helper.should_stop()
    runs.cancel(run)
    assert helper.should_stop()
    helper = training_together.Helper(run)
    Run.objects.filter(pk=run.pk).update(state="failed", is_cancel_wanted=False)
    assert helper.should_stop()
