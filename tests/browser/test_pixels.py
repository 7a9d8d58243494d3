"""One image pixel is one device pixel: read back from the screen and compared exactly."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserType, Page, StorageState, expect

from annotation.models import Judgment
from tests.browser.answering import LOOK_MS, begin, go_on, press, shown_trial, wait_until_stored
from tests.browser.looking import (
    VIEWS,
    assert_shows,
    device_box,
    enter,
    offset_of,
    picture_of,
    places_on,
    which_is_shown,
)
from tests.browser.making import make_open_study
from tests.processes import LiveSite

WIDTH, HEIGHT = 121, 93
SIDE_BY_SIDE = VIEWS["side_by_side"][0]
# 1.1 x 1.25 and the like come from zoom on a scaled screen; 1.3562 is no screen's.
RATIOS = {
    "side_by_side": (1, 1.1, 1.25, 1.5, 1.75, 2),
    "toggle_original": (1.25, 1.5, 1.75, 2),
    "toggle_copies": (1.25, 1.5, 1.75, 2),
    "flicker": (1.25, 1.5, 1.75, 2),
}
REAL_RATIOS = (1.3562, 1.75)


@contextmanager
def opened_at(browser: Browser, url: str, cookies: StorageState, ratio: float) -> Iterator[Page]:
    """The trial once more, on a screen of this pixel ratio."""
    with browser.new_context(
        viewport={"width": 803, "height": 601}, device_scale_factor=ratio, storage_state=cookies
    ) as context:
        page = context.new_page()
        page.goto(url)
        yield page


def assert_every_view_is_one_to_one(page: Page, trial: str, mode: str) -> None:
    views = VIEWS[mode]
    if mode == "flicker":
        for number in (0, 1):
            assert any(which_is_shown(page, trial, views) == number for _ in range(12))
        return
    assert_shows(page, trial, views[0])
    for view in views[1:]:
        page.keyboard.down(" ")
        page.wait_for_timeout(50)
        assert_shows(page, trial, view)
        page.keyboard.up(" ")
        page.wait_for_timeout(50)


def offset_on(page: Page, trial: str, mode: str, zoom: int) -> tuple[int, int]:
    """Where the view lies in the magnified pictures; in all places at the same point."""
    found = places_on(page, VIEWS[mode][0])
    for view in VIEWS[mode]:
        try:
            offsets = {
                offset_of(pixels, picture_of(trial, view[element]), zoom)
                for element, pixels in found.items()
            }
        except AssertionError:
            continue
        assert len(offsets) == 1
        return offsets.pop()
    raise AssertionError("found none of the views, magnified without smoothing")


@pytest.mark.parametrize("mode", VIEWS)
def test_every_view_of_a_mode_is_one_to_one_and_magnified_in_whole_steps(
    site: LiveSite, browser: Browser, page: Page, mode: str
) -> None:
    # Half a second a view is slow enough for a picture of the screen to hold only one.
    study = make_open_study(
        n_trials=1, width=WIDTH, height=HEIGHT, mode=mode, flicker_hz=2, largest_zoom=3
    )
    trial = enter(page, site.url, study.slug)
    cookies = page.context.storage_state()
    url = page.url
    page.close()
    for ratio in RATIOS[mode]:
        with opened_at(browser, url, cookies, ratio) as page:
            assert shown_trial(page) == trial
            assert_every_view_is_one_to_one(page, trial, mode)
            # Whole in CSS pixels too: no edge to snap, so not even a nearest pixel to be sought.
            assert page.evaluate("surface.getBoundingClientRect().width % 1") == 0
            # Magnifying knows nothing of modes.
            if mode == "side_by_side" or ratio == 1.75:
                assert_magnified(page, trial, mode)


def assert_magnified(page: Page, trial: str, mode: str) -> None:
    page.keyboard.press("+")
    page.wait_for_timeout(50)
    middle = offset_on(page, trial, mode, 2)
    assert middle == pytest.approx((WIDTH / 2, HEIGHT / 2), abs=1)
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("+")
    page.keyboard.press("Shift+ArrowUp")
    page.wait_for_timeout(50)
    left, top = offset_on(page, trial, mode, 3)
    assert left == pytest.approx(WIDTH + 1.5 * WIDTH / 8, abs=2)
    assert top == pytest.approx(HEIGHT - HEIGHT / 8, abs=2)


def test_pictures_are_one_to_one_at_real_ratios(
    site: LiveSite, browser_type: BrowserType, browser_type_launch_args: dict[str, Any]
) -> None:
    """A screen's own scale takes another way through the browser than an emulated one."""
    study = make_open_study(n_trials=2, width=WIDTH, height=HEIGHT, judgments_per_triplet=99)
    for ratio in REAL_RATIOS:
        scale = [f"--force-device-scale-factor={ratio}", "--window-size=1003,751"]
        arguments = [*browser_type_launch_args["args"], *scale]
        browser = browser_type.launch(**{**browser_type_launch_args, "args": arguments})
        page = browser.new_context(no_viewport=True).new_page()
        first = begin(page, site.url, study.slug)
        assert_shows(page, first, SIDE_BY_SIDE)
        press(page, "ArrowLeft")
        assert_shows(page, shown_trial(page, after=first), SIDE_BY_SIDE)
        assert page.evaluate("devicePixelRatio") == pytest.approx(ratio, abs=1e-6)
        wait_until_stored(1)
        stored = Judgment.objects.get(trial=first).device_pixel_ratio
        assert stored == page.evaluate("devicePixelRatio")
        browser.close()
        Judgment.objects.all().delete()


