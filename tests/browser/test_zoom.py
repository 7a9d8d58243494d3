"""Zoom, fingers, and the controls around the pictures: none gives an answer that was not meant."""

from playwright.sync_api import Browser, CDPSession, Page, expect

from annotation.models import Judgment
from tests.browser.answering import LOOK_MS, shown_trial, wait_until_stored
from tests.browser.looking import VIEWS, enter, which_is_shown
from tests.browser.making import make_open_study
from tests.browser.plain import answered, make_plain_study, notes_of, settle
from tests.processes import LiveSite

OVERLAPS = """() => {
  const seen = [...document.querySelectorAll("#stage > :not(canvas), #above h1, #below")]
    .filter((element) => element.checkVisibility() && !element.matches("button.picture"))
    .map((element) => [element.id || element.tagName, element.getBoundingClientRect()]);
  const outside = seen.filter(([, box]) =>
    box.left < 0 || box.top < 0 || box.right > innerWidth || box.bottom > innerHeight);
  const overlapping = seen.flatMap(([id, a], index) => seen.slice(index + 1)
    .filter(([, b]) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)
    .map(([other]) => `${id} and ${other}`));
  return [...outside.map(([id]) => `${id} outside`), ...overlapping];
}"""


def touch(devtools: CDPSession, kind: str, *points: tuple[float, float]) -> None:
    at = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
    devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})


def middle_of(page: Page, element: str) -> tuple[float, float]:
    box = page.locator(f"#{element}").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_finger_holds_the_original_and_answers_by_the_buttons(
    site: LiveSite, browser: Browser
) -> None:
    context = browser.new_context(has_touch=True)
    page = context.new_page()
    trial = enter(page, site.url, make_plain_study("toggle_original"))
    devtools = context.new_cdp_session(page)
    for element in ("place-left", "show-original"):
        touch(devtools, "touchStart", middle_of(page, element))
        page.wait_for_timeout(300)
        assert which_is_shown(page, trial, VIEWS["toggle_original"]) == 1
        touch(devtools, "touchEnd")
        settle(page)
        assert which_is_shown(page, trial, VIEWS["toggle_original"]) == 0
    assert shown_trial(page) == trial
    page.locator("#right").tap()
    shown_trial(page, after=trial)
    wait_until_stored(1)
    row = Judgment.objects.get()
    assert row.input == "touch"
    assert row.choice == row.trial.choice_of_side("right")
    assert row.n_switches == 4
    assert row.dwell_ms["original"] > 500
    context.close()


def test_two_fingers_magnify_and_no_finger_on_a_picture_answers(
    site: LiveSite, browser: Browser
) -> None:
    context = browser.new_context(has_touch=True)
    page = context.new_page()
    trial = enter(page, site.url, make_plain_study("side_by_side", largest_zoom=4))
    page.wait_for_timeout(LOOK_MS)
    devtools = context.new_cdp_session(page)
    x, y = middle_of(page, "left")
    touch(devtools, "touchStart", (x - 20, y), (x + 20, y))
    for spread in (25, 35, 45, 60):
        touch(devtools, "touchMove", (x - spread, y), (x + spread, y))
    touch(devtools, "touchEnd")
    expect(page.locator("#zoom-level")).to_have_text("3×")
    # Magnified, a picture is there to be moved.
    touch(devtools, "touchStart", (x, y))
    touch(devtools, "touchEnd")
    page.wait_for_timeout(300)
    assert shown_trial(page) == trial
    assert page.evaluate("visualViewport.scale") == 1
    page.locator("#left").tap()
    shown_trial(page, after=trial)
    wait_until_stored(1)
    row = Judgment.objects.get()
    assert (row.zoom, row.input) == (3, "touch")
    context.close()


def test_zoom_by_wheel_keys_and_buttons_is_recorded_and_ends_with_its_trial(
    site: LiveSite, page: Page
) -> None:
    trial = enter(page, site.url, make_plain_study("side_by_side", largest_zoom=3))
    page.wait_for_timeout(LOOK_MS)
    level = page.locator("#zoom-level")
    x, y = middle_of(page, "left")
    page.mouse.move(x, y)
    page.mouse.wheel(0, -120)
    expect(level).to_have_text("2×")
    page.get_by_role("button", name="Zoom in").click()
    expect(level).to_have_text("3×")
    expect(page.get_by_role("button", name="Zoom in")).to_be_hidden()
    page.keyboard.press("+")
    page.keyboard.press("-")
    expect(level).to_have_text("2×")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y + 10, steps=3)
    page.mouse.up()
    page.wait_for_timeout(400)
    # Neither a drag nor a click on a picture has answered.
    page.mouse.click(x, y)
    page.wait_for_timeout(400)
    assert shown_trial(page) == trial
    row = answered(page, "ArrowRight")
    assert row.zoom == 3
    assert notes_of(row, "zoom") == ["zoom 2 at 80,60", "zoom 3 at 80,60", "zoom 2 at 80,60"]
    assert notes_of(row, "at") == ["at 65,55"]
    expect(level).to_have_text("1×")
    assert answered(page).zoom == 1


def test_a_picture_is_an_answer_only_where_it_is_neither_moved_nor_switched(
    site: LiveSite, page: Page
) -> None:
    trial = enter(page, site.url, make_plain_study("side_by_side", largest_zoom=2))
    page.wait_for_timeout(LOOK_MS)
    box = page.locator("#place-right").bounding_box()
    assert page.locator("#right").bounding_box() == box
    page.keyboard.press("+")
    below = page.locator("#right").bounding_box()
    assert box is not None
    assert below is not None
    assert below["y"] >= box["y"] + box["height"] + 8
    expect(page.locator("#right")).to_have_text("Right")
    page.keyboard.press("-")
    page.mouse.click(box["x"] + 20, box["y"] + 20)
    shown_trial(page, after=trial)
    wait_until_stored(1)
    assert Judgment.objects.get().input == "mouse"


def test_no_control_touches_a_picture_or_another_control(site: LiveSite, browser: Browser) -> None:
    # Flicker has no control that the others lack.
    for mode in ("side_by_side", "toggle_original", "toggle_copies"):
        make_open_study(
            mode.replace("_", "-"), n_trials=1, width=420, height=400, mode=mode,
            flicker_hz=1, largest_zoom=4, when_small="crop", smallest_crop_px=64,
        )  # fmt: skip
        page = browser.new_context().new_page()
        # German words are the longer ones.
        enter(page, site.url, mode.replace("_", "-"), language="de")
        # Wide and low, wide and high, narrow and high.
        for width, height in [(1366, 540), (1366, 768), (480, 800)]:
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(50)
            page.reload()
            shown_trial(page)
            assert page.evaluate(OVERLAPS) == [], (mode, width, height)
            page.keyboard.press("+")
            page.wait_for_timeout(50)
            assert page.evaluate(OVERLAPS) == [], (mode, width, height)
        page.context.close()
