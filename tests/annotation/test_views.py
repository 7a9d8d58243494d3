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
        ("ended-one", {"state": "closed"}), ("robots", {"is_simulated": True}),
    ):  # fmt: skip
        make_study(slug, title=f"Study {slug}", **values)
    page = text_of(Client().get("/"))
    assert "Study open-one" in page
    assert not [slug for slug in ("drafted", "halted", "ended-one", "robots") if slug in page]
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


@pytest.mark.parametrize(
    ("form", "has_begun"),
    [({"consent": "on"}, False), ({"flicker_consent": "on"}, False),
     ({"consent": "on", "flicker_consent": "on"}, True)],
)  # fmt: skip
def test_flicker_needs_a_consent_of_its_own(form: dict[str, str], has_begun: bool) -> None:
    study = make_study(mode="flicker")
    ben = Client()
    page = text_of(ben.get(reverse("welcome", args=["which"])))
    assert "epilepsy" in page
    assert 'name="flicker_consent" required' in page
    ben.post(reverse("begin", args=["which"]), form)
    assert study.sessions.exists() == has_begun


def test_other_modes_do_not_warn_of_flicker() -> None:
    make_study()
    assert "flicker" not in text_of(Client().get(reverse("welcome", args=["which"])))


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


def test_the_first_page_says_what_to_expect_in_plain_words() -> None:
    study = make_study()
    Study.objects.filter(pk=study.pk).update(
        session_length=30, n_practice=4, practice_pass_share=0.7, n_warm_up=3, break_every=10,
        time_limit_s=20, computers_only=True, require_ratio_one=True, reward="3 euros",
        min_screen_width_px=1920, min_screen_height_px=1080, ask_colour_plates=True,
    )  # fmt: skip
    page = " ".join(text_of(Client().get(reverse("welcome", args=["which"]))).split())
    for sentence in (
        "About 4 minutes.", "30 comparisons.", "3 euros", "4 comparisons come first for practice.",
        "3 of them must be right", "The first 3 choices", "After every 10 comparisons",
        "disappear after 20 seconds", "A computer: telephones and tablets are not taken.",
        "at least 1920 × 1080 pixels", "must be at 100 %.", "colours",
    ):  # fmt: skip
        assert sentence in page
    assert "bank card" not in page


def test_a_person_who_has_practised_is_promised_no_practice_again() -> None:
    study = make_study(sessions_per_person=0)
    ben = Client()
    begin_in(ben, study)
    serving.close(study.sessions.get(), Session.State.FINISHED)
    Study.objects.filter(pk=study.pk).update(n_practice=4)
    address = reverse("welcome", args=["which"])
    assert "come first for practice" in text_of(Client().get(address))
    assert "come first for practice" not in text_of(ben.get(address))


def test_a_chosen_language_is_remembered_and_keeps_the_providers_parameters() -> None:
    make_study(recruiting="crowd")
    ben = Client()
    address = reverse("welcome", args=["which"])
    query = "PROLIFIC_PID=p1&SESSION_ID=s1&STUDY_ID=t1"
    page = text_of(ben.get(f"{address}?{query}"))
    assert f'href="?{query.replace("&", "&amp;")}&amp;language=de"' in page
    page = text_of(ben.get(f"{address}?{query}&language=de"))
    assert '<html lang="de">' in page
    assert f'action="/s/which/begin?{query.replace("&", "&amp;")}' in page
    reply = ben.get(f"{address}?{query}")
    assert '<html lang="de">' in text_of(reply)
    assert {"Accept-Language", "Cookie"} <= set(reply["Vary"].split(", "))


def test_a_session_speaks_the_language_that_its_person_read() -> None:
    study = make_study()
    ben = Client()
    ben.post(reverse("begin", args=["which"]), {"consent": "on", "language": "de"})
    assert study.sessions.get().language == "de"
    for name in ("welcome", "trial", "withdraw"):
        page = text_of(ben.get(reverse(name, args=["which"]) + "?language=en"))
        assert '<html lang="de">' in page
        assert "hreflang" not in page


