"""Who may begin: the four ways of recruiting, and once a person."""

from typing import Any

import pytest
from django.db import connection

from annotation import admitting, inviting
from annotation.models import Annotator, Session, Study
from tests.annotation.browsing import PROLIFIC, Browser, finish, make_invitation
from tests.factories import make_annotator, make_ben, make_cleo, make_session, make_study

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home", "no_limits")]

CODES = {
    "account_needed", "invitation_needed", "invitation_used", "crowd_needed", "already_done",
    "too_many", "robot", "preview",
}  # fmt: skip


@pytest.fixture
def no_limits(settings: Any) -> None:
    """Tests begin more often than a person; the limit's own test sets it."""
    settings.BEGINS_PER_HOUR = 0


def refused(browser: Browser, study: Study, ticket: str = "", **form: str) -> str:
    with pytest.raises(admitting.NotAdmitted) as found:
        browser.begin(study, ticket, **form)
    assert found.value.code in CODES
    return found.value.code


# An open link


def test_an_open_link_lets_anybody_in_once() -> None:
    study = make_study()
    ben, other = Browser(), Browser()
    session = ben.begin(study)
    assert other.begin(study).annotator != session.annotator
    assert session.annotator.user is None
    assert (session.crowd, session.invitation) == ({}, None)


def test_who_comes_again_goes_on_with_the_same_session() -> None:
    study = make_study()
    ben = Browser()
    assert ben.begin(study) == ben.begin(study)
    assert Annotator.objects.count() == 1


@pytest.mark.parametrize("state", ["finished", "failed", "screened_out", "withdrawn"])
def test_a_session_that_ended_in_any_way_counts(state: str) -> None:
    study = make_study()
    ben = Browser()
    session = ben.begin(study)
    finish(session, state)
    with pytest.raises(admitting.NotAdmitted) as found:
        ben.begin(study)
    assert (found.value.code, found.value.session) == ("already_done", session)
    assert ben.obstacle(study) == "already_done"


@pytest.mark.parametrize(("may_have", "n_expected"), [(1, 1), (3, 3), (0, 5)])
def test_a_person_has_as_many_sessions_as_the_study_says(may_have: int, n_expected: int) -> None:
    study = make_study(sessions_per_person=may_have)
    ben = Browser()
    for _ in range(5):
        try:
            finish(ben.begin(study))
        except admitting.NotAdmitted:
            break
    assert study.sessions.count() == n_expected
    assert Annotator.objects.count() == 1


def test_another_study_is_another_count() -> None:
    ben = Browser()
    finish(ben.begin(make_study("first")))
    ben.begin(make_study("second"))
    assert Annotator.objects.count() == 1


def test_a_form_that_is_sent_twice_without_a_cookie_is_one_person() -> None:
    study = make_study()
    ticket = Browser().ticket()
    assert Browser().begin(study, ticket) == Browser().begin(study, ticket)
    assert Annotator.objects.count() == 1


@pytest.mark.parametrize("ticket", ["", "nonsense", "eyJ9:1:forged"])
def test_a_form_without_a_ticket_of_ours_begins_as_somebody_new(ticket: str) -> None:
    study = make_study()
    make_annotator()
    request = Browser().request("post", ticket=ticket)
    _, session = admitting.enter(request, study, language="en", texts={})
    assert session.annotator.sessions.count() == 1
    assert Annotator.objects.count() == 2


def test_whoever_fills_the_hidden_field_in_is_a_program() -> None:
    study = make_study()
    ben = Browser()
    assert refused(ben, study, **{admitting.HONEYPOT: "Best offer"}) == "robot"
    assert not Annotator.objects.exists()
    assert ben.begin(study, **{admitting.HONEYPOT: ""})


def test_nothing_is_stored_about_whoever_is_not_admitted() -> None:
    for way in ("accounts", "invited", "crowd"):
        study = make_study(way, recruiting=way)
        ben = Browser()
        assert refused(ben, study) == ben.obstacle(study)
    assert not Annotator.objects.exists()
    assert not Session.objects.exists()


def test_looking_stores_nothing() -> None:
    study = make_study()
    assert Browser().obstacle(study) == ""
    assert Browser().obstacle(make_study("c", recruiting="crowd"), **PROLIFIC) == ""
    assert not Annotator.objects.exists()


