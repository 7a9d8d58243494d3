"""One image pixel is one device pixel: read back from the screen and compared exactly."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from annotation import blinding
from annotation.models import Judgment, Trial
from tests.browser.answering import LOOK_MS, begin, press, shown_trial
from tests.browser.making import make_open_study
from tests.processes import LiveSite

GREY = (119, 119, 119)


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
        assert box == pytest.approx([left, top, width, height], abs=0.03)
        assert (height, width) == source.shape[:2]
        assert np.array_equal(screen[top : top + height, left : left + width], source), side
        # Nothing of a picture, and nothing coloured, beside it.
        assert tuple(screen[top - 2, left]) == tuple(screen[top, left - 2]) == GREY


@pytest.mark.parametrize("ratio", [1, 1.1, 1.25, 1.5, 1.75, 2, 3])
def test_pictures_are_one_to_one_on_device_pixels(
    site: LiveSite, browser: Browser, ratio: float
) -> None:
    study = make_open_study(n_trials=2, width=121, height=93)
    context = browser.new_context(viewport={"width": 803, "height": 601}, device_scale_factor=ratio)
    page = context.new_page()
    begin(page, site.url, study.slug)
    assert_one_to_one(page, shown_trial(page))
    page.set_viewport_size({"width": 700, "height": 500})
    page.wait_for_timeout(100)
    assert_one_to_one(page, shown_trial(page))
    press(page, "ArrowLeft")
    expect(page.locator("#state")).to_have_text("Saved")
    judgment = Judgment.objects.get()
    assert judgment.device_pixel_ratio == pytest.approx(ratio)
    assert "window 700x500" in [event["what"] for event in judgment.events]
    context.close()


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
    assert [device_box(page, side)[2] for side in blinding.SIDES] == pytest.approx([121] * 3)
    assert press(page, "ArrowLeft") == trial
    expect(page.locator("#state")).to_have_text("Saved")
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
