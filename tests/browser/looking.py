"""What stands on the screen of a trial: pictures read back pixel by pixel, and frame by frame."""

import io
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page

from annotation import blinding
from annotation.models import Trial
from tests.browser.answering import shown_trial

GREY = (119, 119, 119)
# Which picture each view puts where: the first is the one that a trial begins with.
COPIES = {"place-left": "left", "place-right": "right"}
ORIGINALS = {"place-left": "original", "place-right": "original"}
VIEWS: dict[str, list[dict[str, str]]] = {
    "side_by_side": [{"place-left": "left", "original": "original", "place-right": "right"}],
    "toggle_original": [COPIES, ORIGINALS],
    "toggle_copies": [
        {"original": "original", "place-right": "left"},
        {"original": "original", "place-right": "right"},
    ],
    "flicker": [COPIES, ORIGINALS],
}
Box = tuple[int, int, int, int]


def agree(page: Page, url: str, slug: str, *, language: str = "en") -> None:
    """To everything that the welcome page asks for; then to the trial page."""
    page.goto(f"{url}/s/{slug}/?language={language}")
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.locator("form.decision button").click()


def enter(page: Page, url: str, slug: str, *, language: str = "en") -> str:
    """Like begin(), whatever the study's mode and the page's language."""
    agree(page, url, slug, language=language)
    return shown_trial(page)


def on_screen(page: Page) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(page.screenshot(scale="device"))) as image:
        return np.asarray(image.convert("RGB"))


@lru_cache(maxsize=16)
def picture_of(trial_id: str, side: str) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(blinding.image_of(Trial.objects.get(pk=trial_id), side))) as image:
        return np.asarray(image.convert("RGB"))


def device_box(page: Page, element: str) -> Box:
    """left, top, width, height in device pixels, which they must be whole numbers of."""
    box = page.evaluate(
        """id => {
          const box = document.getElementById(id).getBoundingClientRect();
          return [box.left, box.top, box.width, box.height].map((x) => x * devicePixelRatio);
        }""",
        element,
    )
    left, top, width, height = (round(number) for number in box)
    assert box == pytest.approx([left, top, width, height], abs=0.05)
    return left, top, width, height


def places_on(page: Page, view: Mapping[str, str]) -> dict[str, NDArray[np.uint8]]:
    """What the screen shows in each place of a view; nothing of a picture lies beside it."""
    screen, found = on_screen(page), {}
    for element in view:
        left, top, width, height = device_box(page, element)
        assert tuple(screen[top - 2, left]) == tuple(screen[top, left - 2]) == GREY
        assert tuple(screen[top + height, left]) == tuple(screen[top, left + width]) == GREY
        found[element] = screen[top : top + height, left : left + width]
    return found


def assert_shows(page: Page, trial_id: str, view: Mapping[str, str]) -> None:
    """One to one, and whole."""
    for element, found in places_on(page, view).items():
        expected = picture_of(trial_id, view[element])
        assert found.shape == expected.shape
        assert np.array_equal(found, expected), f"{element} does not show {view[element]}"


def which_is_shown(page: Page, trial_id: str, views: list[dict[str, str]]) -> int | None:
    """The number of the view that the screen shows to the last pixel; None: no such view."""
    found = places_on(page, views[0])
    for number, view in enumerate(views):
        expected = {element: picture_of(trial_id, side) for element, side in view.items()}
        if all(np.array_equal(found[element], expected[element]) for element in view):
            return number
    return None


def offset_of(found: NDArray[Any], picture: NDArray[Any], zoom: int) -> tuple[int, int]:
    """Where a place lies in its picture magnified without any smoothing, in device pixels."""
    magnified = picture.repeat(zoom, axis=0).repeat(zoom, axis=1)
    height, width = found.shape[:2]
    corners = magnified[: magnified.shape[0] - height + 1, : magnified.shape[1] - width + 1]
    # The first pixel of noise leaves few offsets at which to compare them all.
    hits = [
        (int(left), int(top))
        for top, left in np.argwhere((corners == found[0, 0]).all(axis=-1))
        if np.array_equal(magnified[top : top + height, left : left + width], found)
    ]
    assert len(hits) == 1, f"found {len(hits)} places in the magnified picture; expected one"
    return hits[0]
