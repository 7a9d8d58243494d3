"""Who is paid: proposals with their reasons, and files as the providers read them."""

import csv
import io
import json
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation import approving, serving
from annotation.models import Annotator, Screening, Session, Study
from annotation.withdrawing import withdraw
from tests.factories import make_answer, make_judgments, make_session, make_study

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]

IDS = {
    "prolific": {"PROLIFIC_PID": "P{}", "STUDY_ID": "study", "SESSION_ID": "sub{}"},
    "mturk": {"workerId": "W{}", "assignmentId": "A{}", "hitId": "H"},
    "connect": {"participantId": "C{}", "assignmentId": "B{}", "projectId": "J"},
}


def make_sent(study: Study, n: int, provider: str = "prolific", **values: Any) -> Session:
    """A session of somebody whom a provider sent."""
    ids = {name: text.format(n) for name, text in IDS[provider].items()}
    who, _ = Annotator.objects.get_or_create(provider=provider, outside_id=next(iter(ids.values())))
    values = {"state": "finished", "verdict": "trusted", **values}
    return make_session(study, who, crowd={"provider": provider, **ids}, **values)


def screen(session: Session, verdict: str, *reasons: str) -> None:
    Screening.objects.create(session=session, verdict=verdict, reasons=reasons, version="1")
    Session.objects.filter(pk=session.pk).update(verdict=verdict)


def rows_of(study: Study) -> list[dict[str, str]]:
    text = "".join(approving.approvals_csv(study))
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


# Approvals


def test_a_row_tells_who_how_far_and_how_long() -> None:
    study = make_study(n_sources=3)
    session = make_sent(study, 1, state="active", completion_code="DONE")
    (first, *_) = make_judgments(session, 3)
    serving.record(session, [make_answer(first.trial, "right", supersedes=first.pk)])
    (row,) = rows_of(study)
    assert (row["provider"], row["participant"]) == ("prolific", "P1")
    assert (row["provider_session"], row["provider_project"]) == ("sub1", "study")
    assert (row["session"], row["state"], row["code"]) == (str(session.pk), "active", "DONE")
    # Three trials, one of them answered twice: 4 x 1.5 s.
    assert (row["n_judged"], row["minutes_active"]) == ("3", "0.1")


def test_hidden_time_is_no_work() -> None:
    study = make_study()
    session = make_sent(study, 1, state="active")
    make_judgments(session, 1)
    session.trials.get().judgments.update(response_ms=120_000, hidden_ms=90_000)
    assert rows_of(study)[0]["minutes_active"] == "0.5"


def test_the_newest_screening_gives_its_reasons() -> None:
    study = make_study()
    session = make_sent(study, 1)
    screen(session, "excluded", "fast", "one-sided")
    screen(session, "doubtful", "a little fast")
    (row,) = rows_of(study)
    assert (row["verdict"], row["reasons"]) == ("doubtful", "a little fast")


def test_people_without_a_provider_and_withdrawn_ones_have_a_row_too() -> None:
    study = make_study()
    make_session(study)
    gone = make_session(study)
    make_judgments(gone, 2)
    withdraw(gone)
    found = {row["session"]: row for row in rows_of(study)}
    assert len(found) == 2
    row = found[str(gone.pk)]
    assert (row["state"], row["n_judged"], row["minutes_active"]) == ("withdrawn", "0", "")
    assert (row["provider"], row["participant"]) == ("", "")


@pytest.mark.parametrize(
    ("state", "verdict", "reasons", "code", "proposed"),
    [
        ("finished", "trusted", [], "D", "approve"),
        ("finished", "", [], "D", "look"),
        ("finished", "doubtful", ["fast", "one-sided"], "D", "look"),
        ("finished", "excluded", ["fast"], "D", "look"),
        ("finished", "excluded", [], "D", "look"),
        ("finished", "excluded", ["fast", "one-sided"], "D", "reject-proposal"),
        ("active", "excluded", ["fast", "one-sided"], "", "look"),
        ("failed", "", [], "F", "look"),
        ("screened_out", "", [], "S", "look"),
        ("withdrawn", "", [], "D", "approve"),
        ("withdrawn", "", [], "", "look"),
    ],
)
def test_one_reason_alone_never_proposes_a_rejection(
    state: str, verdict: str, reasons: list[str], code: str, proposed: str
) -> None:
    decision, why = approving.decide(state, verdict, reasons, code)
    assert decision == proposed
    assert why


def test_every_state_has_a_proposal() -> None:
    for state in Session.State.values:
        for verdict in ["", *Session.Verdict.values]:
            assert approving.decide(state, verdict, ["a", "b"], "")[0] in {
                "approve", "look", "reject-proposal",
            }  # fmt: skip


