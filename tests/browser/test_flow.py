"""The life of a session on the trial page: practice, breaks, limits, keys, language, its ends."""

import io
import re
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, expect

from annotation.models import Judgment, Session, Study, Trial
from tests.browser.answering import (
    LOOK_MS,
    answer_the_rest,
    begin,
    go_on,
    press,
    shown_trial,
    wait_until_stored,
)
from tests.browser.making import make_open_study
from tests.processes import LiveSite

KEY_OF_SIDE = {"left": "ArrowLeft", "right": "ArrowRight"}
OTHER = {"left": "right", "right": "left"}
GREY = (119, 119, 119)
BLACK = (0, 0, 0)
TEXTS = Path(__file__).resolve().parents[2] / "static" / "annotation" / "texts.js"


def expected_side(trial: str) -> str:
    return Trial.objects.select_related("triplet").get(pk=trial).expected_side


def answer(page: Page, side: str) -> None:
    page.wait_for_timeout(LOOK_MS)
    page.keyboard.press(KEY_OF_SIDE[side])


def pixel(page: Page, x: int, y: int) -> Any:
    with Image.open(io.BytesIO(page.screenshot())) as screen:
        return screen.convert("RGB").getpixel((x, y))


def centre_of_the_left_picture(page: Page) -> Any:
    box = page.evaluate(
        """() => {
          const place = document.getElementById("place-left") ?? document.getElementById("left");
          const box = place.getBoundingClientRect();
          return [box.left + box.width / 2, box.top + box.height / 2].map(Math.round);
        }"""
    )
    return pixel(page, box[0], box[1])


def test_practice_tells_how_it_was_and_then_the_real_comparisons_begin(
    site: LiveSite, page: Page
) -> None:
    study = make_open_study(n_trials=2, n_practice=2, practice_pass_share=0.5)
    first = begin(page, site.url, study.slug)
    expect(page.locator("#count")).to_have_text("Practice 1 of 2")
    right = expected_side(first)
    answer(page, OTHER[right])
    expect(page.locator("#notice")).to_contain_text(f"Look again: “{right}” is the answer")
    expect(page.locator("#left")).to_be_visible()
    assert centre_of_the_left_picture(page) != GREY
    page.keyboard.press("Backspace")
    page.keyboard.press("ArrowLeft")
    go_on(page)
    second = shown_trial(page, after=first)
    expect(page.locator("#undo")).to_be_disabled()
    answer(page, expected_side(second))
    expect(page.locator("#notice")).to_contain_text(f"Yes: “{expected_side(second)}”")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="The real comparisons begin")).to_be_visible()
    expect(page.locator("#left")).to_be_hidden()
    page.keyboard.press("Backspace")
    go_on(page)
    third = shown_trial(page, after=second)
    expect(page.locator("#count")).to_have_text("1 of 2")
    expect(page.locator("#undo")).to_be_disabled()
    assert press(page, "ArrowLeft") == third
    expect(page.locator("#undo")).to_be_enabled()
    answer_the_rest(page)
    assert Judgment.objects.count() == 4
    assert not Judgment.objects.exclude(supersedes=None).exists()
    assert Session.objects.get().state == Session.State.FINISHED


def test_a_session_that_the_server_ends_leads_to_the_last_page_with_every_answer_sent(
    site: LiveSite, browser: Browser
) -> None:
    strict = make_open_study("strict", n_trials=2, n_practice=1, practice_pass_share=1)
    page = browser.new_context().new_page()
    first = begin(page, site.url, strict.slug)
    answer(page, OTHER[expected_side(first)])
    wait_until_stored(1)
    page.wait_for_timeout(300)
    # Failed: but first one reads how it was.
    expect(page.locator("#notice")).to_contain_text("Look again")
    go_on(page)
    page.wait_for_url("**/thanks")
    assert Session.objects.get().state == Session.State.FAILED
    assert Judgment.objects.count() == 1
    page.context.close()

    study = make_open_study(n_trials=6)
    page = browser.new_context().new_page()
    begin(page, site.url, study.slug)
    press(page, "ArrowLeft")
    wait_until_stored(2)
    Session.objects.filter(study=study).update(state=Session.State.SCREENED_OUT)
    page.wait_for_timeout(LOOK_MS)
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**/thanks")
    assert Judgment.objects.count() == 3
    page.context.close()


def test_a_break_comes_when_it_is_due_is_not_timed_and_ends_the_undo(
    site: LiveSite, page: Page
) -> None:
    study = make_open_study(n_trials=5, break_every=2)
    begin(page, site.url, study.slug)
    first = press(page, "ArrowLeft")
    second = shown_trial(page, after=first)
    answer(page, "left")
    expect(page.get_by_role("heading", name="Take a break")).to_be_visible()
    expect(page.locator("#cover")).to_contain_text("2 of 5 comparisons are done")
    expect(page.locator("#left")).to_be_hidden()
    page.wait_for_timeout(700)
    page.keyboard.press("Backspace")
    go_on(page)
    third = shown_trial(page, after=second)
    expect(page.locator("#undo")).to_be_disabled()
    answer(page, "right")
    fourth = shown_trial(page, after=third)
    wait_until_stored(3)
    judgment = Judgment.objects.get(trial=third)
    assert judgment.response_ms is not None and judgment.response_ms < 700
    assert judgment.hidden_ms == 0

    # Undone and answered anew, the next break still comes once, and the line never goes back.
    expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "60")
    page.keyboard.press("Backspace")
    assert shown_trial(page, after=fourth) == third
    page.reload()
    assert shown_trial(page) == fourth
    expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "60")
    # Even before the server has told how far one is.
    page.route("**/lease", lambda route: route.abort())
    page.reload()
    expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "60")
    page.unroute("**/lease")
    page.reload()
    assert shown_trial(page) == fourth
    # 60 % of the window is black, over the pictures' canvas too.
    assert [pixel(page, x, 1) for x in (700, 800)] == [BLACK, GREY]
    answer(page, "left")
    go_on(page)
    shown_trial(page, after=fourth)
    answer_the_rest(page)
    assert Judgment.objects.count() == 5


