"""Blocks of the active scheduler: which triplets they name, when, and how they are served."""

import io
import json
import random
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from scipy.special import expit

from annotation import planning, scheduling, serving, tasks
from annotation.models import Judgment, Study, Trial, Triplet
from annotation.simulating import simulate
from tests.annotation.active_study import (
    CLOSE,
    QUALITY,
    codecs_of,
    judge,
    make_active,
    surely_or_by_chance,
)
from tests.factories import make_ada, make_annotator, make_answer, make_session

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home", "forgetting")]


@pytest.fixture
def forgetting() -> None:
    """What was planned in another test is not remembered."""
    cache.clear()


def block_of(study: Study) -> list[Triplet]:
    return list(study.triplets.filter(priority__gt=0).order_by("-priority"))


# The block


def test_a_block_asks_about_conditions_that_are_close() -> None:
    study = make_active()
    choose = surely_or_by_chance(1)
    for _ in range(2):
        judge(study, 30, choose)
    block = scheduling.plan_block(study, size=8)
    assert block is not None
    assert (block.n_judgments, block.n_conditions) == (60, 4)
    assert {(each.first_codec, each.second_codec) for each in block.planned} == CLOSE
    assert {codecs_of(triplet) for triplet in block_of(study)} == CLOSE


def test_the_one_that_tells_most_has_the_highest_priority() -> None:
    study = make_active()
    judge(study, 30)
    block = scheduling.plan_block(study, size=6)
    assert block is not None
    assert [triplet.pk for triplet in block_of(study)] == [one.triplet for one in block.planned]
    assert [triplet.priority for triplet in block_of(study)] == [6, 5, 4, 3, 2, 1]
    assert [each.gain for each in block.planned] == sorted(
        (each.gain for each in block.planned), reverse=True
    )


def test_for_a_pair_the_photo_that_was_shown_least_comes_first() -> None:
    study = make_active()
    judge(study, 30, surely_or_by_chance(1))
    fresh = study.triplets.order_by("shuffle")[7::6]
    study.triplets.exclude(pk__in=[triplet.pk for triplet in fresh]).update(n_assigned=3)
    block = scheduling.plan_block(study, size=12)
    assert block is not None
    first_of: dict[tuple[str, str], int] = {}
    for each in block.planned:
        first_of.setdefault((each.first_codec, each.second_codec), each.triplet)
    least = {codecs_of(triplet): triplet.pk for triplet in reversed(fresh)}
    asked = set(first_of) & set(least)
    assert asked
    assert {pair: first_of[pair] for pair in asked} == {pair: least[pair] for pair in asked}


def test_a_triplet_that_has_all_its_judgments_is_in_no_block() -> None:
    study = make_active(judgments_per_triplet=1)
    judge(study, 20)
    block = scheduling.plan_block(study, size=50)
    assert block is not None
    assert {each.triplet for each in block.planned} <= set(
        study.triplets.filter(n_assigned=0).values_list("pk", flat=True)
    )
    assert len(block.planned) <= 10


def test_a_new_block_replaces_the_old_one() -> None:
    study = make_active()
    judge(study, 30)
    scheduling.plan_block(study, size=20)
    scheduling.plan_block(study, size=5)
    assert len(block_of(study)) == 5


def test_with_few_judgments_there_is_no_block_yet() -> None:
    study = make_active()
    assert scheduling.plan_block(study) is None
    judge(study, 15)
    assert scheduling.plan_block(study) is None
    judge(study, 1)
    assert scheduling.plan_block(study) is not None


def test_with_nothing_left_to_ask_there_is_none_and_the_old_one_goes() -> None:
    study = make_active(judgments_per_triplet=1)
    judge(study, 25)
    assert scheduling.plan_block(study) is not None
    Triplet.objects.update(n_assigned=1)
    assert scheduling.plan_block(study) is None
    assert block_of(study) == []


def test_what_is_under_a_lease_counts_as_asked() -> None:
    study = make_active()
    judge(study, 30, surely_or_by_chance(1))
    before = scheduling.plan_block(study, size=4)
    planning.lease_trials(make_session(study), 4)
    after = scheduling.plan_block(study, size=4)
    assert before is not None and after is not None
    assert after.n_judgments == before.n_judgments
    # Asking the same as if nobody had been asked would be expected to tell as much again.
    assert after.planned[0].gain < before.planned[0].gain - 1e-6


