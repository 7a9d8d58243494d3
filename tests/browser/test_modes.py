"""What a person does with the views of a trial is done, seen, and measured as it was seen."""

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from annotation.models import Judgment
from tests.browser.answering import LOOK_MS, shown_trial, wait_until_stored
from tests.browser.looking import VIEWS, enter, on_screen, which_is_shown
from tests.browser.plain import (
    COPY_OR_ORIGINAL,
    FRAME_MS,
    NEAR_MS,
    answered,
    changes_in,
    frames_seen,
    make_plain_study,
    notes_of,
    seen_ms,
    settle,
    watch_frames,
)
from tests.processes import LiveSite


def test_the_original_is_seen_for_as_long_as_the_key_is_held(site: LiveSite, page: Page) -> None:
    trial = enter(page, site.url, make_plain_study("toggle_original"))
    watch_frames(page, trial, *COPY_OR_ORIGINAL)
    settle(page)
    for held_ms in (350, 150):
        page.keyboard.down(" ")
        page.wait_for_timeout(held_ms)
        page.keyboard.up(" ")
        page.wait_for_timeout(200)
    changes = changes_in(frames_seen(page))
    row = answered(page)

    assert [view for _, view in changes] == [1, 0, 1, 0]
    times = [at_ms for at_ms, _ in changes]
    original_ms = times[1] - times[0] + times[3] - times[2]
    assert original_ms >= 500 - FRAME_MS
    assert row.n_switches == 4
    assert row.dwell_ms["original"] == pytest.approx(original_ms, abs=NEAR_MS)
    assert row.dwell_ms["left"] == pytest.approx(seen_ms(row) - original_ms, abs=NEAR_MS)
    assert row.dwell_ms["right"] == row.dwell_ms["left"]
    assert row.flicker_hz is None
    assert notes_of(row, "view") == ["view original", "view copies"] * 2


def test_no_frame_is_blank_and_none_is_mixed(site: LiveSite, page: Page) -> None:
    trial = enter(page, site.url, make_plain_study("toggle_copies", largest_zoom=3))
    watch_frames(page, trial, "place-right", ("left", "right"))
    for _ in range(6):
        page.keyboard.press(" ")
        settle(page, 40)
        page.keyboard.press("+")
    for _ in range(3):
        page.keyboard.press("-")
        page.keyboard.press(" ")
        settle(page, 40)
    frames = frames_seen(page)
    assert len(frames) > 10
    assert {view for _, view in frames} == {0, 1}


def test_a_copy_is_switched_by_key_by_picture_and_by_name(site: LiveSite, page: Page) -> None:
    trial = enter(page, site.url, make_plain_study("toggle_copies"))
    copies = VIEWS["toggle_copies"]
    see = {name: page.get_by_role("button", name=f"See {name}") for name in "AB"}
    expect(see["A"]).to_have_attribute("aria-pressed", "true")
    assert which_is_shown(page, trial, copies) == 0

    page.keyboard.press(" ")
    expect(see["B"]).to_have_attribute("aria-pressed", "true")
    expect(see["A"]).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#place-right")).to_have_attribute("aria-label", "Copy B")
    assert which_is_shown(page, trial, copies) == 1
    page.locator("#place-right").click()
    settle(page)
    assert which_is_shown(page, trial, copies) == 0
    see["B"].click()
    settle(page)
    see["B"].click()
    settle(page)
    assert which_is_shown(page, trial, copies) == 1
    # The original stays what it is.
    page.locator("#original").click()
    settle(page)
    assert which_is_shown(page, trial, copies) == 1
    assert shown_trial(page) == trial

    n_before = Judgment.objects.count()
    page.get_by_role("button", name="Choose A").click()
    shown_trial(page, after=trial)
    wait_until_stored(n_before + 1)
    row = Judgment.objects.get()
    assert row.choice == row.trial.choice_of_side("left")
    assert row.n_switches == 3
    assert row.dwell_ms["original"] == pytest.approx(seen_ms(row), abs=NEAR_MS)
    assert row.dwell_ms["left"] + row.dwell_ms["right"] == pytest.approx(
        row.dwell_ms["original"], abs=0.1
    )
    # The next trial begins with A again; the answer has the focus, and Space does not give it.
    expect(see["A"]).to_have_attribute("aria-pressed", "true")
    second = shown_trial(page)
    expect(page.locator("#left")).to_be_focused()
    page.wait_for_timeout(LOOK_MS)
    page.keyboard.press(" ", delay=100)
    expect(see["B"]).to_have_attribute("aria-pressed", "true")
    page.wait_for_timeout(200)
    assert shown_trial(page) == second


def test_a_view_is_not_left_before_its_shortest_time(site: LiveSite, page: Page) -> None:
    shortest_ms = 400
    slug = make_plain_study("toggle_original", shortest_view_ms=shortest_ms)
    trial = enter(page, site.url, slug)
    watch_frames(page, trial, *COPY_OR_ORIGINAL)
    page.wait_for_timeout(shortest_ms)
    # A short press is not lost: its view comes, stays for its time, and goes by itself.
    page.keyboard.press(" ")
    page.wait_for_timeout(3 * shortest_ms)
    changes = changes_in(frames_seen(page))
    assert [view for _, view in changes] == [1, 0]
    assert changes[1][0] - changes[0][0] < shortest_ms + 150
    for _ in range(3):
        page.keyboard.press(" ")
        page.wait_for_timeout(150)
    page.wait_for_timeout(2 * shortest_ms)
    times = [at_ms for at_ms, _ in changes_in(frames_seen(page))]
    row = answered(page)
    assert len(times) >= 4
    assert min(np.diff(times)) >= shortest_ms - NEAR_MS
    assert row.n_switches == len(times)


def test_an_answer_waits_for_the_switches_that_the_study_asks_for(
    site: LiveSite, page: Page
) -> None:
    slug = make_plain_study("toggle_copies", min_switches=2)
    trial = enter(page, site.url, slug)
    page.wait_for_timeout(LOOK_MS)
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#notice")).to_contain_text("2 more times")
    page.keyboard.press(" ")
    settle(page)
    page.get_by_role("button", name="Choose B").click()
    expect(page.locator("#notice")).to_contain_text("once more")
    assert shown_trial(page) == trial
    page.keyboard.press(" ")
    settle(page)
    row = answered(page)
    assert row.n_switches == 2
    assert str(row.trial_id) == trial
    assert notes_of(row, "unseen") == ["unseen left", "unseen right"]


def test_when_the_time_is_up_no_more_switches_are_asked_for(site: LiveSite, page: Page) -> None:
    slug = make_plain_study("toggle_copies", time_limit_s=1, min_switches=4)
    trial = enter(page, site.url, slug)
    page.wait_for_timeout(1200)
    assert (on_screen(page) == 119).all(axis=-1).mean() > 0.95
    assert which_is_shown(page, trial, VIEWS["toggle_copies"]) is None
    # Nor does the key that switches answer, though the focus is on an answer.
    page.locator("#left").focus()
    page.keyboard.press(" ", delay=50)
    page.wait_for_timeout(200)
    assert shown_trial(page) == trial
    row = answered(page)
    assert row.n_switches == 0
    assert row.dwell_ms["original"] == pytest.approx(1000, abs=60)
