"""What the pictures are seen on is watched: a change covers them, says so, and is marked."""

from typing import Any

from playwright.sync_api import Browser, Page, expect

from annotation.models import Judgment, Session
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

AWAY_MS = 400


def override(page: Page, *, screen: tuple[int, int] = (1280, 720), **metrics: Any) -> None:
    """What another monitor, another window, or another zoom, is to a page."""
    width, height = screen
    page.context.new_cdp_session(page).send(
        "Emulation.setDeviceMetricsOverride",
        {
            "width": 1280,
            "height": 720,
            "deviceScaleFactor": 1,
            "mobile": False,
            "screenWidth": width,
            "screenHeight": height,
            **metrics,
        },
    )


def set_hidden(page: Page, is_hidden: bool) -> None:
    """This browser calls every page visible, whatever lies before it: the page is told so here."""
    page.evaluate(
        """(isHidden) => {
          Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        is_hidden,
    )


def is_covered(page: Page, title: str) -> None:
    expect(page.locator("#cover h2")).to_have_text(title)
    expect(page.locator("#left")).to_be_hidden()
    page.wait_for_timeout(AWAY_MS)
    page.keyboard.press("ArrowLeft")


def test_every_change_in_mid_trial_covers_the_pictures_and_marks_that_trial(
    site: LiveSite, page: Page
) -> None:
    study = make_open_study(n_trials=5)
    first = begin(page, site.url, study.slug)
    override(page, width=1100, height=700)
    is_covered(page, "The window has changed")
    go_on(page)
    assert press(page, "ArrowRight") == first

    second = shown_trial(page)
    # A zoom of 125 %: as many pixels of the screen, fewer of the page.
    override(page, width=880, height=560, deviceScaleFactor=1.25)
    is_covered(page, "The zoom has changed")
    go_on(page)
    assert press(page, "ArrowRight") == second

    third = shown_trial(page, after=second)
    override(page, width=880, height=560, deviceScaleFactor=1.25, screen=(2560, 1440))
    is_covered(page, "The screen has changed")
    go_on(page)
    assert press(page, "ArrowRight") == third
    fourth = press(page, "ArrowRight")
    wait_until_stored(4)
    rows = {str(row.trial_id): row for row in Judgment.objects.all()}
    assert rows[first].marks == ["window"]
    assert rows[second].marks == ["ratio"]
    assert rows[third].marks == ["monitor"]
    assert rows[fourth].marks == []
    for trial in (first, second, third):
        response_ms = rows[trial].response_ms
        assert response_ms is not None
        assert AWAY_MS < rows[trial].hidden_ms < response_ms
    assert rows[fourth].hidden_ms == 0


def test_a_window_or_tab_in_front_covers_the_pictures_and_its_time_is_told_apart(
    site: LiveSite, page: Page
) -> None:
    study = make_open_study(n_trials=3)
    first = begin(page, site.url, study.slug)
    devtools = page.context.new_cdp_session(page)
    # Otherwise this browser tells every page that it has the keyboard.
    devtools.send("Emulation.setFocusEmulationEnabled", {"enabled": False})
    window = devtools.send("Browser.getWindowForTarget")["windowId"]
    for state in ("minimized", "normal"):
        bounds = {"windowId": window, "bounds": {"windowState": state}}
        devtools.send("Browser.setWindowBounds", bounds)
        expect(page.locator("#cover h2")).to_have_text("Another window has the keyboard")
    page.wait_for_timeout(AWAY_MS)
    go_on(page)
    assert press(page, "ArrowRight") == first

    second = shown_trial(page)
    set_hidden(page, True)
    page.wait_for_timeout(AWAY_MS)
    set_hidden(page, False)
    is_covered(page, "You were away")
    go_on(page)
    assert press(page, "ArrowRight") == second
    wait_until_stored(2)
    rows = {str(row.trial_id): row for row in Judgment.objects.all()}
    assert rows[first].marks == ["blurred"]
    assert rows[second].marks == ["hidden"]
    assert rows[first].hidden_ms > AWAY_MS
    assert rows[second].hidden_ms > 2 * AWAY_MS
    assert [event["what"] for event in rows[second].events][:2] == ["covered: changed", "hidden"]


def consent_to(page: Page, url: str, slug: str) -> None:
    page.goto(f"{url}/s/{slug}/")
    page.get_by_label("I have read this and agree").check()
    page.get_by_role("button", name="Begin").click()


def test_a_study_that_asks_for_a_screen_a_zoom_or_a_computer_says_so_and_waits_for_it(
    site: LiveSite, browser: Browser
) -> None:
    screen = make_open_study(
        "screen", n_trials=2, min_screen_width_px=1920, min_screen_height_px=1080
    )
    page = browser.new_context(viewport={"width": 1280, "height": 720}).new_page()
    consent_to(page, site.url, screen.slug)
    expect(page.get_by_role("heading", name="This study needs a larger screen")).to_be_visible()
    expect(page.locator("#cover")).to_contain_text("1920 × 1080 pixels or more")
    expect(page.locator("#cover")).to_contain_text("this screen has 1280 × 720")
    page.wait_for_timeout(LOOK_MS)
    page.keyboard.press("ArrowLeft")
    override(page, screen=(1920, 1080))
    shown_trial(page)
    answer_the_rest(page)
    assert [row.marks for row in Judgment.objects.all()] == [[], []]
    page.context.close()

    zoom = make_open_study("zoom", n_trials=2, require_ratio_one=True, computers_only=True)
    page = browser.new_context(
        viewport={"width": 1024, "height": 576}, device_scale_factor=1.25
    ).new_page()
    consent_to(page, site.url, zoom.slug)
    expect(page.get_by_role("heading", name="Set the zoom to 100 %")).to_be_visible()
    expect(page.locator("#cover")).to_contain_text("now it is 1.25")
    override(page)
    first = shown_trial(page)
    override(page, width=1024, height=576, deviceScaleFactor=1.25)
    expect(page.get_by_role("heading", name="Set the zoom to 100 %")).to_be_visible()
    override(page)
    go_on(page)
    assert press(page, "ArrowLeft") == first
    wait_until_stored(3)
    assert Judgment.objects.get(trial=first).marks == ["ratio"]
    page.context.close()

    phone = browser.new_context(
        viewport={"width": 412, "height": 915},
        is_mobile=True,
        has_touch=True,
        user_agent="Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140 Mobile",
    ).new_page()
    consent_to(phone, site.url, zoom.slug)
    expect(phone.get_by_role("heading", name="This study needs a computer")).to_be_visible()
    phone.context.close()


def test_what_the_pictures_are_seen_on_is_stored_with_the_session(
    site: LiveSite, page: Page
) -> None:
    study = make_open_study(n_trials=2)
    begin(page, site.url, study.slug)
    # The refresh rate takes 40 frames to measure.
    page.wait_for_timeout(1500)
    press(page, "ArrowLeft")
    wait_until_stored(1)
    viewing = Session.objects.get().viewing
    assert (viewing["screen_device_width_px"], viewing["screen_device_height_px"]) == (1280, 720)
    assert viewing["window_width_px"] == 1280
    assert viewing["outer_window_width_px"] >= 1280
    assert viewing["available_width_px"] == 1280
    assert viewing["device_pixel_ratio"] == 1
    assert viewing["colour_depth_bits"] in (24, 30, 32)
    assert viewing["colour_gamut"] in ("srgb", "p3", "rec2020")
    assert viewing["dynamic_range"] in ("standard", "high")
    assert 20 < viewing["refresh_rate_hz"] < 300
    assert 0 < viewing["clock_resolution_ms"] < 20
    assert "Chrom" in viewing["user_agent"]
    assert viewing["languages"][0] == "en-US"
    assert viewing["pointer"] in ("fine", "none")
    assert viewing["touch_points"] == 0
    assert viewing["is_motion_reduced"] is False
    assert -720 <= viewing["time_zone_offset_min"] <= 840
    assert viewing["is_extended"] in (True, False, None)


def test_the_way_back_from_another_page_finds_the_trial_as_new(site: LiveSite, page: Page) -> None:
    study = make_open_study(n_trials=2)
    first = begin(page, site.url, study.slug)
    page.goto(f"{site.url}/")
    page.wait_for_timeout(AWAY_MS)
    page.go_back()
    assert shown_trial(page) == first
    assert press(page, "ArrowLeft") == first
    wait_until_stored(1)
    assert Judgment.objects.get().hidden_ms == 0


def test_who_cannot_meet_what_a_study_asks_for_ends_with_that_outcome(
    site: LiveSite, page: Page
) -> None:
    make_open_study(n_trials=2, min_screen_width_px=4000, completion_codes={"screened_out": "S-1"})
    page.goto(f"{site.url}/s/which/")
    page.get_by_label("I have read this and agree").check()
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("button", name="end here").click()
    page.wait_for_url("**/thanks")
    expect(page.locator("body")).to_contain_text("S-1")
    assert Session.objects.get().state == Session.State.SCREENED_OUT
