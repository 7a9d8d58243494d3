"""The flip viewer of a triplet: its pixels on the screen, its keys, and its address."""

from typing import Any

import numpy as np
import pytest
from django.urls import reverse
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, expect

from annotation import sharing, triplet_pictures
from annotation.models import Triplet
from codecs_eval import storing
from tests.browser.looking import on_screen
from tests.browser.test_accessibility import assert_accessible
from tests.codecs_eval.test_desk_in_browser import log_in
from tests.factories import make_ladder, make_study, make_user
from tests.processes import LiveSite


def make_triplet() -> Triplet:
    make_ladder("garden", n_sources=2, width=200, height=120)
    study = make_study(collection="garden", crop="whole", state="closed")
    triplet = study.triplets.order_by("-n_judged", "shuffle").first()
    assert triplet
    return triplet


def address_of(triplet: Triplet, query: str = "") -> str:
    return reverse("gallery_triplet", args=[triplet.study.slug, triplet.pk]) + query


def pixels_of(triplet: Triplet, side: str) -> NDArray[np.uint8]:
    return storing.read_pixels(triplet_pictures.path_of(triplet, side))


def shown(page: Page, index: int = 0) -> NDArray[np.uint8]:
    """What the screen shows in one of the places, in device pixels."""
    page.wait_for_function("document.querySelectorAll('.flip-places canvas').length > 0")
    # Two frames: one that draws, one that is on the screen.
    page.evaluate("new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))")
    box: Any = (
        page.locator(".flip-places canvas")
        .nth(index)
        .evaluate(
            """canvas => {
          const box = canvas.getBoundingClientRect();
          return [box.left, box.top, box.width, box.height].map((x) => x * devicePixelRatio);
        }"""
        )
    )
    left, top, width, height = (round(number) for number in box)
    return on_screen(page)[top : top + height, left : left + width]


def is_in(place: NDArray[np.uint8], picture: NDArray[np.uint8], zoom: int = 1) -> bool:
    """Whether the middle of the picture lies in the middle of the place, pixel by pixel."""
    magnified = picture.repeat(zoom, axis=0).repeat(zoom, axis=1)
    height = min(place.shape[0], magnified.shape[0]) - 2 * zoom
    width = min(place.shape[1], magnified.shape[1]) - 2 * zoom
    top, left = (magnified.shape[0] - height) // 2, (magnified.shape[1] - width) // 2
    wanted = magnified[top : top + height, left : left + width]
    for down in range(place.shape[0] - height + 1):
        for across in np.flatnonzero(
            (place[down, : place.shape[1] - width + 1] == wanted[0, 0]).all(-1)
        ):
            if np.array_equal(place[down : down + height, across : across + width], wanted):
                return True
    return False


@pytest.mark.parametrize("ratio", [1, 1.5, 2])
def test_one_image_pixel_is_one_pixel_of_the_screen(
    site: LiveSite, browser: Browser, ratio: float
) -> None:
    triplet = make_triplet()
    context = browser.new_context(
        device_scale_factor=ratio, viewport={"width": 1280, "height": 900}
    )
    page = context.new_page()
    log_in(page, site)
    page.goto(site.url + address_of(triplet))
    for key, side in (("1", "original"), ("2", "first"), ("3", "second")):
        page.keyboard.press(key)
        assert is_in(shown(page), pixels_of(triplet, side)), side
    page.keyboard.press("+")
    assert is_in(shown(page), pixels_of(triplet, "second"), zoom=2)
    context.close()


def test_keys_and_buttons_choose_what_is_seen(site: LiveSite, page: Page) -> None:
    triplet = make_triplet()
    complaints = log_in(page, site)
    page.goto(site.url + address_of(triplet))
    original, first, second = (pixels_of(triplet, side) for side in triplet_pictures.SIDES)
    page.keyboard.press("2")
    assert is_in(shown(page), first)
    page.keyboard.down("Space")
    assert is_in(shown(page), original)
    page.keyboard.up("Space")
    assert is_in(shown(page), first)
    page.get_by_role("button", name="Second: WebP").click()
    assert is_in(shown(page), second)
    # The button keeps no focus: space holds the original.
    page.keyboard.down("Space")
    assert is_in(shown(page), original)
    page.keyboard.up("Space")
    page.keyboard.press("4")
    for index, picture in enumerate((first, original, second)):
        assert is_in(shown(page, index), picture)
    page.keyboard.press("5")
    page.get_by_label("Differences").select_option("4")
    gap = np.abs(first.astype(int) - original.astype(int))
    assert is_in(shown(page), np.minimum(4 * gap, 255).astype(np.uint8))
    assert complaints == []


def test_the_address_holds_what_is_seen_and_neighbours_keep_it(site: LiveSite, page: Page) -> None:
    triplet = make_triplet()
    log_in(page, site)
    page.goto(site.url + address_of(triplet, "?sort=photo"))
    # A key before the viewer's script runs is nobody's.
    page.wait_for_load_state("networkidle")
    page.keyboard.press("3")
    expect(page.locator("[data-view=second]")).to_have_attribute("aria-pressed", "true")
    for _ in range(3):
        page.keyboard.press("+")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator("[data-told=zoom]")).to_have_text("4×")
    before = shown(page)
    page.goto(page.url)
    expect(page.locator("[data-told=zoom]")).to_have_text("4×")
    assert np.array_equal(shown(page), before)
    page.locator("[data-beside]").first.click()
    page.wait_for_load_state("networkidle")
    assert "view=second" in page.url and "zoom=4" in page.url and "sort=photo" in page.url
    assert f"/{triplet.pk}?" not in page.url
    expect(page.locator("[data-view=second]")).to_have_attribute("aria-pressed", "true")


def test_a_shared_triplet_is_seen_without_an_account(site: LiveSite, page: Page) -> None:
    triplet = make_triplet()
    token = sharing.share(triplet, make_user("owner"))
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    page.goto(site.url + reverse("shared_triplet", args=[token]))
    page.keyboard.press("2")
    assert is_in(shown(page), pixels_of(triplet, "first"))
    assert_accessible(page)
    assert complaints == []
