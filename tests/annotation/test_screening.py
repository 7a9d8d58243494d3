"""Screening a study's rows: verdicts that can be made again, and decisions that stand."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from annotation import screening, serving, tasks
from annotation.design.screening import VERSION
from annotation.exporting import judgments_csv
from annotation.imported_study import import_study
from annotation.models import Judgment, Screening, Session, Study, Trial
from annotation.withdrawing import withdraw
from tests.annotation.observers import GOOD, Made, made, write_csv
from tests.factories import (
    make_ada,
    make_annotator,
    make_answer,
    make_ben,
    make_judgments,
    make_session,
    make_study,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]


@pytest.fixture
def known() -> Made:
    """Sixteen observers of whom it is known what they did."""
    return made(3, n_sessions=16, votes=6, kinds=("always_left", "fast"))


@pytest.fixture
def study(known: Made, tmp_path: Path) -> Study:
    return import_study(write_csv(tmp_path / "made.csv", known), name="made").study


def session_of(study: Study, known: Made, label: str) -> Session:
    return study.sessions.get(outside_id=f"s{known.labels.index(label)}")


def test_every_session_gets_a_row_and_a_verdict(study: Study, known: Made) -> None:
    rows = screening.screen(study)
    assert len(rows) == Screening.objects.count() == 16
    verdicts = {row.session.outside_id: row.verdict for row in rows}
    for index, label in enumerate(known.labels):
        if label == GOOD:
            assert verdicts[f"s{index}"] in ("trusted", "doubtful")
        else:
            assert verdicts[f"s{index}"] == "excluded"
    for session in study.sessions.all():
        assert session.verdict == verdicts[session.outside_id]
    row = session_of(study, known, "always_left").screenings.get()
    assert (row.version, row.created_by) == (VERSION, None)
    assert row.suspicion is not None
    assert row.suspicion > 0.95
    assert "chose the left side 40 of 40 times" in row.reasons
    assert row.signals["sides"] > 10


def test_screening_again_gives_the_same_and_adds_nothing(study: Study) -> None:
    once = screening.screen(study)
    again = screening.screen(study)
    assert [row.pk for row in again] == [row.pk for row in once]
    assert Screening.objects.count() == 16


def test_the_rows_come_from_few_queries_whatever_the_size(study: Study) -> None:
    screening.screen(study)
    with CaptureQueriesContext(connection) as found:
        screening.screen(study)
    assert len(found) <= 8


def test_new_answers_add_a_row_and_the_old_one_stays(study: Study, known: Made) -> None:
    screening.screen(study)
    session = session_of(study, known, "always_left")
    for judgment in Judgment.objects.filter(trial__session=session).select_related("trial"):
        right = judgment.trial.triplet.expected or "first"
        Judgment.objects.filter(pk=judgment.pk).update(choice=right)
    screening.screen(study)
    assert session.screenings.count() == 2
    newest, oldest = session.screenings.all()
    assert newest.suspicion < oldest.suspicion
    session.refresh_from_db()
    assert session.verdict == newest.verdict


def test_a_decision_stands_over_later_screenings_until_it_is_released(
    study: Study, known: Made
) -> None:
    ada = make_ada()
    session = session_of(study, known, "fast")
    screening.screen(study)
    decision = screening.decide(session, "trusted", "I sat beside them", ada)
    assert (decision.created_by, decision.suspicion, session.verdict) == (ada, None, "trusted")
    standing = {row.session_id: row for row in screening.screen(study)}
    assert standing[session.pk] == decision
    session.refresh_from_db()
    assert session.verdict == "trusted"
    released = screening.release(session)
    assert (released.verdict, released.created_by) == ("excluded", None)
    assert session.verdict == "excluded"
    assert "'trusted' was taken back" in released.reasons[-1]
    screening.screen(study)
    session.refresh_from_db()
    assert session.verdict == "excluded"
    assert session.screenings.count() == 3


def test_a_decision_before_any_screening_stands_and_is_released_to_nothing(study: Study) -> None:
    session = study.sessions.first()
    assert session is not None
    screening.decide(session, "excluded", "a test of the page", make_ada())
    screening.screen(study)
    session.refresh_from_db()
    assert session.verdict == "excluded"
    assert screening.release(session).verdict == ""
    assert session.verdict == ""
    screening.screen(study)
    session.refresh_from_db()
    assert session.verdict != ""


def test_a_decision_outlives_the_account_of_who_made_it(study: Study) -> None:
    session = study.sessions.first()
    assert session is not None
    ada = make_ada()
    screening.decide(session, "excluded", "a test of the page", ada)
    ada.delete()
    screening.screen(study)
    session.refresh_from_db()
    assert session.verdict == "excluded"


def test_impossible_decisions_are_refused(study: Study) -> None:
    session, ada = study.sessions.first(), make_ada()
    assert session is not None
    with pytest.raises(ValueError, match="'bad'"):
        screening.decide(session, "bad", "why", ada)
    with pytest.raises(ValueError, match="no reason"):
        screening.decide(session, "trusted", " ", ada)
    with pytest.raises(ValueError, match="Nobody decided"):
        screening.release(session)
    withdraw(session)
    with pytest.raises(ValueError, match="withdrawn"):
        screening.decide(session, "trusted", "why", ada)


def test_withdrawn_sessions_are_left_out(study: Study, known: Made) -> None:
    gone = session_of(study, known, "fast")
    withdraw(gone)
    assert gone.pk not in {row.session_id for row in screening.screen(study)}
    gone.refresh_from_db()
    assert gone.verdict == ""
    assert not gone.screenings.exists()


def test_practice_warm_ups_and_undone_answers_do_not_count(study: Study, known: Made) -> None:
    before = screening.screen(study)
    session = session_of(study, known, GOOD)
    judgments = list(Judgment.objects.filter(trial__session=session).select_related("trial"))
    # A wrong answer to everything, then taken back; and wrong practice and warm-ups besides.
    for judgment in judgments:
        wrong = "second" if judgment.choice == "first" else "first"
        Judgment.objects.filter(pk=judgment.pk).update(choice=wrong)
        undo = serving.Answer(
            id=judgment.trial.pk, trial=judgment.trial.pk,
            side=judgment.trial.side_of_choice(judgment.choice), supersedes=judgment.pk,
            measured={"response_ms": judgment.response_ms},
        )  # fmt: skip
        assert serving.record(session, [undo]).refused == []
    after = screening.screen(study)
    assert [row.suspicion for row in after] == [row.suspicion for row in before]
    Trial.objects.filter(session=session, position__lt=20).update(is_warm_up=True)
    row = {row.session_id: row for row in screening.screen(study)}[session.pk]
    assert row.suspicion != {row.session_id: row for row in before}[session.pk].suspicion


def test_a_study_without_answers_has_nothing_to_screen() -> None:
    study = make_study()
    make_session(study)
    assert screening.screen(study) == []
    assert not Screening.objects.exists()


def test_hidden_time_is_no_thinking_time(study: Study, known: Made) -> None:
    before = {row.session_id: row.signals["times"] for row in screening.screen(study)}
    session = session_of(study, known, "fast")
    hidden = Judgment.objects.filter(trial__session=session)
    hidden.update(response_ms=F("response_ms") + 60_000, hidden_ms=60_000)
    after = {row.session_id: row.signals["times"] for row in screening.screen(study)}
    assert after[session.pk] == pytest.approx(before[session.pk], abs=1e-3)


# What is due


def test_a_study_is_due_once_for_each_newly_finished_session() -> None:
    study = make_study(n_sources=6, judgments_per_triplet=9)
    session = make_session(study)
    make_judgments(session, 6)
    assert screening.due() == []
    finish(session)
    assert screening.due() == [study]
    tasks.screen_finished()
    assert session.screenings.count() == 1
    assert screening.due() == []
    other = make_session(study, make_annotator())
    make_judgments(other, 6)
    screening.screen(study)
    finish(other)
    assert screening.due() == [study]
    tasks.screen_finished()
    assert screening.due() == []
    study.state = Study.State.CLOSED
    study.save(update_fields=["state"])
    finish(session)
    assert screening.due() == []


def finish(session: Session) -> None:
    session.state, session.finished_at = Session.State.FINISHED, timezone.now()
    session.save(update_fields=["state", "finished_at"])


def test_a_decided_session_is_never_due() -> None:
    study = make_study(n_sources=6)
    session = make_session(study)
    make_judgments(session, 6)
    finish(session)
    screening.decide(session, "trusted", "known to me", make_ada())
    session.screenings.update(created_at=session.started_at)
    assert screening.due() == []


def test_a_session_of_warm_ups_alone_is_never_due() -> None:
    study = make_study(n_sources=6)
    session = make_session(study)
    make_judgments(session, 6)
    session.trials.update(is_warm_up=True)
    finish(session)
    assert screening.due() == []


def test_a_task_for_a_study_that_is_gone_does_nothing() -> None:
    tasks.screen_study(12345)


def test_the_beat_screens(settings: Any) -> None:
    entry = settings.CELERY_BEAT_SCHEDULE["screen-finished"]
    assert entry["task"] == "annotation.tasks.screen_finished"
    assert entry["schedule"] == 300


# The command


def told(*arguments: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("screen", *arguments, "--json", stdout=out)
    found = json.loads(out.getvalue())
    assert isinstance(found, dict)
    return found


def test_the_command_tells_each_session(study: Study, known: Made) -> None:
    found = told("--study", "made")
    assert (found["study"], found["version"], found["is_simulated"]) == ("made", VERSION, True)
    assert found["counts"]["excluded"] == sum(label != GOOD for label in known.labels)
    assert sum(found["counts"].values()) == len(found["sessions"]) == 16
    rows = {row["session"]: row for row in found["sessions"]}
    worst = rows[f"s{known.labels.index('always_left')}"]
    assert worst["verdict"] == "excluded"
    assert worst["suspicion"] > 0.95
    assert (worst["n_trials"], worst["n_judged"]) == (40, 40)
    assert worst["session_id"] == str(session_of(study, known, "always_left").pk)
    assert worst["annotator"] == str(session_of(study, known, "always_left").annotator_id)
    assert "chose the left side 40 of 40 times" in worst["reasons"]
    assert set(worst["signals"]) >= {"sentinels", "repeats", "agreement", "times", "sides"}


def test_the_command_finds_a_study_by_its_title_where_one_has_it() -> None:
    make_study("one", title="Asked in Graz")
    assert told("--study", "Asked in Graz")["study"] == "one"
    make_study("two", title="Asked in Graz", collection="one-photos")
    with pytest.raises(CommandError, match="Several studies"):
        told("--study", "Asked in Graz")
    with pytest.raises(CommandError, match="'ghost'"):
        told("--study", "ghost")


def test_the_command_writes_a_table_for_people(study: Study) -> None:
    out = io.StringIO()
    call_command("screen", "--study", "made", stdout=out)
    first, second, *_ = out.getvalue().splitlines()
    assert first.startswith("SIMULATED: made: 16 sessions, ")
    assert "excluded" in second


def test_a_decision_is_told_as_one(study: Study) -> None:
    session = study.sessions.first()
    assert session is not None
    screening.decide(session, "excluded", "a test of the page", make_ada())
    rows = {row["session_id"]: row for row in told("--study", "made")["sessions"]}
    row = rows[str(session.pk)]
    assert (row["is_decision"], row["suspicion"], row["verdict"]) == (True, None, "excluded")
    call_command("screen", "--study", "made", stdout=io.StringIO())


def test_what_is_excluded_is_told_in_the_export(study: Study, known: Made) -> None:
    screening.screen(study)
    lines = "".join(judgments_csv(study))
    assert lines.count(",excluded,") == 40 * sum(label != GOOD for label in known.labels)


# The pages


@pytest.fixture
def ada() -> Client:
    client = Client()
    client.force_login(make_ada())
    return client


def test_the_watch_tab_screens_and_shows_why(ada: Client, study: Study, known: Made) -> None:
    watch = reverse("study_watch", args=[study.slug])
    assert "not screened" in ada.get(watch).content.decode()
    reply = ada.post(reverse("study_screen", args=[study.slug]), follow=True)
    page = reply.content.decode()
    assert "Screened: " in page
    assert "chose the left side 40 of 40 times" in page
    assert "state-excluded" in page
    assert "SIMULATED" in page
    session = session_of(study, known, "fast")
    assert reverse("study_session", args=[study.slug, session.pk]) in page


def test_a_large_study_is_screened_by_the_queue(
    ada: Client, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screening, "AT_ONCE", 10)
    reply = ada.post(reverse("study_screen", args=[study.slug]), follow=True)
    page = reply.content.decode()
    assert "Being screened" in page or "The queue does not answer" in page
    assert not Screening.objects.exists()


def test_the_list_of_sessions_begins_with_the_most_suspect(
    ada: Client, study: Study, known: Made
) -> None:
    screening.screen(study)
    sessions = list(ada.get(reverse("study_sessions", args=[study.slug])).context["sessions"])
    suspicion = [session.suspicion for session in sessions]
    assert suspicion == sorted(suspicion, reverse=True)
    assert known.labels[int(sessions[0].outside_id[1:])] != GOOD


def test_a_session_page_shows_its_trials_in_order(ada: Client, study: Study, known: Made) -> None:
    screening.screen(study)
    session = session_of(study, known, "always_left")
    reply = ada.get(reverse("study_session", args=[study.slug, session.pk]))
    lines = reply.context["lines"]
    assert [line.trial.position for line in lines] == list(range(40))
    assert {line.side for line in lines} == {"left"}
    checks = [line.checked for line in lines if line.trial.triplet.expected]
    assert set(checks) <= {"right", "wrong"}
    repeats = [line.checked for line in lines if line.trial.is_repeat]
    # The mirrored showing of what was answered by side alone.
    assert repeats == ["other than before"] * 4
    assert "SIMULATED" in reply.content.decode()


def test_a_session_page_counts_what_was_taken_back(ada: Client) -> None:
    study = make_study()
    session = make_session(study)
    first, _ = make_judgments(session, 2)
    serving.record(session, [make_answer(first.trial, "right", supersedes=first.pk)])
    lines = ada.get(reverse("study_session", args=[study.slug, session.pk])).context["lines"]
    assert [(line.side, line.n_changed) for line in lines] == [("right", 1), ("left", 0)]


def test_ada_decides_and_takes_it_back_on_the_page(ada: Client, study: Study) -> None:
    screening.screen(study)
    session = study.sessions.filter(verdict="excluded").first()
    assert session is not None
    where = [study.slug, session.pk]
    page = ada.post(
        reverse("session_decide", args=where),
        {"verdict": "trusted", "reason": "I know <them>"}, follow=True,
    ).content.decode()  # fmt: skip
    assert "trusted by your decision" in page
    assert "I know &lt;them&gt;" in page
    session.refresh_from_db()
    assert session.verdict == "trusted"
    page = ada.post(reverse("session_release", args=where), follow=True).content.decode()
    assert "stands again: excluded" in page
    page = ada.post(reverse("session_release", args=where), follow=True).content.decode()
    assert "nothing to take back" in page
    page = ada.post(
        reverse("session_decide", args=where), {"verdict": "trusted"}, follow=True
    ).content.decode()
    assert "no reason" in page


def test_a_session_is_found_in_its_own_study_alone(ada: Client, study: Study) -> None:
    session = make_session(make_study("other"))
    for name in ("study_session", "session_decide", "session_release"):
        url = reverse(name, args=[study.slug, session.pk])
        reply = ada.get(url) if name == "study_session" else ada.post(url)
        assert reply.status_code == 404


def test_people_who_are_no_researchers_see_nothing_of_it(study: Study) -> None:
    session = study.sessions.first()
    assert session is not None
    pages = [
        reverse("study_sessions", args=[study.slug]),
        reverse("study_session", args=[study.slug, session.pk]),
    ]
    acts = [
        reverse("study_screen", args=[study.slug]),
        reverse("session_decide", args=[study.slug, session.pk]),
        reverse("session_release", args=[study.slug, session.pk]),
    ]
    ben = Client()
    assert {ben.get(url).status_code for url in pages} <= {302, 403}
    assert {ben.post(url).status_code for url in acts} <= {302, 403}
    ben.force_login(make_ben())
    assert {ben.get(url).status_code for url in pages} == {403}
    assert {ben.post(url).status_code for url in acts} == {403}
    assert not Screening.objects.exists()
