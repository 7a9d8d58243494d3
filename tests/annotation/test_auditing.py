"""Who did what to a study: rows that only grow."""

import csv
import io
import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation import (
    auditing,
    designing,
    exporting,
    freezing,
    imported_study,
    inviting,
    recruiting,
    screening,
)
from annotation.freezing import FreezeConfig
from annotation.models import Study, StudyChange
from annotation.withdrawing import withdraw
from tests.factories import make_ada, make_judgments, make_ladder, make_session, make_study

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]


def test_only_what_differs_is_kept() -> None:
    study, ada = make_study(), make_ada()
    auditing.record(study, ada, "renamed", {"title": "a", "seed": 1}, {"title": "b", "seed": 1})
    row = study.changes.get()
    assert (row.by, row.user, row.what) == ("ada", ada, "renamed")
    assert (row.before, row.after) == ({"title": "a"}, {"title": "b"})


def test_what_changes_nothing_is_no_change() -> None:
    study = make_study()
    assert auditing.record(study, None, "renamed", {"title": "a"}, {"title": "a"}) is None
    assert not StudyChange.objects.exists()


def test_what_was_done_without_values_is_kept() -> None:
    study = make_study()
    auditing.record(study, None, "frozen")
    auditing.record(study, auditing.TRIAD, "paused", {}, {"at": study.created_at})
    assert [row.by for row in study.changes.all()] == ["Triad", "a command"]


def test_a_name_outlives_its_account() -> None:
    study, ada = make_study(), make_ada()
    auditing.record(study, ada, "opened")
    ada.delete()
    row = study.changes.get()
    assert (row.by, row.user) == ("ada", None)


@pytest.mark.django_db(transaction=True)
def test_a_change_is_recorded_in_its_own_transaction_or_not_at_all() -> None:
    study = make_study()
    with pytest.raises(RuntimeError, match="in the transaction"):
        auditing.record(study, None, "opened")
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        auditing.record(study, None, "opened")
        raise ZeroDivisionError
    assert not StudyChange.objects.exists()


# Every verb leaves its row


def last(study: Study) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
    row = study.changes.first()
    assert row is not None
    return row.by, row.what, row.before, row.after


def test_a_new_study_begins_its_own_trail() -> None:
    make_ladder("kodak")
    study, _ = designing.create_study(
        designing.Design("Which?", "fresh", "kodak", ("jpeg", "webp"), (0.5,), crop_px=64),
        user=make_ada(),
    )
    by, what, before, after = last(study)
    assert (by, what, before) == ("ada", "Made, with 2 triplets", {})
    assert (after["title"], after["codecs"], after["crop_px"]) == ("Which?", ["jpeg", "webp"], 64)


def test_opening_pausing_and_closing_are_recorded() -> None:
    study, ada = make_study(state="draft"), make_ada()
    designing.change_state(study, "open", ada)
    by, what, before, after = last(study)
    assert (by, what, before) == ("ada", "Opened", {"state": "draft", "opened_at": None})
    assert (after["state"], after["opened_at"][:4]) == ("open", str(study.opened_at)[:4])
    designing.change_state(study, "paused", auditing.TRIAD)
    assert last(study) == ("Triad", "Paused", {"state": "open"}, {"state": "paused"})
    designing.change_state(study, "closed")
    assert last(study) == ("a command", "Closed", {"state": "paused"}, {"state": "closed"})


def test_a_change_that_is_refused_leaves_no_row() -> None:
    study = make_study(state="draft")
    for refused in (
        lambda: designing.change_state(study, "paused"),
        lambda: recruiting.change_recruiting(study, "friends"),
        lambda: inviting.invite(study, 0),
    ):
        with pytest.raises(ValueError, match="Found|cannot"):
            refused()
    assert not study.changes.exists()


def test_recruiting_is_recorded_by_what_changed() -> None:
    study, ada = make_study(), make_ada()
    recruiting.change_recruiting(study, "crowd", {"finished": "DONE"}, ada)
    assert last(study) == (
        "ada",
        "Recruiting changed",
        {"recruiting": "open_link", "completion_codes": {}},
        {"recruiting": "crowd", "completion_codes": {"finished": "DONE"}},
    )
    recruiting.change_recruiting(study, "crowd", user=ada)
    assert study.changes.count() == 1


def test_invitations_are_recorded_without_their_secrets() -> None:
    study, ada = make_study(), make_ada()
    tokens = inviting.invite(study, 2, "for the lab", ada)
    assert last(study)[1:] == (
        "Invitations made", {}, {"invitations": 2, "note": "for the lab"},
    )  # fmt: skip
    found = study.invitations.first()
    assert found is not None
    inviting.revoke(found, ada)
    assert last(study)[2:] == ({"state": "unused"}, {"state": "revoked"})
    assert not [token for token in tokens if token in str(list(study.changes.values()))]


def test_decisions_and_releases_are_recorded() -> None:
    session, ada = make_session(make_study()), make_ada()
    make_judgments(session, 2)
    screening.decide(session, "excluded", "Fell asleep.", ada)
    by, what, before, after = last(session.study)
    assert (by, before) == ("ada", {"verdict": ""})
    assert what == f"Session {str(session.pk)[:8]} decided excluded"
    assert after == {"verdict": "excluded", "session": str(session.pk)}
    screening.release(session, ada)
    assert last(session.study)[2] == {"verdict": "excluded"}
    assert last(session.study)[3]["verdict"] == ""


