"""Invitations: links that let one person in, kept as hashes, remembered for one page."""

import json
from hashlib import sha256
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation import inviting
from annotation.models import Annotator, Invitation
from tests.factories import make_ada, make_annotator, make_study

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home", "own_cache")]


@pytest.fixture
def own_cache(settings: Any, tmp_path: Any) -> None:
    """Bad links are counted by address, and all tests have the same one."""
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": tmp_path / "cache"}}


def used(token: str) -> Invitation:
    found = inviting.by_token(token)
    assert found
    found.used_at, found.annotator = found.created_at, make_annotator()
    found.save()
    return found


def open_link(token: str, client: Client | None = None) -> Any:
    return (client or Client()).get(reverse("invitation", args=[token]))


def test_tokens_are_long_and_only_their_hashes_are_stored() -> None:
    study = make_study()
    ada = make_ada()
    tokens = inviting.invite(study, 3, "lab 4", user=ada)
    assert len({*tokens}) == 3
    assert all(len(token) >= 43 for token in tokens)
    rows = Invitation.objects.all()
    assert {row.token_sha256 for row in rows} == {sha256(t.encode()).hexdigest() for t in tokens}
    assert {(row.note, row.state, row.created_by) for row in rows} == {("lab 4", "unused", ada)}
    stored = json.dumps(list(rows.values()), default=str)
    assert not [token for token in tokens if token in stored]


@pytest.mark.parametrize("n", [0, -1, 1001])
def test_a_number_of_invitations_that_cannot_be_is_told(n: int) -> None:
    with pytest.raises(ValueError, match="expected 1 to 1000"):
        inviting.invite(make_study(), n)
    assert not Invitation.objects.exists()


def test_nobody_is_invited_to_a_simulated_study() -> None:
    with pytest.raises(ValueError, match="simulated"):
        inviting.invite(make_study(is_simulated=True), 1)


def test_an_invitation_is_revoked_once() -> None:
    (token,) = inviting.invite(make_study(), 1)
    found = inviting.by_token(token)
    assert found
    inviting.revoke(found)
    assert found.state == "revoked"
    with pytest.raises(ValueError, match="revoked already"):
        inviting.revoke(found)


# The link


def test_a_link_leads_to_the_study_and_leaves_no_token_in_the_address() -> None:
    (token,) = inviting.invite(make_study(), 1)
    client = Client()
    reply = open_link(token, client)
    assert (reply.status_code, reply["Location"]) == (302, "/s/which/")
    cookie = client.cookies[inviting.COOKIE]
    assert token not in cookie.value
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/s/which/", True, "Lax")
    assert 0 < cookie["max-age"] <= 4 * 3600
    assert "no-store" in reply["Cache-Control"]


def test_opening_a_link_uses_nothing_up() -> None:
    (token,) = inviting.invite(make_study(), 1)
    for _ in range(3):
        assert open_link(token).status_code == 302
    assert Invitation.objects.get().state == "unused"
    assert not Annotator.objects.exists()


@pytest.mark.parametrize(
    ("kind", "status", "said"),
    [("unknown", 404, "not an invitation"), ("used", 410, "used"), ("revoked", 410, "taken back")],
)
def test_a_link_that_lets_nobody_in_says_why(kind: str, status: int, said: str) -> None:
    (token,) = inviting.invite(make_study(), 1)
    if kind == "used":
        used(token)
    if kind == "revoked":
        Invitation.objects.update(revoked_at="2026-01-01T00:00Z")
    reply = open_link("x" * 43 if kind == "unknown" else token)
    assert reply.status_code == status
    assert said in reply.content.decode()
    assert inviting.COOKIE not in reply.cookies


def test_every_link_takes_the_same_queries() -> None:
    """What a reply takes tells nobody whether a token exists."""
    good, revoked, gone = inviting.invite(make_study(), 3)
    used(gone)
    Invitation.objects.filter(token_sha256=sha256(revoked.encode()).hexdigest()).update(
        revoked_at="2026-01-01T00:00Z"
    )
    counts = set()
    for token in (good, revoked, gone, "x" * 43, "short"):
        with CaptureQueriesContext(connection) as queries:
            open_link(token)
        counts.add(len(queries))
    assert counts == {1}


def test_whoever_tries_many_links_waits(settings: Any) -> None:
    settings.BAD_INVITATIONS_PER_HOUR = 3
    (token,) = inviting.invite(make_study(), 1)
    assert [open_link("y" * 43).status_code for _ in range(5)] == [404, 404, 404, 429, 429]
    assert open_link(token).status_code == 429
    elsewhere = Client(REMOTE_ADDR="198.51.100.5")
    assert open_link(token, elsewhere).status_code == 302


def test_good_links_are_never_counted(settings: Any) -> None:
    settings.BAD_INVITATIONS_PER_HOUR = 1
    for token in inviting.invite(make_study(), 4):
        assert open_link(token).status_code == 302


# The command


def run(**options: Any) -> Any:
    out = StringIO()
    call_command("invite", json=True, stdout=out, **options)
    return json.loads(out.getvalue())


def test_the_command_prints_links_that_work() -> None:
    make_study()
    told = run(study="which", n=2, note="lab", site="https://triad.example.org/")
    assert told["note"] == "lab"
    prefix = "https://triad.example.org/i/"
    assert len(told["links"]) == 2
    for link in told["links"]:
        assert link.startswith(prefix)
        assert open_link(link.removeprefix(prefix).rstrip("/")).status_code == 302


def test_the_command_revokes() -> None:
    inviting.invite(make_study(), 1)
    pk = Invitation.objects.get().pk
    assert run(revoke=pk) == {"revoked": pk, "state": "revoked"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"study": "ghost"}, "known: which"),
        ({"study": "which", "n": 0}, "1 to 1000"),
        ({"revoke": 99}, "number 99"),
    ],
    ids=str,
)
def test_the_command_tells_what_cannot_be(options: dict[str, Any], said: str) -> None:
    make_study()
    with pytest.raises(CommandError, match=said):
        run(**options)
