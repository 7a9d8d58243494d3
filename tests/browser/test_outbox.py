"""Every answer exactly once, whatever happens between the browser and the server."""

import time

from playwright.sync_api import Page, Request, Route, expect

from annotation import serving
from annotation.models import Judgment, Trial
from tests.browser.answering import (
    LOOK_MS,
    answer_the_rest,
    answered_once,
    begin,
    press,
    shown_trial,
    wait_until_stored,
)
from tests.browser.making import make_open_study
from tests.factories import make_answer
from tests.processes import LiveSite, wait_for

# Far beyond any time that a language writes with four digits of year.
FAR_OFF_CLOCK = """
  const Actual = Date;
  window.Date = class extends Actual {
    constructor(...given) { given.length ? super(...given) : super(8.64e15) }
    static now() { return 8.64e15 }
  };
"""


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


def test_a_session_whose_last_reply_was_lost_ends_on_the_last_page(
    site: LiveSite, page: Page
) -> None:
    study = make_open_study(n_trials=2)
    begin(page, site.url, study.slug)
    page.route("**/finish", lambda route: (route.fetch(), route.abort()))
    for key in ("ArrowLeft", "ArrowRight"):
        shown = shown_trial(page)
        page.wait_for_timeout(LOOK_MS)
        page.keyboard.press(key)
        page.wait_for_function("shown => document.body.dataset.trial !== shown", arg=shown)
    expect(page.get_by_role("heading", name="Waiting for the network")).to_be_visible()
    answered_once(2)
    page.goto(f"{site.url}/s/{study.slug}/trial")
    assert page.url.endswith("/thanks")


def test_a_server_that_asks_for_time_gets_it(site: LiveSite, page: Page) -> None:
    study = make_open_study(n_trials=3)
    begin(page, site.url, study.slug)
    page.wait_for_load_state("networkidle")
    tried_s: list[float] = []

    def ask_for_time(route: Route) -> None:
        tried_s.append(time.monotonic())
        if len(tried_s) == 1:
            route.fulfill(status=429, headers={"Retry-After": "2"})
        else:
            route.continue_()

    page.route("**/judgments", ask_for_time)
    press(page, "ArrowLeft")
    wait_for("it is tried again", lambda: bool(page.wait_for_timeout(50) or len(tried_s) > 1))
    assert 1.9 < tried_s[1] - tried_s[0] < 4
    answer_the_rest(page)
    answered_once(3)


def test_answers_that_are_too_many_at_once_for_a_proxy_arrive_in_smaller_parts(
    site: LiveSite, page: Page
) -> None:
    study = make_open_study(n_trials=5)
    begin(page, site.url, study.slug)
    page.wait_for_load_state("networkidle")

    def refuse_more_than_one(route: Route) -> None:
        body = route.request.post_data_json
        if len(body["judgments"]) > 1:
            route.fulfill(status=413)
        else:
            route.continue_()

    page.route("**/judgments", refuse_more_than_one)
    page.context.set_offline(True)
    for _ in range(4):
        press(page, "ArrowLeft")
    page.context.set_offline(False)
    answer_the_rest(page)
    answered_once(5)


def test_a_page_that_goes_out_of_sight_sends_what_it_has_at_once(
    site: LiveSite, page: Page
) -> None:
    study = make_open_study(n_trials=6)
    begin(page, site.url, study.slug)
    page.wait_for_load_state("networkidle")
    page.route("**/judgments", lambda route: route.abort())
    press(page, "ArrowLeft")
    press(page, "ArrowLeft")
    # By now the next try of its own is seconds away, and a phone may end the page before it.
    page.wait_for_timeout(4000)
    page.unroute("**/judgments")
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request))
    page.evaluate("""() => {
      Object.defineProperty(document, "hidden", { value: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }""")
    wait_until_stored(2)
    page.wait_for_timeout(50)
    # A farewell asks for no more trials; a try of its own would.
    assert sent[0].url.endswith("/judgments")
    assert sent[0].post_data_json["want"] == 0


def test_an_answer_that_the_server_refuses_is_told_and_holds_up_nothing(
    site: LiveSite, page: Page
) -> None:
    study = make_open_study(n_trials=3)
    shown = begin(page, site.url, study.slug)
    trial = Trial.objects.get(pk=shown)
    serving.record(trial.session, [make_answer(trial, "right")])
    press(page, "ArrowLeft")
    expect(page.locator("#state")).to_contain_text("1 answer was not accepted")
    answer_the_rest(page)
    answered_once(3)
    assert trial.side_of_choice(Judgment.objects.get(trial=trial).choice) == "right"


def test_a_clock_that_is_far_off_loses_no_answer(site: LiveSite, page: Page) -> None:
    study = make_open_study(n_trials=2)
    page.add_init_script(FAR_OFF_CLOCK)
    begin(page, site.url, study.slug)
    answer_the_rest(page)
    answered_once(2)
    assert [row.client_time for row in Judgment.objects.all()] == [None, None]
