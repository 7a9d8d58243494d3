"""Flicker runs at its rate, says when it did not, and waits for whoever wants less motion."""

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from annotation.models import Judgment
from tests.browser.answering import shown_trial
from tests.browser.looking import agree, enter
from tests.browser.plain import (
    COPY_OR_ORIGINAL,
    NEAR_MS,
    answered,
    changes_in,
    frames_seen,
    make_plain_study,
    notes_of,
    seen_ms,
    watch_frames,
)
from tests.processes import LiveSite

SIMULATE_FLICKER = """async ([screen_hz, wanted_hz]) => {
  const { Flicker } = await import("/static/annotation/flicker.js");
  const flicker = new Flicker(wanted_hz);
  flicker.start(1000.25);
  const times = [];
  for (let frame = 1; frame < 20 * screen_hz; frame += 1) {
    const at_ms = 1000.25 + (1000 * frame) / screen_hz + 0.05 * Math.sin(frame);
    if (flicker.takeDue(at_ms)) times.push(at_ms);
    if (flicker.takeLate()) throw new Error(`late at ${at_ms}`);
  }
  return [times, flicker.rate_hz(times.at(-1) + 1)];
}"""


@pytest.mark.alone
def test_flicker_has_its_rate_and_equal_turns_on_any_screen(site: LiveSite, page: Page) -> None:
    page.goto(site.url)
    for screen_hz in (50, 59.94, 60, 75, 120, 144, 165):
        for wanted_hz in (1, 3, 8, 10, 15):
            times, found_hz = page.evaluate(SIMULATE_FLICKER, [screen_hz, wanted_hz])
            assert found_hz == pytest.approx(wanted_hz, rel=0.01)
            turns = np.diff(times)
            assert np.ptp(turns) <= 2.2 * 1000 / screen_hz
            whole = turns[: len(turns) // 2 * 2]
            assert whole[::2].sum() == pytest.approx(whole[1::2].sum(), rel=0.01)


def flickered(page: Page, trial: str) -> tuple[Judgment, list[float]]:
    """The judgment of two seconds of flicker, and the moments of its changes as we saw them."""
    watch_frames(page, trial, *COPY_OR_ORIGINAL)
    page.wait_for_timeout(2000)
    row = answered(page)
    assert row.painted_ms is not None
    assert row.answered_ms is not None
    frames = [frame for frame in frames_seen(page) if row.painted_ms < frame[0] < row.answered_ms]
    assert {view for _, view in frames} == {0, 1}
    return row, [at_ms for at_ms, _ in changes_in(frames)]


@pytest.mark.alone
def test_flicker_runs_at_the_studys_rate(site: LiveSite, page: Page) -> None:
    trial = enter(page, site.url, make_plain_study("flicker", flicker_hz=10))
    # A computer that does other things for a moment says so; then once more.
    for _ in range(5):
        row, times = flickered(page, trial)
        assert row.dwell_ms["original"] + row.dwell_ms["left"] == pytest.approx(
            seen_ms(row), abs=NEAR_MS
        )
        if not notes_of(row, "late change"):
            break
        trial = shown_trial(page)
    assert 1000 * (len(times) - 1) / (times[-1] - times[0]) == pytest.approx(10, rel=0.02)
    assert row.flicker_hz == pytest.approx(10, rel=0.02)
    assert row.n_switches == pytest.approx(seen_ms(row) / 100, abs=2)
    assert row.dwell_ms["original"] == pytest.approx(row.dwell_ms["left"], rel=0.15)


@pytest.mark.alone
def test_changes_that_come_late_are_told_and_slow_the_measured_rate(
    site: LiveSite, page: Page
) -> None:
    enter(page, site.url, make_plain_study("flicker", flicker_hz=10))
    page.wait_for_timeout(500)
    # Longer than two changes: they are not made up for.
    page.evaluate(
        "() => { const until = performance.now() + 350; while (performance.now() < until); }"
    )
    page.wait_for_timeout(500)
    row = answered(page)
    late = notes_of(row, "late change")
    assert any(int(note.split()[3]) >= 200 for note in late), late
    assert row.flicker_hz is not None
    assert row.flicker_hz < 9.5


def test_flicker_waits_for_whoever_wants_less_motion(site: LiveSite, browser: Browser) -> None:
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    agree(page, site.url, make_plain_study("flicker"))
    start = page.get_by_role("button", name="Start")
    expect(start).to_be_focused()
    expect(page.locator("#place-left")).to_be_hidden()
    page.wait_for_timeout(300)
    start.click()
    shown_trial(page)
    page.wait_for_timeout(500)
    first = answered(page)
    assert first.n_switches >= 3
    assert first.hidden_ms == 0
    # Once is enough.
    assert answered(page).n_switches > 0
    context.close()


def test_what_is_covered_is_neither_dwell_nor_flicker(site: LiveSite, page: Page) -> None:
    enter(page, site.url, make_plain_study("flicker", flicker_hz=10))
    page.wait_for_timeout(600)
    page.get_by_role("button", name="Menu").click()
    page.wait_for_timeout(700)
    page.get_by_role("button", name="Go on").click()
    page.wait_for_timeout(600)
    row = answered(page)
    assert row.hidden_ms > 600
    dwell_ms = row.dwell_ms["original"] + row.dwell_ms["left"]
    assert dwell_ms == pytest.approx(seen_ms(row), abs=NEAR_MS)
    assert row.flicker_hz == pytest.approx(10, rel=0.05)