def test_no_cell_is_run_by_a_spreadsheet() -> None:
    study = make_study()
    session = make_sent(study, 1)
    screen(session, "doubtful", '=HYPERLINK("https://example.org")')
    Session.objects.update(crowd={"provider": "prolific", "PROLIFIC_PID": "@SUM(1)"})
    (row,) = rows_of(study)
    assert row["participant"] == "'@SUM(1)"
    assert row["reasons"].startswith("'=")


def test_the_file_takes_one_query_for_any_number_of_sessions() -> None:
    study = make_study(n_sources=4, judgments_per_triplet=20)
    for n in range(6):
        make_judgments(make_sent(study, n, state="active"), 2)
    with CaptureQueriesContext(connection) as queries:
        assert len(rows_of(study)) == 6
    assert len(queries) == 1


# Bonus


def make_paid(provider: str = "prolific") -> Study:
    study = make_study(title="=Which, then?", recruiting="crowd")
    make_sent(study, 1, provider)
    make_sent(study, 2, provider, verdict="doubtful")
    make_sent(study, 3, provider, verdict="excluded")
    make_sent(study, 4, provider, state="active")
    make_sent(study, 5, provider, state="withdrawn")
    make_session(study, state="finished", verdict="trusted")
    return study


def test_prolifics_file_has_no_header_and_no_mark() -> None:
    found = approving.bonuses(make_paid(), "0.5")
    assert "".join(found.lines) == "P1,0.50\nP2,0.50\n"
    assert (found.n_people, found.total) == (2, Decimal("1.00"))
    assert found.left_out == {"not finished": 2, "screening": 1, "no assignment id": 0}


def test_only_trusted_sessions_where_that_is_asked() -> None:
    assert approving.bonuses(make_paid(), "2", only="trusted").lines == ("P1,2.00\n",)


def test_mechanical_turks_file_has_its_four_columns() -> None:
    study = make_paid("mturk")
    Session.objects.filter(crowd__workerId="W2").update(
        crowd={"provider": "mturk", "workerId": "W2"}
    )
    found = approving.bonuses(study, "1.25")
    rows = list(csv.reader(io.StringIO("".join(found.lines))))
    assert rows == [
        ["WorkerId", "AssignmentId", "BonusAmount", "Reason"],
        ["W1", "A1", "1.25", "Thank you for your answers in =Which, then?"],
    ]
    assert found.left_out["no assignment id"] == 1


@pytest.mark.parametrize(
    "amount",
    ["", "0", "0.00", "-1", "+1", "1e3", "nan", "inf", "1.005", "100.01", "0,50", ".5", "²"],
)
def test_an_amount_that_cannot_be_is_told(amount: str) -> None:
    with pytest.raises(ValueError, match="Found amount"):
        approving.bonuses(make_paid(), amount)


def test_one_file_is_for_one_provider() -> None:
    study = make_paid()
    make_sent(study, 9, "mturk")
    with pytest.raises(ValueError, match="mturk, prolific; expected one"):
        approving.bonuses(study, "1")
    assert approving.bonuses(study, "1", provider="mturk").n_people == 1
    with pytest.raises(ValueError, match="Found provider 'x'"):
        approving.bonuses(study, "1", provider="x")


def test_without_a_crowd_there_is_no_file() -> None:
    study = make_study()
    make_session(study, state="finished")
    with pytest.raises(ValueError, match="no crowd provider"):
        approving.bonuses(study, "1")


def test_a_provider_without_a_published_form_gets_no_invented_one() -> None:
    with pytest.raises(ValueError, match="approval file"):
        approving.bonuses(make_paid("connect"), "1")


# The command


def run(**options: Any) -> str:
    out = StringIO()
    call_command("approvals", stdout=out, **{"study": "which", **options})
    return out.getvalue()


def test_the_command_writes_the_same_as_the_page(tmp_path: Path) -> None:
    study = make_paid()
    target = tmp_path / "approvals.csv"
    told = json.loads(run(output=target, json=True))
    assert told == {"file": str(target), "n_sessions": 6}
    assert target.read_bytes().decode() == "".join(approving.approvals_csv(study))
    assert run() == "".join(approving.approvals_csv(study))


def test_the_command_writes_a_bonus_file(tmp_path: Path) -> None:
    make_paid()
    target = tmp_path / "bonus.csv"
    told = json.loads(run(bonus="0.50", only="trusted", output=target, json=True))
    assert (told["provider"], told["n_people"], told["total"]) == ("prolific", 1, "0.50")
    assert target.read_bytes() == b"P1,0.50\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"study": "ghost"}, "ghost"),
        ({"bonus": "free"}, "Found amount"),
        ({"bonus": "1", "provider": "x"}, "Found provider"),
        ({"json": True}, "--output"),
        ({"output": Path("/nowhere/at/all.csv")}, "Cannot write"),
    ],
    ids=str,
)
def test_the_command_tells_what_cannot_be(options: dict[str, Any], said: str) -> None:
    make_paid()
    with pytest.raises(CommandError, match=said):
        run(**options)