def test_many_begins_from_one_address_are_too_many(settings: Any) -> None:
    settings.BEGINS_PER_HOUR = 2
    study, address = make_study(), "198.51.100.77"
    known = Browser(address=address)
    known.begin(study)
    Browser(address=address).begin(study)
    assert refused(Browser(address=address), study) == "too_many"
    assert known.begin(study), "who began goes on"
    assert Browser(address="198.51.100.78").begin(study), "another address is another count"
    assert Browser(address=address).begin(make_study("another")), "so is another study"
    invited = make_study("by-invitation", recruiting="invited")
    for _ in range(3):
        guest = Browser(address=address)
        guest.open_invitation(make_invitation(invited))
        assert guest.begin(invited), "an invitation is its own limit"


def test_the_transaction_of_the_session_is_the_one_of_the_admission() -> None:
    study = make_study()
    with pytest.raises(RuntimeError, match="enter"):
        _outside_of_a_transaction(lambda: admitting.admit(Browser().request("post"), study))


def _outside_of_a_transaction(call: Any) -> None:
    before = connection.in_atomic_block
    connection.in_atomic_block = False
    try:
        call()
    finally:
        connection.in_atomic_block = before


# Accounts


def test_a_study_for_accounts_needs_one() -> None:
    study = make_study(recruiting="accounts")
    assert refused(Browser(), study) == "account_needed"
    ben = make_ben()
    assert Browser(ben).begin(study).annotator.user == ben


def test_an_account_is_the_same_person_in_every_browser() -> None:
    study = make_study(recruiting="accounts")
    ben = make_ben()
    session = Browser(ben).begin(study)
    assert Browser(ben).begin(study) == session
    finish(session)
    assert refused(Browser(ben), study) == "already_done"


def test_who_began_by_cookie_and_then_logs_in_is_the_same_person() -> None:
    study, later = make_study(), make_study("later", recruiting="accounts")
    browser = Browser()
    session = browser.begin(study)
    browser.user = make_ben()
    assert browser.begin(study) == session
    assert browser.begin(later).annotator == session.annotator
    session.annotator.refresh_from_db()
    assert session.annotator.user == browser.user
    assert Annotator.objects.count() == 1


def test_an_account_and_a_cookie_of_its_browser_both_count() -> None:
    study = make_study()
    ben = make_ben()
    Browser(ben).begin(make_study("earlier"))
    browser = Browser()
    finish(browser.begin(study))
    browser.user = ben
    assert refused(browser, study) == "already_done"
    elsewhere = Browser(ben)
    assert elsewhere.begin(study), "the account itself has not taken part"


def test_logging_out_makes_nobody_new_and_gives_nobody_the_accounts_session() -> None:
    study = make_study()
    browser = Browser(make_ben())
    session = browser.begin(study)
    browser.user = Browser().user
    assert refused(browser, study) == "account_needed"
    finish(session)
    assert refused(browser, study) == "already_done"


def test_somebody_elses_account_on_the_same_computer_is_somebody_else() -> None:
    study = make_study()
    browser = Browser(make_ben())
    finish(browser.begin(study))
    browser.user = make_cleo()
    assert browser.begin(study).annotator.user == browser.user


# Invitations


def test_an_invitation_lets_one_person_in_once() -> None:
    study = make_study(recruiting="invited", sessions_per_person=0)
    invitation = make_invitation(study)
    ben, thief = Browser(), Browser()
    for browser in (ben, thief):
        browser.open_invitation(invitation)
    session = ben.begin(study)
    invitation.refresh_from_db()
    assert (session.invitation, invitation.annotator) == (invitation, session.annotator)
    assert invitation.state == "used"
    assert refused(thief, study) == "invitation_used"
    assert thief.obstacle(study) == "invitation_used"
    assert ben.begin(study) == session


def test_an_invited_person_may_have_the_sessions_that_the_study_gives() -> None:
    study = make_study(recruiting="invited", sessions_per_person=2)
    ben = Browser()
    ben.open_invitation(make_invitation(study))
    finish(ben.begin(study))
    del ben.cookies[inviting.COOKIE]
    finish(ben.begin(study))
    assert refused(ben, study) == "already_done"
    assert study.sessions.exclude(invitation=None).count() == 2


