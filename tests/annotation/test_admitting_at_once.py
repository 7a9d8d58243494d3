"""Requests of one person, or for one invitation, at the same moment."""

import threading
from typing import Any

import pytest
from django.db import connections, transaction

from annotation import admitting
from annotation.models import Annotator, Session
from tests.annotation.browsing import PROLIFIC, Browser, finish, make_invitation
from tests.factories import make_ben, make_study

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("triad_home", "no_limits"),
]


@pytest.fixture
def no_limits(settings: Any) -> None:
    settings.BEGINS_PER_HOUR = 0


def at_once(n: int, call: Any) -> list[Any]:
    """Calls in n threads that start together; exceptions are results too."""
    barrier, results = threading.Barrier(n), []

    def run(index: int) -> None:
        barrier.wait()
        try:
            results.append(call(index))
        except admitting.NotAdmitted as refused:
            results.append(refused.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.parametrize("way", ["open_link", "accounts", "invited", "crowd"])
def test_two_begins_at_once_are_one_session(way: str) -> None:
    study = make_study(recruiting=way)
    first = Browser(make_ben() if way == "accounts" else None)
    if way == "invited":
        first.open_invitation(make_invitation(study))
    ticket = first.ticket(**PROLIFIC)

    def begin(index: int) -> Any:
        browser = Browser(first.user)
        browser.cookies = dict(first.cookies)
        return browser.begin(study, ticket).pk

    results = at_once(6, begin)
    assert len(results) == 6
    assert {*results} == {Session.objects.get().pk}
    assert Annotator.objects.count() == 1


def test_an_invitation_that_two_people_use_at_once_lets_one_in() -> None:
    study = make_study(recruiting="invited")
    invitation = make_invitation(study)

    def begin(index: int) -> Any:
        browser = Browser()
        browser.open_invitation(invitation)
        return browser.begin(study).pk

    results = at_once(5, begin)
    assert results.count("invitation_used") == 4
    assert Session.objects.get().pk in results
    assert Annotator.objects.count() == 1, "whoever was refused is not stored"


def test_the_count_of_sessions_holds_while_others_end() -> None:
    study = make_study(sessions_per_person=2)
    ben = Browser()
    finish(ben.begin(study))

    def begin(index: int) -> Any:
        browser = Browser()
        browser.cookies = dict(ben.cookies)
        with transaction.atomic():
            session = browser.begin(study)
            finish(session)
        return session.pk

    results = at_once(5, begin)
    assert results.count("already_done") == 4
    assert study.sessions.count() == 2


def test_a_form_sent_twice_finds_its_own_invitation_used_between_two_looks() -> None:
    study = make_study(recruiting="invited")
    one, stranger = Browser(), Browser()
    for browser in (one, stranger):
        browser.open_invitation(make_invitation(study))
    ticket = one.ticket()
    request = one.request("post", ticket=ticket)
    late = admitting._visit(request, study)
    one.begin(study, ticket)
    assert admitting._entry(request, study, late).annotator == Annotator.objects.get()
    stranger.cookies = {name: one.cookies[name] for name in ("invitation",)}
    other = stranger.request("post", ticket=stranger.ticket())
    with pytest.raises(admitting.NotAdmitted):
        admitting._entry(other, study, admitting._visit(other, study))
