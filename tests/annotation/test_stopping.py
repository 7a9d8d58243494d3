"""The stop rule and extension: when a study pauses by itself, and how it goes on for longer."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from annotation import extending, planning, serving, stopping, tasks
from annotation.models import Study
from annotation.widths import Width
from tests.factories import make_ada, make_judgments, make_session, make_study

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]


@pytest.fixture
def ada() -> Client:
    client = Client()
    client.force_login(make_ada())
    return client


def answered(n_observers: int, half_width: float | None, **values: Any) -> Study:
    """Everybody answers both sides equally often: shares near one half."""
    study = make_study(n_sources=6, judgments_per_triplet=200, stop_half_width=half_width, **values)
    for index in range(n_observers):
        session = make_session(study)
        for place in range(4):
            make_judgments(session, 1, "left" if (index + place) % 2 else "right")
    return study


def width(half: float | None, n_observers: int = 20) -> Width:
    return Width(0.5, "jpeg", n_observers, 80, 100, half, half, "")


# The rule


@pytest.mark.parametrize(
    ("rows", "is_met"),
    [
        ([width(0.04), width(0.05)], True),
        ([width(0.04), width(0.06)], False),
        ([width(0.04), width(None)], False),
        ([width(0.01, 15)], True),
        ([width(0.01, 14)], False),
        ([width(0.01, 400), width(0.01, 14)], False),
        ([], False),
    ],
)
def test_every_share_must_be_known_by_enough_observers(rows: list[Width], is_met: bool) -> None:
    study = make_study(stop_half_width=0.05)
    assert stopping.check(study, rows).is_met == is_met
    study.stop_half_width = None
    assert not stopping.check(study, rows).is_met


def test_an_open_study_pauses_once_the_rule_is_met_and_says_that_triad_did() -> None:
    study = answered(16, 0.3)
    found = stopping.stop_if_met(study)
    assert found.is_met
    assert (study.state, Study.objects.get().state) == ("paused", "paused")
    met, paused = study.changes.all()
    assert (met.by, met.what, paused.by, paused.what) == (
        "Triad",
        "Stop rule met",
        "Triad",
        "Paused",
    )
    assert met.after["fewest observers"] == 16
    assert met.after["widest half width"] <= 0.3
    assert met.after["wanted half width"] == 0.3


@pytest.mark.parametrize(("n", "half_width"), [(14, 0.5), (16, 0.01), (16, None)])
def test_a_study_goes_on_where_the_rule_is_not_met(n: int, half_width: float | None) -> None:
    study = answered(n, half_width)
    assert not stopping.stop_if_met(study).is_met
    assert Study.objects.get().state == "open"
    assert not study.changes.exists()


def test_a_study_that_was_paused_meanwhile_is_left_alone() -> None:
    study = answered(16, 0.3)
    Study.objects.update(state="closed")
    stopping.stop_if_met(study)
    assert Study.objects.get().state == "closed"
    assert not study.changes.exists()


def test_beat_looks_only_after_new_judgments() -> None:
    study = answered(16, 0.02)
    assert [row.pk for row in stopping.due()] == [study.pk]
    tasks.check_stopping()
    assert stopping.due() == []
    make_judgments(make_session(study), 1)
    assert stopping.due() == [study]
    stopping.set_rule(study, 0.3)
    tasks.check_stopping()
    assert Study.objects.get().state == "paused"
    assert stopping.due() == []


def test_the_rule_is_set_and_taken_away_and_recorded(ada: Client) -> None:
    study = make_study()
    address = reverse("study_stop_rule", args=["which"])
    for points, share in (("5", 0.05), ("2,5", 0.025), ("", None)):
        ada.post(address, {"points": points})
        study.refresh_from_db()
        assert study.stop_half_width == share
    found = [(row.by, row.before, row.after) for row in study.changes.order_by("pk")]
    name = "stop_half_width"
    assert found == [
        ("ada", {name: None}, {name: 0.05}),
        ("ada", {name: 0.05}, {name: 0.025}),
        ("ada", {name: 0.025}, {name: None}),
    ]


@pytest.mark.parametrize("points", ["0", "80", "five", "nan", "-3"])
def test_a_rule_that_cannot_be_is_refused(ada: Client, points: str) -> None:
    study = make_study()
    reply = ada.post(reverse("study_stop_rule", args=["which"]), {"points": points}, follow=True)
    assert "Found" in reply.content.decode()
    study.refresh_from_db()
    assert study.stop_half_width is None
    assert not study.changes.exists()


def command(name: str, **options: Any) -> Any:
    out = StringIO()
    call_command(name, json=True, stdout=out, **options)
    return json.loads(out.getvalue())


def test_the_command_sets_checks_and_pauses() -> None:
    answered(16, None)
    assert command("check_stopping") == []
    (told,) = command("check_stopping", study="which")
    assert (told["is_met"], told["wanted_half_width"], told["state"]) == (False, None, "open")
    (told,) = command("check_stopping", study="which", points=30.0)
    assert (told["is_met"], told["state"], told["n_observers"]) == (True, "paused", 16)
    (told,) = command("check_stopping", study="which", no_rule=True)
    assert told["wanted_half_width"] is None
    with pytest.raises(CommandError, match="Say of which"):
        command("check_stopping", points=5.0)


# Extension


def test_an_extension_reopens_leases_that_were_used_up() -> None:
    study = make_study(n_sources=3, judgments_per_triplet=1)
    make_judgments(make_session(study), 9)
    other = make_session(study)
    assert planning.lease_trials(other, 5) == []
    extending.extend(study, 2)
    again = make_session(study)
    assert len(make_judgments(again, 9)) == 3
    assert set(study.triplets.values_list("n_judged", flat=True)) == {2}
    # The session that found nothing goes on as well, by what its own rows say now.
    extending.extend(study, 3)
    other.refresh_from_db()
    assert len(serving.trials_for(other, 5)) == 3


@pytest.mark.parametrize("state", ["open", "paused", "closed"])
def test_an_extension_leaves_the_frozen_question_and_is_recorded(state: str, ada: Client) -> None:
    study = make_study(state=state, judgments_per_triplet=3)
    before = Study.objects.values().get()
    ada.post(reverse("study_extend", args=["which"]), {"judgments": "5"})
    assert Study.objects.values().get() == {**before, "judgments_per_triplet": 5}
    row = study.changes.get()
    assert (row.by, row.what) == ("ada", "Extended")
    assert (row.before, row.after) == (
        {"judgments_per_triplet": 3},
        {"judgments_per_triplet": 5},
    )


@pytest.mark.parametrize("text", ["3", "2", "0", "-4", "many", "", "9999999999", "20000"])
def test_fewer_judgments_or_nonsense_change_nothing(ada: Client, text: str) -> None:
    study = make_study(judgments_per_triplet=3)
    reply = ada.post(reverse("study_extend", args=["which"]), {"judgments": text}, follow=True)
    assert "expected more than the 3 wanted now" in reply.content.decode()
    study.refresh_from_db()
    assert study.judgments_per_triplet == 3
    assert not study.changes.exists()


def test_a_draft_is_designed_not_extended() -> None:
    with pytest.raises(ValueError, match="is a draft"):
        extending.extend(make_study(state="draft"), 9)


def test_the_commands_extend_and_change_the_state() -> None:
    study = make_study(judgments_per_triplet=3)
    told = command("extend_study", study="which", judgments=4)
    assert (told["before"], told["judgments_per_triplet"], told["state"]) == (3, 4, "open")
    for state in ("paused", "closed", "open"):
        assert command("change_study", study="which", state=state)["state"] == state
    assert [row.what for row in study.changes.order_by("pk")] == [
        "Extended", "Paused", "Closed", "Opened",
    ]  # fmt: skip
    for name, options in (
        ("extend_study", {"judgments": 4}),
        ("change_study", {"state": "open"}),
    ):
        with pytest.raises(CommandError):
            command(name, study="which", **options)
    with pytest.raises(CommandError, match="No study is called"):
        command("change_study", study="ghost", state="open")


def test_the_watch_page_pauses_and_resumes_and_comes_back(ada: Client) -> None:
    study, address = make_study(), reverse("study_state", args=["which"])
    for state in ("paused", "open", "closed"):
        reply = ada.post(address, {"state": state, "back": "watch"})
        assert reply["Location"] == reverse("study_watch", args=["which"])
        study.refresh_from_db()
        assert study.state == state
