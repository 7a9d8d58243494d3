import re
from uuid import UUID

from playwright.sync_api import Browser, Page, expect

from annotation.models import Judgment, Session
from tests.browser.answering import (
    LOOK_MS,
    answer_the_rest,
    begin,
    choose_by_mouse,
    press,
    shown_trial,
    wait_until_stored,
)
from tests.browser.making import make_open_study
from tests.processes import LiveSite


def test_ten_choices_by_keys_and_mouse_are_ten_judgments_with_plausible_times(
    site: LiveSite, page: Page
) -> None:
    study = make_open_study(n_trials=10)
    begin(page, site.url, study.slug)
    chosen: dict[str, tuple[str, str]] = {}
    for _ in range(4):
        chosen[press(page, "ArrowLeft")] = ("left", "key")
        chosen[press(page, "ArrowRight")] = ("right", "key")
    chosen[choose_by_mouse(page, "left")] = ("left", "mouse")
    chosen[choose_by_mouse(page, "right")] = ("right", "mouse")
    page.wait_for_url("**/thanks")

    session = Session.objects.get()
    assert session.state == Session.State.FINISHED
    expect(page.locator(".code")).to_have_text(session.completion_code)
    assert session.viewing["device_pixel_ratio"] == 1
    assert 0 < session.viewing["clock_resolution_ms"] < 20
    judgments = list(Judgment.objects.select_related("trial"))
    assert len(judgments) == len(chosen) == 10
    for judgment in judgments:
        side, by = chosen[str(judgment.trial_id)]
        assert judgment.choice == judgment.trial.choice_of_side(side)
        assert judgment.input == by
        assert judgment.decoded_ms < judgment.painted_ms < judgment.answered_ms
        assert abs(judgment.answered_ms - judgment.painted_ms - judgment.response_ms) < 0.01
        assert LOOK_MS <= judgment.response_ms < 5_000
        assert judgment.hidden_ms == 0


def test_not_sure_is_a_choice_where_the_study_allows_it(site: LiveSite, page: Page) -> None:
    study = make_open_study(n_trials=2, allow_not_sure=True)
    begin(page, site.url, study.slug)
    press(page, "ArrowDown")
    page.wait_for_timeout(LOOK_MS)
    page.get_by_role("button", name="not sure").click()
    page.wait_for_url("**/thanks")
    assert [row.choice for row in Judgment.objects.all()] == ["not_sure", "not_sure"]


def test_not_sure_is_no_choice_elsewhere(site: LiveSite, page: Page) -> None:
    study = make_open_study(n_trials=2)
    trial = begin(page, site.url, study.slug)
    page.wait_for_timeout(LOOK_MS)
    page.keyboard.press("ArrowDown")
    page.wait_for_timeout(300)
    assert shown_trial(page) == trial
    assert not Judgment.objects.exists()


def test_a_touch_is_told_apart_from_a_mouse(site: LiveSite, browser: Browser) -> None:
    study = make_open_study(n_trials=2)
    page = browser.new_context(has_touch=True).new_page()
    first = begin(page, site.url, study.slug)
    page.wait_for_timeout(LOOK_MS)
    page.locator("#left").tap()
    shown_trial(page, after=first)
    wait_until_stored(1)
    judgment = Judgment.objects.get()
    assert judgment.input == "touch"
    assert judgment.choice == judgment.trial.choice_of_side("left")
    page.context.close()


def test_a_double_press_or_a_held_key_is_one_judgment(site: LiveSite, page: Page) -> None:
    study = make_open_study(n_trials=4)
    first = begin(page, site.url, study.slug)
    page.wait_for_timeout(LOOK_MS)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    second = shown_trial(page, after=first)
    page.wait_for_timeout(LOOK_MS)
    for _ in range(20):
        # The second and later ones are what a keyboard sends for a key that is held down.
        page.keyboard.down("ArrowRight")
        page.wait_for_timeout(30)
    page.keyboard.up("ArrowRight")
    third = shown_trial(page, after=second)
    page.wait_for_timeout(500)
    assert shown_trial(page) == third
    assert {str(row.trial_id) for row in Judgment.objects.all()} == {first, second}
    assert Judgment.objects.count() == 2


