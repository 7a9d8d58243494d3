"""One image pixel is one device pixel: read back from the screen and compared exactly."""

import io
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, BrowserType, Page, expect

from annotation import blinding
from annotation.models import Judgment, Trial
from tests.browser.answering import LOOK_MS, begin, press, shown_trial, wait_until_stored
from tests.browser.making import make_open_study
from tests.processes import LiveSite

GREY = (119, 119, 119)
EMULATED_RATIOS = (1, 1.1, 1.25, 1.5, 1.75, 2, 3)
# 1.3562 is no screen's; 1.1 x 1.25 and the like come from zoom on a scaled screen.
REAL_RATIOS = (1.25, 1.3562, 1.5)


def on_screen(page: Page) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(page.screenshot(scale="device"))) as image:
        return np.asarray(image.convert("RGB"))


def device_box(page: Page, element: str) -> list[float]:
    """left, top, width, height in device pixels, as the browser lays them out."""
    return page.evaluate(
        """id => {
          const box = document.getElementById(id).getBoundingClientRect();
          return [box.left, box.top, box.width, box.height].map((x) => x * devicePixelRatio);
        }""",
        element,
    )


def assert_one_to_one(page: Page, trial_id: str) -> None:
    trial = Trial.objects.get(pk=trial_id)
    screen = on_screen(page)
    for side in blinding.SIDES:
        with Image.open(io.BytesIO(blinding.image_of(trial, side))) as image:
            source = np.asarray(image.convert("RGB"))
        box = device_box(page, side)
        left, top, width, height = (round(number) for number in box)
        assert box == pytest.approx([left, top, width, height], abs=0.05)
        assert (height, width) == source.shape[:2]
        assert np.array_equal(screen[top : top + height, left : left + width], source), side
        # Nothing of a picture, and nothing coloured, beside it.
        assert tuple(screen[top - 2, left]) == tuple(screen[top, left - 2]) == GREY


def assert_one_to_one_through_a_session(page: Page, url: str, slug: str) -> None:
    begin(page, url, slug)
    assert_one_to_one(page, shown_trial(page))
    first = press(page, "ArrowLeft")
    assert_one_to_one(page, shown_trial(page, after=first))
    wait_until_stored(1)
    found = Judgment.objects.get(trial=first).device_pixel_ratio
    assert found == page.evaluate("devicePixelRatio")


def test_pictures_are_one_to_one_at_emulated_ratios(site: LiveSite, browser: Browser) -> None:
    study = make_open_study(n_trials=2, width=121, height=93, judgments_per_triplet=99)
    for ratio in EMULATED_RATIOS:
        context = browser.new_context(
            viewport={"width": 803, "height": 601}, device_scale_factor=ratio
        )
        page = context.new_page()
        assert_one_to_one_through_a_session(page, site.url, study.slug)
        # Whole in CSS pixels too: no edge to snap, so not even a nearest pixel to be sought.
        assert page.evaluate("surface.getBoundingClientRect().width % 1") == 0
        context.close()


def test_pictures_are_one_to_one_at_real_ratios(
    site: LiveSite, browser_type: BrowserType, browser_type_launch_args: dict[str, Any]
) -> None:
    """A screen's own scale takes another way through the browser than an emulated one."""
    study = make_open_study(n_trials=2, width=121, height=93, judgments_per_triplet=99)
    for ratio in REAL_RATIOS:
        scale = [f"--force-device-scale-factor={ratio}", "--window-size=1003,751"]
        arguments = [*browser_type_launch_args["args"], *scale]
        browser = browser_type.launch(**{**browser_type_launch_args, "args": arguments})
        page = browser.new_context(no_viewport=True).new_page()
        assert_one_to_one_through_a_session(page, site.url, study.slug)
        assert page.evaluate("devicePixelRatio") == pytest.approx(ratio, abs=1e-6)
        browser.close()


def test_a_change_of_window_in_mid_trial_keeps_the_pixels_and_is_recorded(
    site: LiveSite, page: Page
) -> None:
    study = make_open_study(n_trials=2, width=121, height=93)
    trial = begin(page, site.url, study.slug)
    page.set_viewport_size({"width": 703, "height": 501})
    page.wait_for_timeout(100)
    assert_one_to_one(page, trial)
    assert press(page, "ArrowLeft") == trial
    wait_until_stored(1)
    assert "window 703x501" in [event["what"] for event in Judgment.objects.get().events]


def test_a_change_of_ratio_in_mid_trial_keeps_the_pixels_and_is_recorded(
    site: LiveSite, page: Page
) -> None:
    study = make_open_study(n_trials=2, width=121, height=93)
    trial = begin(page, site.url, study.slug)
    devtools = page.context.new_cdp_session(page)
    devtools.send(
        "Emulation.setDeviceMetricsOverride",
        {"width": 900, "height": 700, "deviceScaleFactor": 1.5, "mobile": False},
    )
    page.wait_for_function("devicePixelRatio === 1.5")
    page.wait_for_timeout(100)
    widths = [device_box(page, side)[2] for side in blinding.SIDES]
    assert widths == pytest.approx([121] * 3, abs=0.05)
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
    expect(page.locator("#left")).to_be_visible()
    assert shown_trial(page) == trial
    assert_one_to_one(page, trial)
    assert not Judgment.objects.exists()
    context.close()
