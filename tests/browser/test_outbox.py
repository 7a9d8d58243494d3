"""Every answer exactly once, whatever happens between the browser and the server."""

from playwright.sync_api import Page, Route, expect

from annotation.models import Judgment, Session
from tests.browser.answering import (
    LOOK_MS,
    answer_the_rest,
    begin,
    press,
    shown_trial,
    wait_until_stored,
)
from tests.browser.making import make_open_study
from tests.processes import LiveSite, wait_for


def answered_once(n: int) -> None:
    trials = [row.trial_id for row in Judgment.objects.all()]
    assert len(trials) == len(set(trials)) == n
    assert Session.objects.get().state == Session.State.FINISHED


def test_a_reload_loses_nothing_and_goes_on_with_the_same_trial(site: LiveSite, page: Page) -> None:
    study = make_open_study(n_trials=8)
    begin(page, site.url, study.slug)
    for _ in range(3):
        press(page, "ArrowLeft")
        trial = shown_trial(page)
        page.reload()
        assert shown_trial(page) == trial
    expect(page.locator("#count")).to_have_text("4 of 8")
    answer_the_rest(page)
    answered_once(8)


def test_a_reload_right_after_a_press_keeps_the_answer(site: LiveSite, page: Page) -> None:
    study = make_open_study(n_trials=6)
    begin(page, site.url, study.slug)
    for _ in range(4):
        shown_trial(page)
        page.wait_for_timeout(LOOK_MS)
        page.keyboard.press("ArrowLeft")
        page.reload()
    answer_the_rest(page)
    answered_once(6)


def test_answers_given_offline_are_stored_once_when_the_network_is_back(
    site: LiveSite, page: Page
) -> None:
    study = make_open_study(n_trials=8)
    begin(page, site.url, study.slug)
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    press(page, "ArrowLeft")
    press(page, "ArrowRight")
    expect(page.locator("#state")).to_have_text(
        "Waiting for the network: 2 answers kept safely here"
    )
    assert not Judgment.objects.exists()
    page.context.set_offline(False)
    wait_until_stored(2)
    assert Judgment.objects.count() == 2
    answer_the_rest(page)
    answered_once(8)


def test_a_long_time_offline_says_that_the_answers_are_safe(site: LiveSite, page: Page) -> None:
    study = make_open_study(n_trials=8)
    begin(page, site.url, study.slug)
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    for _ in range(4):
        press(page, "ArrowLeft")
    shown_trial(page)
    page.wait_for_timeout(LOOK_MS)
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("heading", name="Waiting for the network")).to_be_visible()
    expect(page.locator("#cover")).to_contain_text("5 answers are kept safely on this computer")
    page.context.set_offline(False)
    answer_the_rest(page)
    answered_once(8)


def test_answers_left_in_a_closed_tab_are_sent_when_the_study_is_opened_again(
    site: LiveSite, page: Page
) -> None:
    study = make_open_study(n_trials=6)
    begin(page, site.url, study.slug)
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    answered = {press(page, "ArrowLeft"), press(page, "ArrowLeft")}
    page.close()
    again = page.context.new_page()
    page.context.set_offline(False)
    again.goto(f"{site.url}/s/{study.slug}/trial")
    shown_trial(again)
    assert {str(row.trial_id) for row in Judgment.objects.all()} == answered
    expect(again.locator("#count")).to_have_text("3 of 6")
    answer_the_rest(again)
    answered_once(6)


def test_a_lost_reply_stores_the_answer_once(site: LiveSite, page: Page) -> None:
    study = make_open_study(n_trials=6)
    lost: list[str] = []

    def lose_every_other_reply(route: Route) -> None:
        if len(lost) % 2 == 0:
            lost.append("lost")
            route.fetch()
            route.abort()
        else:
            lost.append("passed")
            route.continue_()

    page.route("**/judgments", lose_every_other_reply)
    begin(page, site.url, study.slug)
    answer_the_rest(page)
    assert lost.count("lost") >= 3
    answered_once(6)


def test_a_server_killed_between_click_and_reply_has_the_answer_once(
    site: LiveSite, page: Page
) -> None:
    study = make_open_study(n_trials=6)
    begin(page, site.url, study.slug)
    page.wait_for_load_state("networkidle")
    killed: list[int] = []

    def kill_before_the_reply(route: Route) -> None:
        if killed:
            route.continue_()
            return
        route.fetch()
        site.kill()
        killed.append(Judgment.objects.count())
        route.abort()

    page.route("**/judgments", kill_before_the_reply)
    press(page, "ArrowLeft")
    wait_for("the server is killed", lambda: bool(page.wait_for_timeout(50) or killed))
    assert killed == [1]
    press(page, "ArrowRight")
    expect(page.locator("#state")).to_contain_text("2 answers kept safely here")
    site.start()
    answer_the_rest(page)
    answered_once(6)


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


def test_a_browser_that_lost_its_cookie_keeps_the_answers_and_says_what_to_do(
    site: LiveSite, page: Page
) -> None:
    study = make_open_study(n_trials=6)
    begin(page, site.url, study.slug)
    page.wait_for_load_state("networkidle")
    cookies = page.context.cookies()
    page.context.clear_cookies()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("heading", name="This browser is no longer signed in")).to_be_visible()
    expect(page.locator("#cover")).to_contain_text("1 answer is kept safely on this computer")
    page.context.add_cookies(cookies)
    page.reload()
    answer_the_rest(page)
    answered_once(6)
