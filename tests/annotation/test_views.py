"""The pages that people see: what is open, a study's first page, its trial page, the thanks."""

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core import signing
from django.test import Client
from django.urls import reverse

from annotation import serving
from annotation.models import Annotator, Session, Study
from annotation.recognising import COOKIE, annotator_of
from tests.factories import (
    begin_in,
    make_ada,
    make_annotator,
    make_ben,
    make_judgments,
    make_study,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]


@pytest.fixture
def ada() -> Client:
    client = Client()
    client.force_login(make_ada())
    return client


def text_of(reply: Any) -> str:
    return reply.content.decode()


def test_home_lists_open_studies_to_people_and_the_desk_to_ada(ada: Client) -> None:
    for slug, values in (
        ("open-one", {}), ("drafted", {"state": "draft"}), ("halted", {"state": "paused"}),
        ("over", {"state": "closed"}), ("robots", {"is_simulated": True}),
    ):  # fmt: skip
        make_study(slug, title=f"Study {slug}", **values)
    page = text_of(Client().get("/"))
    assert "Study open-one" in page
    assert not [slug for slug in ("drafted", "halted", "over", "robots") if slug in page]
    assert "annotation/desk.html" in [found.name for found in ada.get("/").templates]


def test_a_draft_has_no_page_for_people() -> None:
    make_study(state="draft")
    for name in ("welcome", "trial"):
        assert Client().get(reverse(name, args=["which"])).status_code == 404
    assert Client().post(reverse("begin", args=["which"])).status_code == 404


@pytest.mark.parametrize("state", ["paused", "closed"])
def test_a_study_that_stopped_says_so_and_begins_no_session(state: str) -> None:
    make_study(state=state)
    ben = Client()
    page = text_of(ben.get(reverse("welcome", args=["which"])))
    assert ("paused" if state == "paused" else "no more choices") in page
    assert begin_in(ben, Study.objects.get())["Location"] == "/s/which/"
    assert not Session.objects.exists()
    assert not Annotator.objects.exists()


def test_looking_at_a_study_stores_nothing_about_a_visitor() -> None:
    make_study()
    ben = Client()
    assert "agree" in text_of(ben.get(reverse("welcome", args=["which"])))
    assert COOKIE not in ben.cookies
    assert not Annotator.objects.exists()


def test_nobody_begins_without_consent() -> None:
    make_study()
    ben = Client()
    for form in ({}, {"consent": ""}):
        reply = ben.post(reverse("begin", args=["which"]), form)
        assert reply["Location"] == reverse("welcome", args=["which"])
    assert not Session.objects.exists()
    assert not Annotator.objects.exists()


def test_beginning_again_in_the_same_browser_goes_on() -> None:
    study = make_study(n_sources=3, session_length=3)
    ben = Client()
    for _ in range(2):
        reply = begin_in(ben, Study.objects.get())
        assert reply["Location"] == reverse("trial", args=["which"])
    session = study.sessions.get()
    make_judgments(session, 2)
    page = text_of(ben.get(reverse("welcome", args=["which"])))
    assert "Continue" in page
    assert "2 of 3" in page


def test_a_begun_session_belongs_to_the_account_where_there_is_one() -> None:
    make_study()
    client = Client()
    ben = make_ben()
    client.force_login(ben)
    begin_in(client, Study.objects.get())
    assert Session.objects.get().annotator.user == ben


@pytest.mark.parametrize("name", ["trial", "thanks"])
def test_a_page_of_a_session_leads_to_the_first_page_where_there_is_none(name: str) -> None:
    make_study()
    reply = Client().get(reverse(name, args=["which"]))
    assert (reply.status_code, reply["Location"]) == (302, "/s/which/")


def test_the_completion_code_is_shown_to_its_own_browser_alone() -> None:
    study = make_study()
    ben, other = Client(), Client()
    for client in (other, ben):
        begin_in(client, Study.objects.get())
    session = study.sessions.latest("started_at")
    assert ben.get(reverse("thanks", args=["which"])).status_code == 302
    make_judgments(session, 2)
    serving.finish(session)
    assert session.completion_code in text_of(ben.get(reverse("thanks", args=["which"])))
    assert other.get(reverse("thanks", args=["which"])).status_code == 302


def test_pages_of_a_session_are_not_kept_by_caches() -> None:
    make_study()
    ben = Client()
    begin_in(ben, Study.objects.get())
    for name in ("welcome", "trial"):
        control = ben.get(reverse(name, args=["which"]))["Cache-Control"]
        assert "no-store" in control
        assert "private" in control


def test_a_cookie_of_nobody_begins_as_somebody_new() -> None:
    make_study()
    ben = Client()
    ben.cookies[COOKIE] = f"{uuid.uuid4()}:forged"
    begin_in(ben, Study.objects.get())
    assert Annotator.objects.get().user is None


def test_a_cookie_of_a_simulated_observer_is_nobodys(rf: Any) -> None:
    observer, person = make_annotator(is_simulated=True), make_annotator()
    for annotator, found in ((observer, None), (person, person)):
        request = rf.get("/")
        request.user = AnonymousUser()
        signer = signing.get_cookie_signer(salt=COOKIE)
        request.COOKIES[COOKIE] = signer.sign(str(annotator.pk))
        assert annotator_of(request) == found
