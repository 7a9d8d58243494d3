"""The browser's own store: shared by tabs, cleared, full, forbidden, or its browser killed."""

import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserType, Error, Page, expect

from annotation.models import Judgment
from tests.browser.answering import (
    LOOK_MS,
    answer_the_rest,
    answered_once,
    begin,
    come_back,
    press,
    shown_trial,
    wait_until_stored,
)
from tests.browser.making import make_open_study
from tests.processes import LiveSite, descendants, wait_for

TAKEN_OVER = "You went on in another tab"
OTHER_TAB = "This study is open in another tab"
NOT_KEPT = "The last answer could not be kept on this computer"
# Tabs that the browser froze, or that never heard of each other: nothing is locked or said.
NO_MANNERS = """
  Object.defineProperty(Navigator.prototype, "locks", { value: undefined });
  BroadcastChannel.prototype.postMessage = () => {};
"""
# A disk that is full when it is told so: the browser lets every transaction go.
DISK = """
  const add = IDBObjectStore.prototype.add;
  window.disk = { isFull: false };
  IDBObjectStore.prototype.add = function (...given) {
    const request = add.apply(this, given);
    if (disk.isFull) this.transaction.abort();
    return request;
  };
"""
NO_STORE = """
  IDBFactory.prototype.open = () => { throw new DOMException("denied", "SecurityError") };
"""


def offline(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)


def test_of_two_tabs_that_know_nothing_of_each_other_only_the_newer_one_keeps_answers(
    site: LiveSite, page: Page
) -> None:
    study = make_open_study(n_trials=4)
    page.context.add_init_script(NO_MANNERS)
    trial = begin(page, site.url, study.slug)
    newer = page.context.new_page()
    newer.goto(page.url)
    assert shown_trial(newer) == trial
    come_back(page)
    page.wait_for_timeout(LOOK_MS)
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("heading", name=TAKEN_OVER)).to_be_visible()
    assert not Judgment.objects.exists()
    come_back(newer)
    answer_the_rest(newer)
    answered_once(4)


@pytest.fixture
def any_host(child_env: dict[str, str]) -> None:
    child_env["ALLOWED_HOSTS"] = "*"


def test_on_a_plain_local_network_a_second_tab_is_told_and_may_take_over(
    any_host: None,
    site: LiveSite,
    browser_type: BrowserType,
    browser_type_launch_args: dict[str, Any],
) -> None:
    """No https and not this computer: no Web Locks, no randomUUID."""
    study = make_open_study(n_trials=4)
    flags = [*browser_type_launch_args["args"], "--host-resolver-rules=MAP study.test 127.0.0.1"]
    browser = browser_type.launch(**{**browser_type_launch_args, "args": flags})
    page = browser.new_context().new_page()
    begin(page, site.url.replace("127.0.0.1", "study.test"), study.slug)
    assert page.evaluate("[isSecureContext, navigator.locks]") == [False, None]
    press(page, "ArrowLeft")
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.get_by_role("heading", name=OTHER_TAB)).to_be_visible()
    other.get_by_role("button", name="Go on here").click()
    shown_trial(other)
    expect(page.get_by_role("heading", name=TAKEN_OVER)).to_be_visible()
    answer_the_rest(other)
    browser.close()
    answered_once(4)


def test_answers_outlive_a_browser_that_is_killed(
    site: LiveSite,
    browser_type: BrowserType,
    browser_type_launch_args: dict[str, Any],
    tmp_path: Path,
) -> None:
    study = make_open_study(n_trials=4)
    profile = tmp_path / "profile"

    def launch() -> Any:
        return browser_type.launch_persistent_context(profile, **browser_type_launch_args)

    context = launch()
    page = context.new_page()
    begin(page, site.url, study.slug)
    offline(page)
    answered = {press(page, "ArrowLeft"), press(page, "ArrowRight")}
    kill_browser_of(profile)
    with suppress(Error):
        context.close()

    # It may have forgotten its newest cookies, and with them who it was: not the answers.
    again = launch()
    again.new_page().goto(f"{site.url}/s/{study.slug}/")
    wait_until_stored(2)
    again.close()
    assert {str(row.trial_id) for row in Judgment.objects.all()} == answered


def kill_browser_of(profile: Path) -> None:
    """Of all processes below this one, those that were started with the profile."""
    flag = f"--user-data-dir={profile}"
    mine = [pid for pid in descendants(os.getpid()) if flag in words_of(pid)]
    assert mine
    for pid in mine:
        os.kill(pid, signal.SIGKILL)
    wait_for("the browser is gone", lambda: not any(words_of(pid) for pid in mine))


def words_of(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return []


def test_a_store_that_is_cleared_in_the_middle_is_filled_again(site: LiveSite, page: Page) -> None:
    study = make_open_study(n_trials=5)
    begin(page, site.url, study.slug)
    offline(page)
    press(page, "ArrowLeft")
    press(page, "ArrowLeft")
    devtools = page.context.new_cdp_session(page)
    cleared = {"origin": site.url, "storageTypes": "indexeddb"}
    devtools.send("Storage.clearDataForOrigin", cleared)
    press(page, "ArrowRight")
    # What is on disk now is all that a new page has.
    page.close()
    again = page.context.new_page()
    page.context.set_offline(False)
    again.goto(f"{site.url}/s/{study.slug}/trial")
    wait_until_stored(3)
    answer_the_rest(again)
    answered_once(5)


def test_a_full_disk_keeps_the_answer_on_the_page_until_there_is_room(
    site: LiveSite, page: Page
) -> None:
    study = make_open_study(n_trials=3)
    page.add_init_script(DISK)
    trial = begin(page, site.url, study.slug)
    page.evaluate("disk.isFull = true")
    page.wait_for_timeout(LOOK_MS)
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("heading", name=NOT_KEPT)).to_be_visible()
    page.get_by_role("button", name="Keep the answer").click()
    expect(page.get_by_role("heading", name=NOT_KEPT)).to_be_visible()
    assert not Judgment.objects.exists()
    page.evaluate("disk.isFull = false")
    page.get_by_role("button", name="Keep the answer").click()
    shown_trial(page, after=trial)
    answer_the_rest(page)
    answered_once(3)


def test_a_browser_that_keeps_nothing_asks_nothing(site: LiveSite, page: Page) -> None:
    study = make_open_study(n_trials=2)
    page.add_init_script(NO_STORE)
    page.goto(f"{site.url}/s/{study.slug}/")
    page.get_by_label("I have read this and agree").check()
    page.get_by_role("button", name="Begin").click()
    heading = page.get_by_role("heading", name="This browser cannot keep your answers safe")
    expect(heading).to_be_visible()
    expect(page.locator("#left")).to_be_hidden()


def test_answers_of_another_study_are_sent_along(site: LiveSite, page: Page) -> None:
    first, second = make_open_study("first", n_trials=3), make_open_study("second", n_trials=2)
    begin(page, site.url, first.slug)
    offline(page)
    answered = {press(page, "ArrowLeft"), press(page, "ArrowLeft")}
    page.close()
    page.context.set_offline(False)
    begin(page.context.new_page(), site.url, second.slug)
    wait_until_stored(2)
    assert {str(row.trial_id) for row in Judgment.objects.all()} == answered