def test_another_studys_block_is_left_alone() -> None:
    studies = [make_active(slug, n_sources=3) for slug in ("one", "two")]
    for study in studies:
        judge(study, 18)
        scheduling.plan_block(study, size=4)
    scheduling.plan_block(studies[0], size=2)
    assert [len(block_of(study)) for study in studies] == [2, 4]


def test_the_same_answers_give_the_same_block() -> None:
    study = make_active()
    judge(study, 30)
    assert scheduling.plan_block(study, size=7) == scheduling.plan_block(study, size=7)


@pytest.mark.parametrize(
    ("values", "size", "sentence"),
    [
        ({"scheduler": "balanced"}, None, "has the balanced scheduler"),
        ({"state": "paused"}, None, "is paused"),
        ({"state": "draft"}, None, "is draft"),
        ({}, 0, "Found a block of 0"),
    ],
)
def test_a_block_that_cannot_be_planned_is_refused(
    values: dict[str, str], size: int | None, sentence: str
) -> None:
    study = make_active(**values)
    with pytest.raises(ValueError, match=sentence):
        scheduling.plan_block(study, size=size)


def test_the_cost_does_not_grow_with_triplets_and_judgments() -> None:
    def n_queries(study: Study, n_people: int) -> int:
        for _ in range(n_people):
            judge(study, 18)
        scheduling.plan_block(study)
        with CaptureQueriesContext(connection) as queries:
            scheduling.plan_block(study)
        return len(queries)

    few = n_queries(make_active("few", n_sources=3), 1)
    assert n_queries(make_active("many", n_sources=9), 4) == few


# When


def test_a_block_is_due_once_half_of_it_is_used() -> None:
    study = make_active()
    judge(study, 30)
    assert scheduling.is_due(study)
    scheduling.plan_block(study)
    assert not scheduling.is_due(study)
    judge(study, 5)
    assert not scheduling.is_due(study)
    judge(study, 1)
    assert scheduling.is_due(study)


def test_a_block_that_nobody_takes_is_due_after_as_many_judgments() -> None:
    study = make_active()
    judge(study, 30)
    scheduling.plan_block(study)
    block = {triplet.pk: triplet.priority for triplet in block_of(study)}
    judge(study, scheduling.SMALLEST_BLOCK)
    for pk, priority in block.items():
        Triplet.objects.filter(pk=pk).update(priority=priority)
    assert scheduling.is_due(study)


def test_nothing_is_due_while_nobody_answers() -> None:
    study = make_active()
    assert scheduling.plan_block(study) is None
    assert not scheduling.is_due(study)
    planning.lease_trials(make_session(study), 8)
    assert not scheduling.is_due(study)


def test_the_more_is_under_a_lease_the_larger_the_block() -> None:
    study = make_active()
    assert scheduling.block_size(study) == scheduling.SMALLEST_BLOCK
    planning.lease_trials(make_session(study), 7)
    assert scheduling.block_size(study) == scheduling.SMALLEST_BLOCK + 7


def test_the_queue_plans_for_open_active_studies_that_are_due() -> None:
    active, paused = make_active("active", n_sources=3), make_active("paused", n_sources=3)
    balanced = make_active("balanced", n_sources=3, scheduler=Study.Scheduler.BALANCED)
    for study in (active, paused, balanced):
        judge(study, 18)
    Study.objects.filter(pk=paused.pk).update(state=Study.State.PAUSED)
    tasks.plan_blocks()
    found = [len(block_of(study)) for study in (active, paused, balanced)]
    assert found == [scheduling.SMALLEST_BLOCK, 0, 0]
    active.triplets.update(priority=0)
    tasks.plan_blocks()
    assert block_of(active) == [], "planned again without a new judgment"


# Served


def test_the_block_is_handed_out_first_and_what_is_leased_has_left_it() -> None:
    study = make_active()
    judge(study, 30)
    scheduling.plan_block(study, size=6)
    head = [triplet.pk for triplet in block_of(study)[:4]]
    trials = planning.lease_trials(make_session(study), 4)
    assert {trial.triplet_id for trial in trials} == set(head)
    assert len(block_of(study)) == 2