def test_an_undo_shows_the_trial_again_and_keeps_both_judgments(site: LiveSite, page: Page) -> None:
    study = make_open_study(n_trials=4)
    begin(page, site.url, study.slug)
    first = press(page, "ArrowLeft")
    second = press(page, "ArrowLeft")
    third = shown_trial(page)
    expect(page.locator("#count")).to_have_text("3 of 4")

    page.keyboard.press("Backspace")
    assert shown_trial(page, after=third) == second
    page.get_by_role("button", name="Undo").click()
    assert shown_trial(page, after=second) == first
    expect(page.locator("#count")).to_have_text("1 of 4")
    expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "50")
    assert press(page, "ArrowRight") == first
    assert press(page, "ArrowRight") == second
    page.keyboard.press("Backspace")
    assert shown_trial(page, after=third) == second
    assert press(page, "ArrowLeft") == second
    assert shown_trial(page) == third
    answer_the_rest(page)

    of_trial = {
        trial: list(Judgment.objects.filter(trial=UUID(trial)).order_by("answered_ms"))
        for trial in (first, second)
    }
    assert [row.supersedes for row in of_trial[first]] == [None, of_trial[first][0]]
    assert [row.supersedes for row in of_trial[second]] == [None, *of_trial[second][:2]]
    assert Judgment.objects.standing().count() == 4
    assert Judgment.objects.count() == 7
    assert Session.objects.get().state == Session.State.FINISHED


def test_time_behind_the_menu_is_told_apart(site: LiveSite, page: Page) -> None:
    study = make_open_study(n_trials=2)
    trial = begin(page, site.url, study.slug)
    page.get_by_role("button", name="Menu").click()
    expect(page.locator("#left")).to_be_hidden()
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(600)
    page.get_by_role("button", name="Go on").click()
    assert press(page, "ArrowLeft") == trial
    wait_until_stored(1)
    judgment = Judgment.objects.get()
    assert 600 <= judgment.hidden_ms < judgment.response_ms
    assert [event["what"] for event in judgment.events] == ["covered: menu", "uncovered: menu"]


def test_a_second_tab_is_told_to_stop_and_may_take_over(site: LiveSite, page: Page) -> None:
    study = make_open_study(n_trials=4)
    begin(page, site.url, study.slug)
    press(page, "ArrowLeft")
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.get_by_role("heading", name="This study is open in another tab")).to_be_visible()
    expect(other.locator("#left")).to_be_hidden()
    other.keyboard.press("ArrowLeft")

    other.get_by_role("button", name="Go on here").click()
    shown_trial(other)
    page.bring_to_front()
    expect(page.get_by_role("heading", name="You went on in another tab")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    other.bring_to_front()
    answer_the_rest(other)
    assert Judgment.objects.count() == 4


def test_whoever_comes_back_goes_on_where_they_were(site: LiveSite, page: Page) -> None:
    study = make_open_study(n_trials=3)
    begin(page, site.url, study.slug)
    press(page, "ArrowLeft")
    shown = shown_trial(page)
    wait_until_stored(1)
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Pause and leave").click()
    expect(page.get_by_text("You have made 1 of 3 choices")).to_be_visible()
    page.get_by_role("link", name="Continue").click()
    assert shown_trial(page) == shown
    expect(page.locator("#count")).to_have_text("2 of 3")


def test_a_study_with_nothing_left_says_so(site: LiveSite, page: Page, browser: Browser) -> None:
    study = make_open_study(n_trials=1, judgments_per_triplet=1)
    begin(page, site.url, study.slug)
    answer_the_rest(page)
    late = browser.new_context().new_page()
    late.goto(f"{site.url}/s/{study.slug}/")
    late.get_by_label("I have read this and agree").check()
    late.get_by_role("button", name="Begin").click()
    expect(late.get_by_role("heading", name=re.compile("Nothing is left"))).to_be_visible()
    late.context.close()
