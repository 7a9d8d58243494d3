"""A login, a token or a cookie that runs out in the middle of a session costs no answer."""

from django.contrib.sessions.models import Session as LoginSession
from playwright.sync_api import Page, Route, expect

from annotation.models import Judgment, Session, Trial
from tests.browser.answering import (
    answer_the_rest,
    answered_once,
    begin,
    come_back,
    press,
    press_at_once,
    shown_trial,
    wait_until_stored,
)
from tests.browser.making import make_open_study
from tests.factories import make_ada, make_user
from tests.processes import LiveSite

PASSWORD = "a long one for this test"
LOST = "This browser is no longer signed in"


def log_in(page: Page, url: str, username: str) -> None:
    page.goto(url)
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_load_state()


def test_a_token_that_became_old_is_renewed_without_losing_an_answer(
    site: LiveSite, page: Page
) -> None:
    study = make_open_study(n_trials=3)
    begin(page, site.url, study.slug)
    press(page, "ArrowLeft")
    wait_until_stored(1)
    page.context.clear_cookies(name="csrftoken")
    answer_the_rest(page)
    answered_once(3)


def test_a_server_that_fails_while_a_token_is_renewed_is_no_lost_login(
    site: LiveSite, page: Page
) -> None:
    study = make_open_study(n_trials=4)
    begin(page, site.url, study.slug)
    page.wait_for_load_state("networkidle")
    failed: list[Route] = []

    def fail_once(route: Route) -> None:
        if failed:
            route.continue_()
        else:
            failed.append(route)
            route.fulfill(status=503, body="Not now")

    page.route("**/trial", fail_once)
    page.context.clear_cookies(name="csrftoken")
    press(page, "ArrowLeft")
    expect(page.locator("#state")).to_have_text(
        "Waiting for the network: 1 answer kept safely here"
    )
    expect(page.locator("#left")).to_be_visible()
    answer_the_rest(page)
    assert failed
    answered_once(4)


def test_a_login_that_ran_out_is_renewed_in_another_tab_and_the_page_goes_on(
    site: LiveSite, page: Page
) -> None:
    study = make_open_study(n_trials=4)
    make_user("ben", password=PASSWORD)
    log_in(page, f"{site.url}/login/", "ben")
    begin(page, site.url, study.slug)
    page.wait_for_load_state("networkidle")
    assert Session.objects.get().annotator.user.username == "ben"
    LoginSession.objects.all().delete()
    trial = press_at_once(page, "ArrowLeft")
    expect(page.get_by_role("heading", name=LOST)).to_be_visible()
    # Stored all the same: only for more trials a login is needed.
    wait_until_stored(1)
    expect(page.locator("#cover")).to_contain_text("Every answer is stored")
    link = page.get_by_role("link", name="Log in")
    expect(link).to_have_attribute("href", f"/login/?next=/s/{study.slug}/trial")

    other = page.context.new_page()
    log_in(other, f"{site.url}/login/", "ben")
    other.close()
    come_back(page)
    expect(page.get_by_role("heading", name=LOST)).to_be_hidden(timeout=15_000)
    answer_the_rest(page)
    answered_once(4)
    assert Judgment.objects.filter(trial=trial).exists()


def test_the_way_to_log_in_leads_back_to_the_same_trial(site: LiveSite, page: Page) -> None:
    study = make_open_study(n_trials=3)
    make_user("ben", password=PASSWORD)
    log_in(page, f"{site.url}/login/", "ben")
    begin(page, site.url, study.slug)
    page.wait_for_load_state("networkidle")
    LoginSession.objects.all().delete()
    press_at_once(page, "ArrowLeft")
    page.get_by_role("link", name="Log in").click()
    log_in(page, page.url, "ben")
    came_next = Trial.objects.open().order_by("position").first()
    assert came_next is not None
    assert shown_trial(page) == str(came_next.pk)
    answer_the_rest(page)
    answered_once(3)


def test_a_login_at_the_desk_in_the_middle_of_somebodys_session_ends_nothing(
    site: LiveSite, page: Page
) -> None:
    study = make_open_study(n_trials=4)
    begin(page, site.url, study.slug)
    press(page, "ArrowLeft")
    make_ada(password=PASSWORD)
    desk = page.context.new_page()
    log_in(desk, f"{site.url}/login/", "ada")
    desk.close()
    come_back(page)
    answer_the_rest(page)
    answered_once(4)


def test_a_browser_that_lost_its_cookie_brings_the_answers_and_says_what_to_do(
    site: LiveSite, page: Page
) -> None:
    study = make_open_study(n_trials=4)
    begin(page, site.url, study.slug)
    page.wait_for_load_state("networkidle")
    cookies = page.context.cookies()
    page.context.clear_cookies()
    page.keyboard.press("ArrowLeft")
    # The token went with the cookie, but a page of the study has a new one; its key does the rest.
    expect(page.get_by_role("heading", name=LOST)).to_be_visible()
    expect(page.locator("#cover")).to_contain_text("Every answer is stored")
    assert Judgment.objects.count() == 1
    page.context.add_cookies(cookies)
    page.reload()
    answer_the_rest(page)
    answered_once(4)