def sit(study: Study, rng: random.Random, qualities: Mapping[float, Mapping[str, float]]) -> None:
    """One person through the serving path; every sixth leaves with leases in the hand."""

    def choose(triplet: Triplet) -> str:
        quality = qualities[triplet.target_bpp]
        difference = quality[triplet.first.codec] - quality[triplet.second.codec]
        return "first" if rng.random() < expit(difference) else "second"

    session = serving.begin(study, make_annotator())
    trials = serving.exchange(session, [], 5).trials
    while trials:
        if rng.random() < 1 / 30:
            return
        answers = [make_answer(each, each.side_of_choice(choose(each.triplet))) for each in trials]
        trials = serving.exchange(session, answers, 5).trials
    serving.finish(session)


def test_people_are_asked_what_tells_most_and_every_rule_of_serving_holds() -> None:
    study = make_active(n_sources=6, rates_bpp=(0.3, 0.6), judgments_per_triplet=8)
    qualities = {
        0.3: QUALITY,
        0.6: {"avif": 0.0, "jpeg": 0.3, "heif": 6.0, "webp": 6.3},
    }
    rng = random.Random(3)
    for _ in range(9):
        sit(study, rng, qualities)
        Trial.objects.open().update(lease_until=timezone.now() - timedelta(seconds=1))
        planning.return_overdue()
        scheduling.plan_block(study, size=20)
        seen = Counter(Trial.objects.values_list("annotator", "triplet"))
        assert max(seen.values()) == 1
        for triplet in study.triplets.all():
            taken = triplet.trials.exclude(state=Trial.State.EXPIRED).count()
            assert triplet.n_assigned == taken <= study.judgments_per_triplet
    asked: Counter[tuple[float, bool]] = Counter()
    for trial in Trial.objects.select_related("triplet__first", "triplet__second"):
        quality = qualities[trial.triplet.target_bpp]
        one, other = codecs_of(trial.triplet)
        asked[trial.triplet.target_bpp, abs(quality[one] - quality[other]) < 1] += 1
    for rate in study.rates_bpp:
        # 2 of the 6 pairs of a rate are close; balanced, they would get a third.
        assert asked[rate, True] > asked[rate, False]
    by_source = Counter(Trial.objects.values_list("triplet__source", flat=True))
    assert max(by_source.values()) < 2 * min(by_source.values())


def test_simulated_observers_are_asked_by_blocks_too() -> None:
    study = make_active(is_simulated=True, session_length=24)
    simulate(study, n_observers=2, seed=1)
    assert Judgment.objects.of_study(study).count() == 48
    assert len(block_of(study)) > 0


# The desk and the command


def test_the_design_tab_tells_how_much_of_the_block_is_left(client: Client) -> None:
    client.force_login(make_ada())
    study = make_active()
    address = reverse("study", args=[study.slug])
    assert "has no block" in client.get(address).content.decode()
    judge(study, 30)
    scheduling.plan_block(study, size=7)
    assert "the 7 triplets left" in client.get(address).content.decode()


def told(*arguments: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("plan_block", *arguments, "--json", stdout=out)
    found = json.loads(out.getvalue())
    assert isinstance(found, dict)
    return found


def test_the_command_plans_a_block_and_tells_it() -> None:
    study = make_active()
    assert told("--study", study.slug) == {"study": "active", "block": None}
    judge(study, 30)
    block = told("--study", study.slug, "--size", "3")["block"]
    assert (block["n_judgments"], block["n_conditions"]) == (30, 4)
    assert [each["triplet"] for each in block["planned"]] == [one.pk for one in block_of(study)]
    assert set(block["planned"][0]) == {
        "triplet", "target_bpp", "first_codec", "second_codec", "gain",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--study", "none"), "No study is called 'none'."),
        (("--study", "active", "--size", "0"), "Found a block of 0; expected at least 1."),
    ],
)
def test_the_command_refuses_in_one_sentence(arguments: tuple[str, ...], sentence: str) -> None:
    make_active()
    with pytest.raises(CommandError, match=sentence):
        call_command("plan_block", *arguments)