def test_a_change_of_window_in_mid_trial_keeps_the_pixels_and_is_recorded(
    site: LiveSite, page: Page
) -> None:
    study = make_open_study(n_trials=2, width=WIDTH, height=HEIGHT)
    trial = begin(page, site.url, study.slug)
    page.set_viewport_size({"width": 703, "height": 501})
    go_on(page)
    page.wait_for_timeout(100)
    assert_shows(page, trial, SIDE_BY_SIDE)
    assert press(page, "ArrowLeft") == trial
    wait_until_stored(1)
    assert "window 703x501" in [event["what"] for event in Judgment.objects.get().events]


def test_a_change_of_ratio_in_mid_trial_keeps_the_pixels_and_is_recorded(
    site: LiveSite, page: Page
) -> None:
    study = make_open_study(n_trials=2, width=WIDTH, height=HEIGHT)
    trial = begin(page, site.url, study.slug)
    devtools = page.context.new_cdp_session(page)
    devtools.send(
        "Emulation.setDeviceMetricsOverride",
        {"width": 900, "height": 700, "deviceScaleFactor": 1.5, "mobile": False},
    )
    page.wait_for_function("() => devicePixelRatio === 1.5")
    go_on(page)
    page.wait_for_timeout(100)
    assert [device_box(page, element)[2] for element in SIDE_BY_SIDE] == [WIDTH] * 3
    assert press(page, "ArrowLeft") == trial
    wait_until_stored(1)
    assert "ratio 1.5" in [event["what"] for event in Judgment.objects.get().events]


def test_a_window_too_small_covers_the_pictures_and_takes_no_answer(
    site: LiveSite, browser: Browser
) -> None:
    study = make_open_study(n_trials=2, width=240, height=180)
    context = browser.new_context(
        viewport={"width": 1000, "height": 700}, screen={"width": 1000, "height": 700}
    )
    page = context.new_page()
    trial = begin(page, site.url, study.slug)
    page.set_viewport_size({"width": 700, "height": 600})
    cover = page.locator("#cover")
    expect(cover).to_contain_text("Found 700 × 600 pixels; needed 752 ×")
    expect(page.locator("#left")).to_be_hidden()
    page.wait_for_timeout(LOOK_MS)
    page.keyboard.press("ArrowLeft")
    page.set_viewport_size({"width": 760, "height": 600})
    go_on(page)
    expect(page.locator("#left")).to_be_visible()
    assert shown_trial(page) == trial
    assert_shows(page, trial, SIDE_BY_SIDE)
    assert not Judgment.objects.exists()
    context.close()


def assert_shows_the_middle(page: Page, trial: str, width: int) -> list[int]:
    """The same central part of all, one to one; returns it: left, top, width, height."""
    left = (240 - width) // 2
    for element, found in places_on(page, SIDE_BY_SIDE).items():
        expected = picture_of(trial, SIDE_BY_SIDE[element])[:, left : left + width]
        assert found.shape == expected.shape
        assert (found == expected).all(), element
    return [left, 0, width, 180]


def test_a_small_window_shows_the_middle_where_the_study_says_so(
    site: LiveSite, page: Page
) -> None:
    study = make_open_study(
        n_trials=2, width=240, height=180, when_small="crop", smallest_crop_px=150
    )
    first = begin(page, site.url, study.slug)
    assert_shows(page, first, SIDE_BY_SIDE)
    page.set_viewport_size({"width": 602, "height": 500})
    go_on(page)
    # Three of 190, gaps and margins of 8.
    smallest = assert_shows_the_middle(page, first, (602 - 32) // 3)
    page.set_viewport_size({"width": 650, "height": 500})
    go_on(page)
    larger = assert_shows_the_middle(page, first, (650 - 32) // 3)
    assert press(page, "ArrowLeft") == first

    page.set_viewport_size({"width": 481, "height": 500})
    # Three of 150, gaps and margins of 8.
    expect(page.locator("#cover")).to_contain_text("needed 482 ×")
    page.set_viewport_size({"width": 1000, "height": 700})
    go_on(page)
    second = press(page, "ArrowLeft")
    wait_until_stored(2)
    rows = {str(row.trial_id): row for row in Judgment.objects.all()}
    stored = {
        trial: [
            row.shown_left_px,
            row.shown_top_px,
            row.shown_width_px,
            row.shown_height_px,
        ]
        for trial, row in rows.items()
    }
    assert stored == {first: smallest, second: larger}
