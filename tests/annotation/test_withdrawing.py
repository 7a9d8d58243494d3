"""Taking answers back: the rows are gone, the places are free, a tombstone is counted."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from annotation import admitting, exporting, planning, recruiting, serving
from annotation.models import Judgment, Screening, Session, Study, Trial
from annotation.withdrawing import withdraw
from tests.annotation.browsing import Browser
from tests.factories import make_answer, make_judgments, make_session, make_study

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]


def places(study: Study) -> list[tuple[int, int]]:
    return list(study.triplets.order_by("pk").values_list("n_assigned", "n_judged"))


def make_answered(study: Study, n: int = 2) -> Session:
    session = make_session(
        study, viewing={"screen": 1}, texts={"version": "x"}, verdict="trusted", n_practice=0,
        crowd={"provider": "prolific", "PROLIFIC_PID": "5f0a"}, completion_code="DONE",
    )  # fmt: skip
    make_judgments(session, n)
    Screening.objects.create(session=session, verdict="trusted", version="1")
    return session


def test_everything_that_the_person_gave_is_gone() -> None:
    study = make_study(n_sources=3)
    session, other = make_answered(study), make_answered(study)
    withdraw(session)
    assert not Judgment.objects.filter(trial__session=session).exists()
    assert not session.trials.exists()
    assert not session.screenings.exists()
    assert (session.viewing, session.texts, session.verdict) == ({}, {}, "")
    assert other.trials.count() == 2
    assert Judgment.objects.count() == 2
    assert other.screenings.count() == 1


def test_a_tombstone_says_how_much_and_when() -> None:
    session = make_answered(make_study(n_sources=3), n=3)
    (undone, *_) = Judgment.objects.order_by("trial__position")
    serving.record(session, [make_answer(undone.trial, "right", supersedes=undone.pk)])
    withdraw(session)
    stone = Session.objects.get(pk=session.pk)
    assert stone.state == "withdrawn"
    assert (stone.withdrawn["judgments"], stone.withdrawn["trials"]) == (4, 3)
    assert stone.finished_at
    assert stone.withdrawn["at"] == stone.finished_at.isoformat(timespec="seconds")
    assert stone.annotator == session.annotator
    assert (stone.completion_code, stone.crowd["PROLIFIC_PID"]) == ("DONE", "5f0a")


def test_a_chain_of_undone_answers_is_deleted_whole() -> None:
    session = make_session(make_study())
    (judgment,) = make_judgments(session, 1)
    for side in ("right", "left", "right"):
        answer = make_answer(judgment.trial, side, supersedes=judgment.pk)
        assert serving.record(session, [answer]).stored
        judgment = Judgment.objects.get(pk=answer.id)
    withdraw(session)
    assert session.withdrawn["judgments"] == 4
    assert not Judgment.objects.exists()


def test_the_places_of_judged_and_of_open_trials_go_back() -> None:
    study = make_study(n_sources=4, session_length=4, judgments_per_triplet=3)
    make_judgments(make_session(study), 4)
    before = places(study)
    session = make_session(study)
    make_judgments(session, 2)
    planning.lease_trials(session, 2)
    assert places(study) != before
    withdraw(session)
    assert places(study) == before


def test_a_trial_that_ran_out_gave_its_place_back_before() -> None:
    study = make_study()
    session = make_session(study)
    planning.lease_trials(session, 2)
    session.trials.update(lease_until="2020-01-01T00:00Z")
    assert planning.return_overdue() == 2
    withdraw(session)
    assert places(study) == [(0, 0), (0, 0)]


def test_warm_ups_and_repeats_never_held_a_place() -> None:
    study = make_study(n_sources=12, session_length=12, n_warm_up=2, repeat_share=0.25)
    session = make_session(study)
    for _ in range(12):
        make_judgments(session, 1)
    trials = Trial.objects.filter(session=session)
    assert trials.filter(is_repeat=True).exists()
    assert trials.filter(is_warm_up=True).exists()
    withdraw(session)
    assert {*places(study)} == {(0, 0)}


def test_somebody_else_gets_what_was_given_back() -> None:
    study = make_study(judgments_per_triplet=1)
    session = make_session(study)
    make_judgments(session, 2)
    other = make_session(study)
    assert not planning.lease_trials(other, 2)
    withdraw(session)
    assert len(planning.lease_trials(other, 2)) == 2


def test_withdrawing_twice_changes_nothing() -> None:
    study = make_study()
    session = make_answered(study)
    withdraw(session)
    stone = Session.objects.values().get(pk=session.pk)
    withdraw(session)
    assert Session.objects.values().get(pk=session.pk) == stone
    assert {*places(study)} == {(0, 0)}


def test_a_late_answer_from_an_outbox_is_refused_in_words() -> None:
    study = make_study()
    session = make_session(study)
    (trial, _) = planning.lease_trials(session, 2)
    withdraw(session)
    receipt = serving.record(session, [make_answer(trial)])
    assert not receipt.stored
    assert "withdrawn" in receipt.refused[0]["reason"]
    assert not Judgment.objects.exists()


def test_who_withdrew_does_not_enter_again(settings: Any) -> None:
    settings.BEGINS_PER_HOUR = 0
    study, ben = make_study(), Browser()
    withdraw(ben.begin(study))
    with pytest.raises(admitting.NotAdmitted) as found:
        ben.begin(study)
    assert found.value.code == "already_done"


def test_exports_made_afterwards_have_nothing_of_it() -> None:
    study = make_study()
    session = make_answered(study)
    assert len("".join(exporting.judgments_csv(study)).splitlines()) == 3
    withdraw(session)
    assert len("".join(exporting.judgments_csv(study)).splitlines()) == 1


def test_tombstones_are_counted_on_the_desk() -> None:
    study = make_study(n_sources=4)
    make_answered(study)
    for n in (2, 3):
        withdraw(make_answered(study, n))
    came = recruiting.came(study)
    assert (came.n_sessions, came.n_withdrawn, came.n_judgments_withdrawn) == (3, 2, 5)


# The command


def run(session: str, **options: Any) -> Any:
    out = StringIO()
    call_command("withdraw", session=session, json=True, stdout=out, **options)
    return json.loads(out.getvalue())


def test_the_command_asks_before_it_deletes() -> None:
    session = make_answered(make_study())
    with pytest.raises(CommandError, match="2 trials .* --yes-delete"):
        run(str(session.pk))
    assert Judgment.objects.count() == 2
    told = run(str(session.pk), yes_delete=True)
    assert told["session"] == str(session.pk)
    assert (told["state"], told["judgments"], told["trials"]) == ("withdrawn", 2, 2)
    with pytest.raises(CommandError, match="withdrawn before"):
        run(str(session.pk), yes_delete=True)


@pytest.mark.parametrize("text", ["nonsense", "00000000-0000-4000-8000-000000000000"])
def test_the_command_tells_of_a_session_that_is_none(text: str) -> None:
    with pytest.raises(CommandError, match=text):
        run(text, yes_delete=True)