def test_a_screening_is_recorded_where_a_verdict_changed() -> None:
    session = make_session(make_study(n_sources=8), verdict="excluded")
    make_judgments(session, 8)
    session.screenings.create(verdict="excluded", suspicion=0.99, version="older")
    screening.screen(session.study, make_ada())
    session.refresh_from_db()
    assert session.verdict != "excluded"
    assert last(session.study) == (
        "ada",
        "Screened: 1 verdict changed",
        {"excluded": 1},
        {session.verdict or "undecided": 1},
    )
    screening.screen(session.study, None)
    assert session.study.changes.count() == 1


def test_a_withdrawal_is_recorded_without_what_was_answered() -> None:
    session = make_session(make_study())
    make_judgments(session, 2)
    withdraw(session)
    by, _, before, after = last(session.study)
    assert (by, before["state"], after["state"]) == ("who answered", "active", "withdrawn")
    assert (after["judgments"], after["session"]) == (2, str(session.pk))


def test_freezing_is_recorded_with_the_datasets_row() -> None:
    study, ada = make_study(), make_ada()
    make_judgments(make_session(study), 2)
    dataset = freezing.freeze_dataset(study, FreezeConfig("which", test_share=0.5), user=ada)
    assert last(study) == (
        "ada",
        "Frozen as dataset which",
        {},
        {"dataset": str(dataset.pk), "judgments": 2},
    )


def test_an_import_is_recorded(tmp_path: Any) -> None:
    make_judgments(make_session(make_study()), 2)
    file = tmp_path / "answers.csv"
    file.write_text("".join(exporting.judgments_csv(Study.objects.get())))
    made = imported_study.import_study(file, name="again", user=make_ada()).study
    by, what, _, after = last(made)
    assert (by, what, after["rows"], after["file"]) == ("ada", "Imported", 2, "answers.csv")
    assert made.members.get().role == "owner"


# The page and its file


@pytest.fixture
def ada() -> Client:
    client = Client()
    client.force_login(make_ada())
    return client


def test_the_desk_records_who_pressed_the_button(ada: Client) -> None:
    study = make_study(state="draft")
    session = make_session(study)
    make_judgments(session, 1)
    pressed: dict[str, Callable[[], Any]] = {
        "Opened": lambda: ada.post(reverse("study_state", args=["which"]), {"state": "open"}),
        "Recruiting changed": lambda: ada.post(
            reverse("recruit_settings", args=["which"]), {"recruiting": "invited"}
        ),
        "Invitations made": lambda: ada.post(reverse("recruit_invite", args=["which"]), {"n": 1}),
        "Invitation 1 revoked": lambda: ada.post(
            reverse("recruit_revoke", args=["which"]),
            {"invitation": study.invitations.get().pk},
        ),
        "decided": lambda: ada.post(
            reverse("session_decide", args=["which", session.pk]),
            {"verdict": "trusted", "reason": "Watched."},
        ),
        "taken back": lambda: ada.post(reverse("session_release", args=["which", session.pk])),
    }
    for what, press in pressed.items():
        assert press().status_code in (200, 302)
        by, said, _, _ = last(study)
        assert by == "ada"
        assert what.split()[-1] in said


def test_the_history_shows_before_and_after_to_whoever_reads(ada: Client) -> None:
    study = make_study(state="draft", title="Which <one>?")
    with transaction.atomic():
        auditing.record(study, "Eve", "Renamed", {"title": "<old>"}, {"title": "new", "seed": 2})
    page = ada.get(reverse("study_history", args=["which"])).content.decode()
    assert "Eve" in page
    assert '<del><span class="spoken">before: </span>&lt;old&gt;</del>' in page
    assert '<ins><span class="spoken">after: </span>new</ins>' in page
    assert "<old>" not in page


def test_the_history_takes_as_many_queries_for_many_changes(ada: Client) -> None:
    study = make_study()

    def n_queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert ada.get(reverse("study_history", args=["which"])).status_code == 200
        return len(queries)

    n = n_queries()
    with transaction.atomic():
        for _ in range(60):
            auditing.record(study, None, "touched")
    assert n_queries() == n + 1


def test_the_history_downloads_as_csv_and_from_the_command(ada: Client) -> None:
    study = make_study(is_simulated=True)
    with transaction.atomic():
        auditing.record(study, "Eve", "Renamed", {"title": "a"}, {"title": "=b", "seed": 2})
        auditing.record(study, None, "touched")
    reply: Any = ada.get(reverse("history_csv", args=["which"]))
    assert 'filename="history-which-simulated.csv"' in reply["Content-Disposition"]
    text = b"".join(reply.streaming_content).decode()
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [row[1:] for row in rows] == [
        ["by", "what", "setting", "before", "after"],
        ["Eve", "Renamed", "title", "a", "'=b"],
        ["Eve", "Renamed", "seed", "", "2"],
        ["a command", "touched", "", "", ""],
    ]
    for form in ("csv", "json", None):
        out = StringIO()
        call_command("study_history", study="which", stdout=out, **({form: True} if form else {}))
        assert ("touched" in out.getvalue()) and ("Eve" in out.getvalue())
        if form == "json":
            assert [row["what"] for row in json.loads(out.getvalue())] == ["touched", "Renamed"]
