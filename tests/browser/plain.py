"""Trials of plain pictures: which view is on can be told in every frame; and what was stored."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page

from annotation.models import Judgment
from tests.browser.answering import press, shown_trial, wait_until_stored
from tests.browser.looking import picture_of
from tests.browser.making import make_open_study

# Half a frame: the page's stamps and ours are of the same frames.
NEAR_MS = 8
FRAME_MS = 1000 / 60
COPY_OR_ORIGINAL = ("place-left", ("left", "original"))

# Every frame's time and which of the two colours is in the middle of a place; null: neither.
WATCH_FRAMES = """([id, first, second]) => {
  const context = surface.getContext("2d");
  const seen_here = (window.frames_seen = []);
  const is = ([r, g, b], [x, y, z]) => r === x && g === y && b === z;
  const look = (at_ms) => {
    const box = document.getElementById(id).getBoundingClientRect();
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    const pixel = context.getImageData(x * devicePixelRatio, y * devicePixelRatio, 1, 1).data;
    const seen = is(pixel, first) ? 0 : is(pixel, second) ? 1 : null;
    seen_here.push([at_ms, seen]);
    if (window.frames_seen === seen_here) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""


def make_plain(seed: int, width: int, height: int) -> NDArray[np.uint8]:
    """One colour each: which picture is in a place can be told by any of its pixels."""
    colour = (20 + 5 * seed, 200, 90)
    return np.full((height, width, 3), colour, np.uint8)


def watch_frames(page: Page, trial_id: str, place: str, sides: tuple[str, str]) -> None:
    """From now on, note in every frame which of two plain pictures a place shows."""
    colours = [picture_of(trial_id, side)[0, 0].tolist() for side in sides]
    page.evaluate(WATCH_FRAMES, [place, *colours])


def frames_seen(page: Page) -> list[tuple[float, int | None]]:
    return [(at_ms, seen) for at_ms, seen in page.evaluate("window.frames_seen")]


def changes_in(frames: list[tuple[float, int | None]]) -> list[tuple[float, int | None]]:
    """The first frame of each view, the first frame of all left out."""
    return [
        (at_ms, seen)
        for (at_ms, seen), (_, before) in zip(frames[1:], frames[:-1], strict=True)
        if seen != before
    ]


def make_plain_study(mode: str, **settings: Any) -> str:
    study = make_open_study(
        n_trials=6, width=160, height=120, make_pixels=make_plain, mode=mode, **settings
    )
    return study.slug


def answered(page: Page, key: str = "ArrowLeft") -> Judgment:
    """The judgment of the trial on the screen, answered now."""
    trial = shown_trial(page)
    n_before = Judgment.objects.count()
    press(page, key)
    wait_until_stored(n_before + 1)
    return Judgment.objects.get(trial=trial)


def seen_ms(row: Judgment) -> float:
    assert row.response_ms is not None
    return row.response_ms - row.hidden_ms


def notes_of(row: Judgment, word: str) -> list[str]:
    return [event["what"] for event in row.events if event["what"].startswith(word)]


def settle(page: Page, wait_ms: float = 60) -> None:
    page.wait_for_timeout(wait_ms)