def test_the_pictures_disappear_at_the_time_limit_and_the_answer_is_still_taken(
    site: LiveSite, page: Page
) -> None:
    study = make_open_study(n_trials=2, time_limit_s=2)
    first = begin(page, site.url, study.slug)
    page.get_by_role("button", name="Menu").click()
    page.wait_for_timeout(1000)
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#gone")).to_have_text("The pictures are gone. Please choose now.")
    assert centre_of_the_left_picture(page) == GREY
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.keyboard.press("ArrowLeft")
    second = shown_trial(page, after=first)
    expect(page.locator("#gone")).to_have_text("")
    assert centre_of_the_left_picture(page) != GREY
    answer_the_rest(page)

    judgment = Judgment.objects.get(trial=first)
    assert set(judgment.marks) == {"menu", "time_up"}
    at_ms = {event["what"]: event["at_ms"] for event in judgment.events}
    covered_ms = at_ms["uncovered: menu"] - at_ms["covered: menu"]
    assert covered_ms > 900
    # Time behind the menu is not viewing time.
    seen_ms = at_ms["time up"] - judgment.painted_ms - covered_ms
    assert 2000 <= seen_ms < 2500
    assert Judgment.objects.get(trial=second).marks == []


def test_an_answer_before_both_were_looked_at_is_not_taken_and_a_hint_says_why(
    site: LiveSite, page: Page
) -> None:
    study = make_open_study(n_trials=2, mode=Study.Mode.TOGGLE_ORIGINAL, min_switches=2)
    first = begin(page, site.url, study.slug)
    answer(page, "left")
    expect(page.locator("#notice")).to_have_text(
        re.compile(r"Look first: switch 2 more times \(Space\), then choose\.")
    )
    assert shown_trial(page) == first
    page.keyboard.down("Space")
    page.wait_for_timeout(50)
    page.keyboard.up("Space")
    page.wait_for_timeout(50)
    page.keyboard.press("ArrowLeft")
    shown_trial(page, after=first)
    expect(page.locator("#notice")).to_be_hidden()
    wait_until_stored(1)
    judgment = Judgment.objects.get()
    assert judgment.n_switches >= 2
    assert "unseen left" in [event["what"] for event in judgment.events]


def test_a_key_can_be_changed_and_a_clash_is_refused_in_words(site: LiveSite, page: Page) -> None:
    study = make_open_study(n_trials=4)
    first = begin(page, site.url, study.slug)
    page.get_by_role("button", name="Menu").click()
    status = page.locator("#key-status")
    change = page.get_by_role("button", name="Change the key for “left”")
    change.click()
    expect(change).to_have_text("Press a key")
    page.keyboard.press("ArrowRight")
    expect(status).to_contain_text("→ already means “right”")
    page.keyboard.press("Enter")
    expect(status).to_contain_text("Enter is needed for something else")
    page.keyboard.press("f")
    expect(status).to_contain_text("F now means “left”")
    page.locator("#menu").get_by_role("button", name="Go on").click()
    expect(page.locator("#hints")).to_contain_text("F left")
    page.wait_for_timeout(LOOK_MS)
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(100)
    assert shown_trial(page) == first
    page.reload()
    assert press(page, "f") == first
    wait_until_stored(1)
    assert Judgment.objects.get().choice == Trial.objects.get(pk=first).choice_of_side("left")
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("button", name="Reset the keys").click()
    expect(page.locator("#keys kbd").first).to_have_text("←")
    page.keyboard.press("Escape")
    answer_the_rest(page)


def test_a_session_in_german_speaks_german_in_all_its_parts(site: LiveSite, page: Page) -> None:
    study = make_open_study(n_trials=3, break_every=1, allow_not_sure=True)
    begin(page, site.url, study.slug)
    Session.objects.update(language="de")
    page.reload()
    first = shown_trial(page)
    expect(page.locator("#count")).to_have_text("1 von 3")
    expect(page.locator("#hints")).to_contain_text("nicht sicher")
    page.get_by_role("button", name="Menü").click()
    expect(page.locator("#keys")).to_contain_text("Rücktaste")
    page.keyboard.press("Escape")
    answer(page, "left")
    expect(page.get_by_role("heading", name="Machen Sie eine Pause")).to_be_visible()
    page.get_by_role("button", name="Weiter").click()
    shown_trial(page, after=first)


def test_both_languages_have_the_same_sentences(page: Page) -> None:
    shapes = page.evaluate(
        """async (source) => {
          const { tables } = await import("data:text/javascript," + encodeURIComponent(source));
          const shape = (value) => {
            if (typeof value === "function") return shape(value(2, { width: 1, height: 1 }));
            if (typeof value === "string") return value.trim() ? "text" : "<empty>";
            return Object.fromEntries(Object.keys(value).map((key) => [key, shape(value[key])]));
          };
          return Object.fromEntries(Object.keys(tables).map((name) => [name, shape(tables[name])]));
        }""",
        TEXTS.read_text(encoding="utf-8"),
    )
    assert set(shapes) == {"en", "de"}
    assert shapes["de"] == shapes["en"]
    assert "<empty>" not in str(shapes)
