"""The page's times against the truth: when the screen changed, and when a scripted key was pressed.

One session of photographs gives both figures; `--log-cli-level=info` shows them.
"""

import logging
import random
import statistics
import time
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from django.db.models import QuerySet
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize

from annotation.models import Judgment, Study, Trial
from tests.browser.answering import begin, shown_trial
from tests.browser.making import make_open_study
from tests.browser.tracing import MARK_EVERY_DRAWING, Trace, begin_trace, end_trace
from tests.processes import LiveSite, wait_for

logger = logging.getLogger(__name__)

WINDOW: ViewportSize = {"width": 2560, "height": 1440}
N_TRIALS = 42
LARGEST_SPREAD_MS = 8
LARGEST_WAIT_MS = 100
LATEST_KEY_S = 0.05
LEFT = {"key": "ArrowLeft", "code": "ArrowLeft", "windowsVirtualKeyCode": 37}
# Every frame: is there a picture in each of the three places, and can it be seen?
WATCH_FOR_BLANKS = """() => {
  window.frames_seen = 0;
  window.blanks = 0;
  const canvas = document.getElementById("surface");
  const context = canvas.getContext("2d");
  const centres = ["left", "original", "right"].map((id) => {
    const box = document.getElementById(id).getBoundingClientRect();
    return [box.left + box.width / 2, box.top + box.height / 2];
  });
  const isBlank = ([x, y]) => {
    const [red, green, blue] = context.getImageData(x, y, 1, 1).data;
    return red < 125 || green < 125 || blue < 125;
  };
  const look = () => {
    window.frames_seen += 1;
    const isHidden = getComputedStyle(canvas).visibility !== "visible";
    if (isHidden || centres.some(isBlank)) window.blanks += 1;
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""


def make_photo(seed: int, width: int, height: int) -> NDArray[np.uint8]:
    """Smooth shapes and a little noise, lighter everywhere than the page's grey."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(140, 256, (height // 16, width // 16, 3), dtype=np.uint8)
    smooth = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    noisy = np.asarray(smooth) + rng.integers(-6, 7, (height, width, 3))
    return np.clip(noisy, 125, 255).astype(np.uint8)


@dataclass
class Measured:
    """One session's figures, a value a trial; frames of the whole of it."""

    # The page's response time minus the true one.
    errors_ms: list[float]
    # From the key's arrival to the next trial's pictures on the screen.
    waits_ms: list[float]
    n_frames: int
    n_blanks: int

    @property
    def wait_p95_ms(self) -> float:
        return float(np.quantile(self.waits_ms, 0.95, method="higher"))

    def __str__(self) -> str:
        return (
            f"{len(self.errors_ms)} trials; response time: mean error "
            f"{statistics.mean(self.errors_ms):.2f} ms, SD {statistics.stdev(self.errors_ms):.2f}, "
            f"largest {max(map(abs, self.errors_ms)):.2f}; answer to next painted trial: median "
            f"{statistics.median(self.waits_ms):.0f} ms, p95 {self.wait_p95_ms:.0f}, largest "
            f"{max(self.waits_ms):.0f}; blank frames: {self.n_blanks} of {self.n_frames}"
        )


def measure(site: LiveSite, browser: Browser, study: Study) -> Measured:
    """A new person's session."""
    context = browser.new_context(viewport=WINDOW, screen=WINDOW)
    page = context.new_page()
    page.add_init_script(MARK_EVERY_DRAWING)
    first = begin(page, site.url, study.slug)
    page.wait_for_load_state("networkidle")
    page.evaluate(WATCH_FOR_BLANKS)
    begin_trace(browser, page)
    keys_ms = press_through(page, first)
    trace = end_trace(browser)
    n_frames, n_blanks = page.evaluate("[frames_seen, blanks]")
    session = Trial.objects.get(pk=first).session
    judgments = Judgment.objects.filter(trial__session=session)
    wait_for("all are stored", lambda: judgments.count() == len(keys_ms))
    context.close()
    return Measured(*compared(keys_ms, judgments, trace), n_frames, n_blanks)


def press_through(page: Page, trial: str) -> dict[str, float]:
    """Presses left at known moments, at a person's pace; returns them by trial.

    The event carries the moment of the press, as one from a keyboard does; by how much it arrives
    later must not matter.
    """
    devtools = page.context.new_cdp_session(page)
    rng = random.Random(4)
    keys_ms = {}
    while len(keys_ms) < N_TRIALS - 1:
        time.sleep(rng.uniform(0.3, 0.6))
        late_s = rng.uniform(0, LATEST_KEY_S)
        keys_ms[trial] = (time.monotonic() - late_s) * 1000
        press = {"type": "rawKeyDown", "timestamp": time.time() - late_s, **LEFT}
        devtools.send("Input.dispatchKeyEvent", press)
        devtools.send("Input.dispatchKeyEvent", {"type": "keyUp", **LEFT})
        trial = shown_trial(page, after=trial)
    return keys_ms


def compared(
    keys_ms: dict[str, float], judgments: QuerySet[Judgment], trace: Trace
) -> tuple[list[float], list[float]]:
    """Errors and waits; without the first trial, which was painted before the trace began."""
    rows = {str(row.trial_id): row for row in judgments}
    errors_ms, waits_ms = [], []
    for before, trial in pairwise(keys_ms):
        row = rows[trial]
        assert row.painted_ms is not None and row.response_ms is not None
        onset_ms = trace.presented_ms(trace.drawn_before(row.painted_ms))
        arrived_ms = min(at_ms for at_ms in trace.pressed_ms if at_ms >= keys_ms[before])
        errors_ms.append(row.response_ms - (keys_ms[trial] - onset_ms))
        waits_ms.append(onset_ms - arrived_ms)
    return errors_ms, waits_ms


@pytest.mark.alone
def test_response_times_are_right_and_the_next_trial_is_there_at_once(
    site: LiveSite, browser: Browser
) -> None:
    study = make_open_study(
        n_trials=N_TRIALS,
        width=768,
        height=512,
        make_pixels=make_photo,
        codecs=("avif", "jpeg", "webp"),
    )
    measured = measure(site, browser, study)
    logger.info(measured)
    if measured.wait_p95_ms >= LARGEST_WAIT_MS:
        # A machine with other work can only make it slower: a second try tells.
        measured = measure(site, browser, study)
        logger.info(measured)
    assert len(measured.errors_ms) >= 40
    assert statistics.stdev(measured.errors_ms) < LARGEST_SPREAD_MS
    assert abs(statistics.mean(measured.errors_ms)) < LARGEST_SPREAD_MS
    assert measured.wait_p95_ms < LARGEST_WAIT_MS
    assert measured.n_frames > 5 * N_TRIALS
    assert measured.n_blanks == 0
