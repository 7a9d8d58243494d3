"""Who the API lets in: by token, scope, part in the study; how often; and how it refuses."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from annotation.models import StudyMember
from codecs_eval import tokens
from codecs_eval.models import ApiToken
from tests.annotation.rest.asking import ROOT, Program, make_program
from tests.factories import make_ada, make_ben, make_cleo, make_study, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]
Role = StudyMember.Role


def told(reply: Any, status: int) -> str:
    """The detail of a problem, whose form is the same everywhere."""
    assert reply.status_code == status, reply.content
    assert reply["Content-Type"] == "application/problem+json"
    body = reply.json()
    assert set(body) == {"type", "title", "status", "detail", "errors"}
    assert body["status"] == status
    return str(body["detail"])


def test_without_a_token_nobody_comes_in() -> None:
    reply = Client().get(f"{ROOT}/studies")
    assert "bearer token" in told(reply, 401)
    assert reply["WWW-Authenticate"].startswith("Bearer")


def test_a_login_opens_nothing() -> None:
    client = Client()
    client.force_login(make_ada(is_superuser=True))
    told(client.get(f"{ROOT}/studies"), 401)


def test_a_token_that_was_never_made_is_refused() -> None:
    assert "is none" in told(Program("triad_guessed").get("/studies"), 401)


def test_a_token_opens_until_it_expires() -> None:
    row, text = tokens.make_token(make_ada(), "soon over", ["studies:read"], days=1)
    program = Program(text)
    assert program.get("/studies").status_code == 200
    ApiToken.objects.filter(pk=row.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert "expired" in told(program.get("/studies"), 401)


def test_a_token_opens_until_it_is_revoked() -> None:
    row, text = tokens.make_token(make_ada(), "lost", ["studies:read"])
    tokens.revoke(row)
    assert "revoked" in told(Program(text).get("/studies"), 401)


def test_a_token_of_an_account_that_was_closed_opens_nothing() -> None:
    ada = make_ada()
    program = make_program(ada)
    ada.is_active = False
    ada.save(update_fields=["is_active"])
    told(program.get("/studies"), 401)


def test_the_token_itself_is_nowhere_in_its_row() -> None:
    row, text = tokens.make_token(make_ada(), "secret", ["studies:read"])
    values = [str(getattr(row, field.name)) for field in ApiToken._meta.fields]
    assert not any(text in value or text.removeprefix("triad_") in value for value in values)
    assert tokens.find_token(text) == row
    assert tokens.find_token(text[:-1]) is None


def test_the_use_of_a_token_is_noted_once_a_minute() -> None:
    row, text = tokens.make_token(make_ada(), "used", ["studies:read"])
    Program(text).get("/studies")
    first = ApiToken.objects.get(pk=row.pk).last_used_at
    assert first is not None
    Program(text).get("/studies")
    assert ApiToken.objects.get(pk=row.pk).last_used_at == first


@pytest.mark.parametrize("days", [0, 367])
def test_no_token_is_made_for_ever(days: int) -> None:
    with pytest.raises(ValueError, match="expected 1 to 366"):
        tokens.make_token(make_ada(), "for ever", ["studies:read"], days)


@pytest.mark.parametrize("scopes", [[], ["studies:burn"]])
def test_a_token_has_scopes_that_there_are(scopes: list[str]) -> None:
    with pytest.raises(ValueError, match="Found scopes"):
        tokens.make_token(make_ada(), "strange", scopes)


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        ("studies:read", "/studies/which"),
        ("studies:read", "/studies/which/progress"),
        ("judgments:read", "/studies/which/judgments"),
        ("runs:read", "/runs"),
        ("runs:read", "/codecs"),
    ],
)
def test_each_address_wants_its_own_scope(scope: str, path: str) -> None:
    make_study()
    ada = make_ada()
    others = tuple(value for value in ApiToken.Scope.values if value != scope)
    assert f"expected one for {scope}" in told(make_program(ada, others).get(path), 403)
    assert make_program(ada, (scope,)).get(path).status_code == 200


@pytest.mark.parametrize("path", ["", "/triplets", "/progress", "/judgments", "/results"])
def test_another_ones_study_is_not_found(path: str) -> None:
    study = make_study()
    StudyMember.objects.create(study=study, user=make_ben(), role=Role.OWNER)
    detail = told(make_program(make_ada()).get(f"/studies/which{path}"), 404)
    assert detail == told(make_program(make_cleo()).get(f"/studies/which{path}"), 404)
    ghost = told(make_program(make_user("eve")).get(f"/studies/ghost{path}"), 404)
    assert ghost.replace("ghost", "which") == detail


def test_a_list_has_the_studies_that_one_may_read() -> None:
    mine, other = make_study("mine"), make_study("other")
    ben = make_ben()
    StudyMember.objects.create(study=mine, user=ben, role=Role.VIEWER)
    StudyMember.objects.create(study=other, user=make_ada(), role=Role.OWNER)
    items = make_program(ben).get("/studies").json()["items"]
    assert [item["slug"] for item in items] == ["mine"]


@pytest.mark.parametrize(
    ("role", "status"), [(Role.VIEWER, 403), (Role.RESEARCHER, 200), (Role.OWNER, 200)]
)
def test_a_viewer_reads_and_a_researcher_changes(role: str, status: int) -> None:
    study = make_study(state="draft")
    ben = make_ben()
    StudyMember.objects.create(study=study, user=ben, role=role)
    program = make_program(ben)
    assert program.get("/studies/which").json()["role"] == role
    reply = program.post("/studies/which/state", {"state": "open"})
    assert reply.status_code == status
    study.refresh_from_db()
    assert study.state == ("open" if status == 200 else "draft")


def test_who_only_answers_sees_nothing_of_the_study() -> None:
    ben = make_ben()
    StudyMember.objects.create(study=make_study(), user=ben, role=Role.ANNOTATOR)
    told(make_program(ben).get("/studies/which"), 404)


@pytest.mark.parametrize("path", ["/datasets", "/codecs", "/metrics", "/run-kinds"])
def test_what_is_the_desks_is_for_researchers(path: str) -> None:
    assert "researcher" in told(make_program(make_cleo()).get(path), 403)


def test_a_token_may_ask_so_often_in_a_minute_and_another_is_not_held_up(settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 2
    ada = make_ada()
    program, other = make_program(ada), make_program(ada)
    # A minute that ends between two requests begins a new count: at most four pass then.
    replies = [program.get("/studies") for _ in range(5)]
    assert replies[0].status_code == 200
    assert "more requests" in told(replies[-1], 429)
    assert 0 <= int(replies[-1]["Retry-After"]) <= 60
    assert other.get("/studies").status_code == 200


@pytest.mark.parametrize("path", ["/nowhere", "/studies/which/", "/studies/a/b/c", "/"])
def test_an_address_that_is_none_is_told_as_the_api_speaks(path: str) -> None:
    told(make_program(make_ada()).get(path), 404)


def test_a_method_that_is_none_is_told_with_those_that_are() -> None:
    reply = make_program(make_ada()).ask("DELETE", "/studies")
    assert "GET" in told(reply, 405)
    assert set(reply["Allow"].split(", ")) == {"GET", "POST"}


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff",
        b'{"state": NaN}',
        b'{"state": "\\u0000"}',
        b'{"state": "\\ud800"}',
        b"[" * 9000,
    ],
)
def test_a_body_that_no_database_could_hold_is_refused_at_the_door(body: bytes) -> None:
    make_study()
    reply = make_program(make_ada()).ask("POST", "/studies/which/state", body)
    assert "cannot be read" in told(reply, 400)


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "cursor=%00", "cursor=MQ"])
def test_a_question_that_cannot_be_is_refused_with_what_was_expected(query: str) -> None:
    told(make_program(make_ada()).get(f"/studies?{query}"), 422)


def test_what_is_not_documented_is_not_taken() -> None:
    make_study()
    reply = make_program(make_ada()).post("/studies/which/state", {"state": "open", "by": "me"})
    assert "by" in told(reply, 422)


def test_answers_are_kept_by_nobody_on_the_way() -> None:
    assert make_program(make_ada()).get("/studies")["Cache-Control"] == "private, no-store"


def test_the_schema_is_there_for_everybody() -> None:
    schema = Client().get(f"{ROOT}/openapi.json").json()
    assert schema["openapi"].startswith("3.1")
    operations = [told for path in schema["paths"].values() for told in path.values()]
    assert all(told["security"] == [{"BearerToken": []}] for told in operations)
    assert all({"401", "403", "422", "429"} < set(told["responses"]) for told in operations)