def test_a_second_invitation_is_not_used_up_by_a_session_that_goes_on() -> None:
    study = make_study(recruiting="invited")
    ben, second = Browser(), make_invitation(study)
    ben.open_invitation(make_invitation(study))
    session = ben.begin(study)
    ben.open_invitation(second)
    assert ben.begin(study) == session
    second.refresh_from_db()
    assert second.state == "unused"


def test_without_a_valid_invitation_nobody_comes_in() -> None:
    study = make_study(recruiting="invited")
    revoked, elsewhere = make_invitation(study), make_invitation(make_study("other"))
    inviting.revoke(revoked)
    for invitation in (revoked, elsewhere):
        browser = Browser()
        browser.open_invitation(invitation)
        assert refused(browser, study) == "invitation_needed"
    forged = Browser()
    forged.cookies[inviting.COOKIE] = f"{make_invitation(study).pk}:forged"
    assert refused(forged, study) == "invitation_needed"


def test_a_session_goes_on_after_its_invitation_was_revoked() -> None:
    study = make_study(recruiting="invited", sessions_per_person=2)
    invitation, ben = make_invitation(study), Browser()
    ben.open_invitation(invitation)
    session = ben.begin(study)
    inviting.revoke(invitation)
    assert ben.begin(study) == session
    finish(session)
    assert refused(ben, study) == "invitation_needed"


# Crowds


def test_a_providers_person_begins_with_all_the_providers_ids() -> None:
    study = make_study(recruiting="crowd")
    browser = Browser()
    session = browser.begin(study, browser.ticket(**PROLIFIC))
    assert session.crowd == {"provider": "prolific", **PROLIFIC}
    assert (session.annotator.provider, session.annotator.outside_id) == ("prolific", "5f0a")


def test_a_providers_person_is_the_same_in_every_browser() -> None:
    study = make_study(recruiting="crowd")
    first, second = Browser(), Browser()
    session = first.begin(study, first.ticket(**PROLIFIC))
    again = {**PROLIFIC, "SESSION_ID": "sub2"}
    assert second.begin(study, second.ticket(**again)) == session
    session.refresh_from_db()
    assert session.crowd["SESSION_ID"] == "sub2", "the newest submission is the one to pay"
    finish(session)
    third = Browser()
    assert third.obstacle(study, **PROLIFIC) == "already_done"
    assert refused(third, study, third.ticket(**PROLIFIC)) == "already_done"


def test_a_crowd_study_needs_a_provider_and_an_accepted_task() -> None:
    study = make_study(recruiting="crowd")
    preview = {"assignmentId": "ASSIGNMENT_ID_NOT_AVAILABLE", "hitId": "h"}
    assert Browser().obstacle(study, **preview) == "preview"
    assert Browser().obstacle(study) == "crowd_needed"
    browser = Browser()
    assert refused(browser, study, browser.ticket(**preview)) == "crowd_needed"
    # What a form says for itself is not what the welcome page's address said.
    assert refused(Browser(), study, **PROLIFIC) == "crowd_needed"


def test_two_ids_of_one_browser_are_one_person_and_never_one_session() -> None:
    study = make_study(recruiting="crowd")
    browser = Browser()
    session = browser.begin(study, browser.ticket(**PROLIFIC))
    other = browser.ticket(**{**PROLIFIC, "PROLIFIC_PID": "5f0b"})
    assert refused(browser, study, other) == "already_done"
    Study.objects.update(sessions_per_person=0)
    study.refresh_from_db()
    assert browser.begin(study, other) != session


def test_a_crowd_id_is_never_tied_to_an_account() -> None:
    study = make_study(recruiting="crowd")
    browser = Browser(make_ben())
    session = browser.begin(study, browser.ticket(**PROLIFIC))
    assert session.annotator.user is None
    browser.begin(make_study("open"))
    session.annotator.refresh_from_db()
    assert session.annotator.user is None


def test_a_session_of_a_simulated_observer_is_nobodys() -> None:
    study = make_study()
    observer = make_annotator(is_simulated=True)
    make_session(make_study("robots", is_simulated=True), observer)
    assert Browser().begin(study).annotator != observer
