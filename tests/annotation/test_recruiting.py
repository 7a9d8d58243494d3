"""The desk's tab about who answers, and its verbs and command."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation import inviting, recruiting
from annotation.models import Invitation, Study
from annotation.withdrawing import withdraw
from tests.factories import make_ada, make_annotator, make_judgments, make_session, make_study

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]


@pytest.fixture
def ada() -> Client:
    client = Client()
    client.force_login(make_ada())
    return client


def tab(client: Client, slug: str = "which", **params: Any) -> str:
    reply = client.get(reverse("study_recruit", args=[slug]), params)
    assert reply.status_code == 200
    return str(reply.content.decode())


def post(client: Client, name: str, **form: Any) -> Any:
    return client.post(reverse(name, args=["which"]), form, follow=True)


# Verbs


@pytest.mark.parametrize("state", ["draft", "open", "paused", "closed"])
def test_who_may_come_in_changes_at_any_time(state: str) -> None:
    study = make_study(state=state)
    recruiting.change_recruiting(study, "crowd", {"finished": "DONE", "failed": ""})
    study.refresh_from_db()
    assert (study.recruiting, study.completion_codes) == ("crowd", {"finished": "DONE"})
    recruiting.change_recruiting(study, "invited")
    study.refresh_from_db()
    assert (study.recruiting, study.completion_codes) == ("invited", {"finished": "DONE"})


@pytest.mark.parametrize(
    ("way", "codes", "said"),
    [
        ("friends", {}, "Found recruiting 'friends'"),
        ("crowd", {"finished": "two words"}, "Found code"),
        ("crowd", {"best": "X"}, "Found outcome"),
    ],
)
def test_what_cannot_be_changes_nothing(way: str, codes: dict[str, str], said: str) -> None:
    study = make_study()
    with pytest.raises(ValueError, match=said):
        recruiting.change_recruiting(study, way, codes)
    study.refresh_from_db()
    assert (study.recruiting, study.completion_codes) == ("open_link", {})


def test_each_way_in_has_its_links() -> None:
    address = "https://example.org/s/which/"
    n_links = {"open_link": 1, "accounts": 1, "invited": 0, "crowd": 3}
    for way in Study.Recruiting.values:
        links = recruiting.links_for(make_study(way, recruiting=way), address)
        assert len(links) == n_links[way]
        assert all(link.address.startswith(address) and link.note for link in links)
    assert not recruiting.links_for(make_study("robots", is_simulated=True), address)


# The tab


def test_the_tab_shows_the_link_and_who_came(ada: Client) -> None:
    study = make_study(n_sources=4)
    for state in ("finished", "finished", "failed"):
        make_session(study, state=state)
    gone = make_session(study)
    make_judgments(gone, 3)
    withdraw(gone)
    page = tab(ada)
    assert "<code>http://testserver/s/which/</code>" in page
    assert "1 person took back 3 judgments" in page
    came = recruiting.came(study)
    assert came.by_state == {
        "active": 0, "finished": 2, "failed": 1, "screened_out": 0, "withdrawn": 1,
    }  # fmt: skip


def test_a_crowd_study_shows_prolifics_placeholders(ada: Client) -> None:
    make_study(recruiting="crowd")
    assert "?PROLIFIC_PID={{%PROLIFIC_PID%}}&amp;STUDY_ID={{%STUDY_ID%}}" in tab(ada)


def test_ada_changes_the_way_in_and_the_codes(ada: Client) -> None:
    study = make_study()
    reply = post(
        ada, "recruit_settings", recruiting="crowd", code_finished=" C1 ", code_failed="C2"
    )
    assert "crowd provider" in reply.content.decode()
    study.refresh_from_db()
    assert study.recruiting == "crowd"
    assert study.completion_codes == {"finished": "C1", "failed": "C2"}
    reply = post(ada, "recruit_settings", recruiting="crowd", code_finished="not a code")
    assert "expected 1 to 20 letters" in reply.content.decode()
    study.refresh_from_db()
    assert study.completion_codes == {"finished": "C1", "failed": "C2"}


def test_new_links_are_shown_once_and_work(ada: Client) -> None:
    make_study(recruiting="invited")
    reply = post(ada, "recruit_invite", n="3", note="lab <4>")
    links = reply.context["new_links"]
    page = reply.content.decode()
    assert len(links) == 3
    assert all(link in page for link in links)
    assert "lab &lt;4&gt;" in page
    assert "no-store" in reply["Cache-Control"]
    assert Client().get(links[0]).status_code == 302
    assert not [link for link in links if link in tab(ada)]
    assert {str(row.created_by) for row in Invitation.objects.all()} == {"ada"}


@pytest.mark.parametrize("n", ["0", "", "many", "1001", "-3", "²"])
def test_a_number_that_cannot_be_is_told(ada: Client, n: str) -> None:
    make_study()
    assert "expected 1 to 1000" in post(ada, "recruit_invite", n=n).content.decode()
    assert not Invitation.objects.exists()


def test_ada_revokes(ada: Client) -> None:
    study = make_study()
    inviting.invite(study, 1)
    pk = Invitation.objects.get().pk
    assert "lets nobody in" in post(ada, "recruit_revoke", invitation=pk).content.decode()
    assert Invitation.objects.get().state == "revoked"
    assert "revoked already" in post(ada, "recruit_revoke", invitation=pk).content.decode()


@pytest.mark.parametrize("pk", ["", "x", "99"])
def test_an_invitation_of_another_study_is_not_found(ada: Client, pk: str) -> None:
    make_study()
    inviting.invite(make_study("other"), 1)
    for value in (pk, Invitation.objects.get().pk):
        assert post(ada, "recruit_revoke", invitation=value).status_code == 404
    assert Invitation.objects.get().state == "unused"


def test_the_list_has_pages(ada: Client) -> None:
    inviting.invite(make_study(), 60)
    assert "Page 1 of 2" in tab(ada)
    assert tab(ada, page=2).count('aria-label="Revoke invitation') == 10


def test_the_tab_takes_as_many_queries_for_many_rows_as_for_few(ada: Client) -> None:
    study = make_study()
    counts = []
    for n in (1, 20):
        inviting.invite(study, n)
        for _ in range(n):
            make_session(study, make_annotator(), state="finished")
        with CaptureQueriesContext(connection) as queries:
            tab(ada)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 15


def test_a_simulated_study_recruits_nobody(ada: Client) -> None:
    make_study(is_simulated=True)
    assert "Nobody is recruited" in tab(ada)
    assert "simulated" in post(ada, "recruit_settings", recruiting="crowd").content.decode()
    assert Study.objects.get().recruiting == "open_link"


def test_the_downloads_are_named_for_their_study(ada: Client) -> None:
    study = make_study()
    make_session(
        study, state="finished", crowd={"provider": "prolific", "PROLIFIC_PID": "P1"}
    )  # fmt: skip
    reply = ada.get(reverse("approvals_csv", args=["which"]))
    assert reply.streaming
    assert reply["Content-Disposition"] == 'attachment; filename="approvals-which.csv"'
    assert "P1" in reply.getvalue().decode()
    reply = ada.get(reverse("bonus_csv", args=["which"]), {"amount": "0.50"})
    assert reply["Content-Disposition"] == 'attachment; filename="bonus-prolific-which.csv"'
    assert reply.content == b"P1,0.50\n"
    reply = ada.get(reverse("bonus_csv", args=["which"]), {"amount": "free"}, follow=True)
    assert "Found amount" in reply.content.decode()


# The command


def run(**options: Any) -> Any:
    out = StringIO()
    call_command("recruit", json=True, stdout=out, **{"study": "which", **options})
    return json.loads(out.getvalue())


def test_the_command_says_and_changes_the_same() -> None:
    make_study(completion_codes={"failed": "F"})
    assert run()["recruiting"] == "open_link"
    told = run(mode="crowd", code=["finished=C1", "failed="])
    assert (told["recruiting"], told["completion_codes"]) == ("crowd", {"finished": "C1"})
    assert len(told["links"]) == 3
    assert told["sessions"]["withdrawn"] == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [({"study": "ghost"}, "ghost"), ({"code": ["C1"]}, "OUTCOME=CODE"), ({"code": ["x=C1"]}, "x")],
    ids=str,
)
def test_the_command_tells_what_cannot_be(options: dict[str, Any], said: str) -> None:
    make_study()
    with pytest.raises(CommandError, match=said):
        run(**options)