def test_a_language_that_no_page_has_is_not_begun_in() -> None:
    study = make_study()
    Client().post(reverse("begin", args=["which"]), {"consent": "on", "language": "tlh"})
    assert study.sessions.get().language == "en"


def test_a_study_in_english_alone_has_no_switch() -> None:
    make_study(question="Which would you keep?")
    page = text_of(Client(HTTP_ACCEPT_LANGUAGE="de").get(reverse("welcome", args=["which"])))
    assert '<html lang="en">' in page
    assert "Deutsch" not in page


def test_home_puts_a_question_that_is_in_english_alone_in_english() -> None:
    make_study(question="Which would you keep?")
    page = text_of(Client(HTTP_ACCEPT_LANGUAGE="de").get("/"))
    assert '<html lang="de">' in page
    assert '<span lang="en">Which would you keep?</span>' in page


def test_another_worker_in_the_same_browser_does_not_go_on_with_the_first_ones_session() -> None:
    study = make_study(recruiting="crowd")
    browser, address = Client(), reverse("welcome", args=["which"])
    query = "?PROLIFIC_PID={}&SESSION_ID=s1&STUDY_ID=t1"
    form = browser.get(address + query.format("p1")).context
    ticket = {form["ticket_name"]: form["ticket"]}
    browser.post(reverse("begin", args=["which"]), {"consent": "on", **ticket})
    assert "Continue" in text_of(browser.get(address + query.format("p1")))
    page = text_of(browser.get(address + query.format("p2")))
    assert "Continue" not in page
    assert "taken part in this study already" in page
    assert reverse("thanks", args=["which"]) not in page
    assert study.sessions.get().annotator.outside_id == "p1"


REFUSALS = {
    "accounts": "needs you to log in",
    "invited": "open to people who were invited",
    "crowd": "opened from its page at your crowd platform",
}


@pytest.mark.parametrize("recruiting", REFUSALS)
def test_whoever_may_not_come_in_is_told_why_and_what_to_do(recruiting: str) -> None:
    study = make_study(recruiting=recruiting)
    reply = Client().get(reverse("welcome", args=["which"]))
    assert (reply.status_code, REFUSALS[recruiting] in text_of(reply)) == (403, True)
    reply = begin_in(Client(), study)
    assert (reply.status_code, REFUSALS[recruiting] in text_of(reply)) == (403, True)
    assert not study.sessions.exists()


def test_a_login_leads_back_to_the_study() -> None:
    make_study(recruiting="accounts")
    page = text_of(Client().get(reverse("welcome", args=["which"])))
    assert 'href="/login/?next=%2Fs%2Fwhich%2F"' in page


def test_a_preview_is_told_to_accept_first() -> None:
    make_study(recruiting="crowd")
    reply = Client().get(
        reverse("welcome", args=["which"]) + "?assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE"
    )
    assert (reply.status_code, "This is a preview" in text_of(reply)) == (200, True)


def test_who_took_part_is_led_to_the_last_page_instead() -> None:
    study = make_study()
    ben = Client()
    begin_in(ben, study)
    serving.close(study.sessions.get(), "finished")
    page = text_of(ben.get(reverse("welcome", args=["which"])))
    assert "have taken part in this study already" in page
    assert 'href="/s/which/thanks"' in page
    assert "consent" not in page


def test_a_program_that_fills_every_field_is_refused_in_words() -> None:
    study = make_study()
    page = Client().get(reverse("welcome", args=["which"]))
    honeypot = page.context["honeypot"]
    assert f'name="{honeypot}" type="text" tabindex="-1" autocomplete="off"' in text_of(page)
    reply = Client().post(
        reverse("begin", args=["which"]), {"consent": "on", honeypot: "cheap pills"}
    )
    assert (reply.status_code, "hidden field" in text_of(reply)) == (403, True)
    assert not study.sessions.exists()
