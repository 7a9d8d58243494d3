"""Judgments page by page, while others come in."""

import base64
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from annotation import serving
from annotation.models import Judgment, Study
from tests.annotation.rest.asking import Program, make_program
from tests.factories import make_ada, make_answer, make_judgments, make_session, make_study

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]


@pytest.fixture
def ada() -> Program:
    return make_program(make_ada())


@pytest.fixture
def study() -> Study:
    return make_study(n_sources=6, session_length=6, judgments_per_triplet=9)


def stored(study: Study, n: int, *, ago_s: float) -> list[Judgment]:
    """Some judgments, all stored at one moment."""
    rows = make_judgments(make_session(study), n)
    at = timezone.now() - timedelta(seconds=ago_s)
    Judgment.objects.filter(pk__in=[row.pk for row in rows]).update(server_time=at)
    return rows


def page(program: Program, cursor: str | None, limit: int = 2) -> dict[str, Any]:
    query = f"?limit={limit}" + (f"&cursor={cursor}" if cursor else "")
    return dict(program.get(f"/studies/which/judgments{query}").json())


def test_rows_that_come_in_meanwhile_neither_double_nor_hide_any(
    ada: Program, study: Study
) -> None:
    early = stored(study, 5, ago_s=60)
    found, cursor, n_pages = [], None, 0
    while True:
        told = page(ada, cursor)
        found += [row["id"] for row in told["items"]]
        n_pages += 1
        if n_pages == 2:
            late = stored(study, 4, ago_s=30)
        cursor = told["next"]
        if cursor is None:
            break
    assert len(found) == len(set(found)) == 9
    assert set(found) == {str(row.pk) for row in early + late}
    assert set(found[:5]) == {str(row.pk) for row in early}


def test_what_is_just_being_stored_waits_for_the_next_call(ada: Program, study: Study) -> None:
    rows = make_judgments(make_session(study), 1)
    assert page(ada, None)["items"] == []
    Judgment.objects.filter(pk=rows[0].pk).update(server_time=timezone.now() - timedelta(seconds=3))
    assert [row["id"] for row in page(ada, None)["items"]] == [str(rows[0].pk)]


def test_a_judgment_tells_what_was_chosen_and_when(ada: Program, study: Study) -> None:
    (row,) = stored(study, 1, ago_s=9)
    (told,) = page(ada, None)["items"]
    triplet = row.trial.triplet
    chosen = triplet.first if row.choice == "first" else triplet.second
    assert told["choice"] == row.choice
    assert told["chosen_codec"] == chosen.codec
    assert told["response_ms"] == 1500.0
    assert told["trial"] == str(row.trial_id)
    assert told["triplet"] == triplet.pk
    assert told["is_simulated"] is False


def test_an_undo_is_told_on_both_rows(ada: Program, study: Study) -> None:
    session = make_session(study)
    (row,) = make_judgments(session, 1)
    undo = make_answer(row.trial, "right", supersedes=row.pk)
    serving.record(session, [undo])
    Judgment.objects.update(server_time=timezone.now() - timedelta(seconds=9))
    told = {item["id"]: item for item in page(ada, None)["items"]}
    assert told[str(row.pk)]["superseded_by"] == str(undo.id)
    assert told[str(undo.id)]["supersedes"] == str(row.pk)
    assert told[str(undo.id)]["superseded_by"] is None


def test_simulated_answers_say_so(ada: Program) -> None:
    stored(make_study(is_simulated=True), 1, ago_s=9)
    assert page(ada, None)["items"][0]["is_simulated"] is True


def test_another_studys_answers_do_not_come(ada: Program, study: Study) -> None:
    stored(make_study("other"), 1, ago_s=9)
    assert page(ada, None)["items"] == []


def test_a_long_page_takes_as_many_queries_as_a_short_one(
    ada: Program, study: Study, django_assert_max_num_queries: Any
) -> None:
    for _ in range(4):
        stored(study, 6, ago_s=9)
    page(ada, None)
    with django_assert_max_num_queries(4):
        assert len(page(ada, None, limit=24)["items"]) == 24


@pytest.mark.parametrize(
    "values",
    [
        [], ["2026-01-01"], ["2026-01-01", str(UUID(int=1))], ["x", str(UUID(int=1))],
        ["9999-12-31T23:59:59-23:00", str(UUID(int=1))], ["2026-01-01T00:00:00+00:00", "x"],
        ["2026-01-01T00:00:00+00:00", str(UUID(int=1)), 1], [1, 2], {"a": 1, "b": 2}, 7,
    ],
)  # fmt: skip
def test_a_cursor_that_was_made_up_is_refused(ada: Program, study: Study, values: Any) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")
    reply = ada.get(f"/studies/which/judgments?cursor={cursor}")
    assert reply.status_code == 422
    assert "cursor" in reply.json()["detail"]
