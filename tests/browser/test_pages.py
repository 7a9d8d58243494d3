"""The annotator's pages around the trials, in a real browser: example, language, checks, ends."""

import base64
import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, Route, expect

from annotation.design import acuity, plates
from annotation.models import Session, Study
from tests.browser.making import make_open_study
from tests.processes import LiveSite, wait_for

# As base 64: a list of numbers takes seconds on its way out of the browser.
PIXELS_OF = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let text = "";
  for (const value of data) text += String.fromCharCode(value);
  return [canvas.height, btoa(text)];
}"""
LOSS = """([copy, original]) => {
  const of = (canvas) => {
    return canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  };
  const [one, other] = [of(copy), of(original)];
  return one.reduce((sum, value, place) => sum + Math.abs(value - other[place]), 0);
}"""


def pixels_of(page: Page, selector: str) -> NDArray[np.uint8]:
    """(height, width, 4), as the canvas holds them."""
    height, text = page.locator(selector).evaluate(PIXELS_OF)
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, -1, 4)


def example_pictures(page: Page) -> list[str]:
    canvases = page.locator("#example canvas")
    found: list[str] = canvases.evaluate_all("all => all.map((canvas) => canvas.toDataURL())")
    return found


def closer_side(page: Page) -> str:
    """Of the side by side example: the copy that lost less."""
    canvases = page.locator("#example canvas").element_handles()
    left, right = (page.evaluate(LOSS, [canvases[place], canvases[1]]) for place in (0, 2))
    assert min(left, right) > 0
    return "Left" if left < right else "Right"


def test_the_example_is_tried_by_key_and_click_and_replies(site: LiveSite, page: Page) -> None:
    make_open_study(n_trials=1)
    images: list[str] = []
    page.on("request", lambda request: images.append(request.resource_type))
    page.goto(f"{site.url}/s/which/")
    reply = page.locator("#example [role=status]")
    for _ in range(2):
        closer = closer_side(page)
        other = {"Left": "Right", "Right": "Left"}[closer]
        page.keyboard.press(f"Arrow{other}")
        expect(reply).to_contain_text("Look once more")
        page.locator(f"#example [data-answer={closer.lower()}]").click()
        expect(reply).to_contain_text("Yes: that copy is closer")
        before = example_pictures(page)
        page.get_by_role("button", name="Try another").click()
        expect(reply).to_be_empty()
        assert example_pictures(page) != before
    assert "image" not in images
    assert page.url.endswith("/s/which/")


def test_the_example_asks_as_its_study_does(site: LiveSite, page: Page) -> None:
    make_open_study(n_trials=1, polarity="differs")
    page.goto(f"{site.url}/s/which/")
    page.keyboard.press(f"Arrow{closer_side(page)}")
    expect(page.locator("#example [role=status]")).to_contain_text("differs more from the original")
    expect(page.locator("#example [role=status]")).to_contain_text("Look once more")


def test_the_example_leaves_the_arrow_keys_to_a_field_that_is_typed_in(
    site: LiveSite, page: Page
) -> None:
    make_open_study(n_trials=1)
    page.goto(f"{site.url}/s/which/")
    page.evaluate("document.querySelector('main').append(document.createElement('textarea'))")
    page.locator("textarea").press("ArrowLeft")
    expect(page.locator("#example [role=status]")).to_be_empty()


def test_holding_shows_the_original_in_both_places(site: LiveSite, page: Page) -> None:
    make_open_study(n_trials=1, mode="toggle_original")
    page.goto(f"{site.url}/s/which/")
    copies = example_pictures(page)
    assert copies[0] != copies[1]
    page.get_by_role("button", name="Show the original").hover()
    page.mouse.down()
    held = example_pictures(page)
    assert held[0] == held[1]
    page.mouse.up()
    assert example_pictures(page) == copies
    page.get_by_role("button", name="Show the original").focus()
    page.keyboard.down("Space")
    assert example_pictures(page) == held
    page.keyboard.up("Space")
    assert example_pictures(page) == copies


def test_one_place_changes_between_a_and_b(site: LiveSite, page: Page) -> None:
    make_open_study(n_trials=1, mode="toggle_copies")
    page.goto(f"{site.url}/s/which/")
    name = page.locator("#example [data-name]")
    original, shown_a = example_pictures(page)
    expect(name).to_have_text("A")
    page.get_by_role("button", name="Switch A and B").click()
    expect(name).to_have_text("B")
    assert example_pictures(page)[0] == original
    assert example_pictures(page)[1] not in (shown_a, original)
    page.locator("#example .switched canvas").click()
    expect(name).to_have_text("A")
    assert example_pictures(page)[1] == shown_a


def test_nothing_flickers_before_its_consent_and_the_example_only_slowly(
    site: LiveSite, page: Page
) -> None:
    make_open_study(n_trials=1, mode="flicker")
    page.goto(f"{site.url}/s/which/")
    copies = example_pictures(page)
    page.wait_for_timeout(900)
    assert example_pictures(page) == copies
    button = page.get_by_role("button", name="Alternate with the original")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    count = """() => new Promise((resolve) => {
      const canvas = document.querySelector("#example canvas");
      let changes = 0;
      let before = canvas.toDataURL();
      const timer = setInterval(() => {
        const now = canvas.toDataURL();
        if (now !== before) changes += 1;
        before = now;
      }, 50);
      setTimeout(() => { clearInterval(timer); resolve(changes); }, 2100);
    })"""
    # A flash is two changes; three flashes a second are the limit of WCAG 2.3.1.
    assert 1 <= page.evaluate(count) <= 4
    button.click()
    assert example_pictures(page) == copies
    page.get_by_label("I have read this and agree").check()
    page.get_by_role("button", name="Begin").click()
    assert page.url.endswith("/s/which/")
    assert not Session.objects.exists()
    page.get_by_label("I have read the warning").check()
    page.get_by_role("button", name="Begin").click()
    page.wait_for_url("**/trial")


def test_a_language_is_changed_by_its_link_and_kept(site: LiveSite, page: Page) -> None:
    make_open_study(n_trials=1)
    page.goto(f"{site.url}/")
    page.get_by_role("link", name="Deutsch").click()
    page.get_by_role("link", name="Teilnehmen").click()
    expect(page.get_by_role("heading", name="Was Sie erwartet")).to_be_visible()
    page.get_by_label("Ich habe das gelesen").check()
    page.get_by_role("button", name="Beginnen").click()
    page.wait_for_url("**/trial")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Welches ist dem Bild in der Mitte ähnlicher?"
    )
    assert Session.objects.get().language == "de"


def begin_checks(page: Page, site: LiveSite, **asked: Any) -> Session:
    make_open_study(n_trials=1, **asked)
    page.goto(f"{site.url}/s/which/")
    page.get_by_label("I have read this and agree").check()
    page.get_by_role("button", name="Begin").click()
    page.wait_for_url("**/checks")
    return Session.objects.get()


def checks_of(session: Session) -> dict[str, Any]:
    session.refresh_from_db()
    found: dict[str, Any] = session.viewing.get("checks", {})
    return found


def test_a_card_is_drawn_larger_by_its_corner_and_finer_by_buttons(
    site: LiveSite, page: Page
) -> None:
    session = begin_checks(page, site, ask_card=True)
    card = page.locator("#card")
    before = card.bounding_box()
    assert before is not None
    page.mouse.move(before["x"] + before["width"] - 8, before["y"] + before["height"] - 8)
    page.mouse.down()
    page.mouse.move(before["x"] + before["width"] + 92, before["y"] + before["height"], steps=4)
    page.mouse.up()
    page.get_by_role("button", name="Larger").click()
    page.get_by_role("button", name="Larger").click()
    page.get_by_role("button", name="Smaller").click()
    after = card.bounding_box()
    assert after is not None
    assert after["width"] == pytest.approx(before["width"] + 101, abs=1)
    assert after["width"] / after["height"] == pytest.approx(85.60 / 53.98, rel=0.01)
    page.get_by_label("Distance of your eyes").fill("75")
    page.get_by_role("button", name="The sizes are equal").click()
    page.wait_for_url("**/trial")
    found = checks_of(session)["card"]
    assert found["card_width_px"] == pytest.approx(after["width"], abs=1)
    per_mm = found["card_width_px"] / 85.60
    assert found["pixels_per_degree"] == pytest.approx(
        acuity.pixels_per_degree(per_mm, 750), rel=1e-3
    )


def test_on_a_telephone_the_card_stands_upright_and_counts_the_same(
    site: LiveSite, browser: Browser
) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, device_scale_factor=3, has_touch=True
    )
    page = context.new_page()
    session = begin_checks(page, site, ask_card=True)
    box = page.locator("#card").bounding_box()
    assert box is not None
    assert box["height"] > box["width"]
    page.get_by_role("button", name="The sizes are equal").tap()
    wait_for("the card is stored", lambda: "card" in checks_of(session))
    found = checks_of(session)["card"]
    assert found["css_pixels_per_mm"] == pytest.approx(box["width"] / 53.98, rel=0.01)
    assert found["pixels_per_mm"] == pytest.approx(3 * found["css_pixels_per_mm"], rel=1e-3)
    context.close()


def test_plates_are_drawn_as_told_and_too_many_misread_end_the_session(
    site: LiveSite, page: Page
) -> None:
    session = begin_checks(page, site, ask_colour_plates=True)
    drawn = pixels_of(page, "#plate")
    size, plate = len(drawn), plates.make_plates(session.seed)[0]
    for (x, y, _), colour in zip(plate.dots[:40], plate.colours[:40], strict=True):
        at_x, at_y = (round(size / 2 + 0.96 * size / 2 * value) for value in (x, y))
        assert list(drawn[at_y, at_x, :3]) == list(bytes.fromhex(colour[1:]))
    for _ in plates.FAMILIES:
        page.get_by_role("button", name="I see no digit").click()
    page.wait_for_url("**/thanks")
    expect(page.get_by_text("the way you see colours")).to_be_visible()
    assert checks_of(session)["colour_plates"]["answers"] == [""] * len(plates.FAMILIES)
    assert session.state == Session.State.SCREENED_OUT
    expect(page.locator(".code")).to_have_text(session.completion_code)


def test_answers_that_the_network_lost_are_kept_on_the_page_and_sent_again(
    site: LiveSite, page: Page
) -> None:
    session = begin_checks(page, site, ask_card=True)

    def lose(route: Route) -> None:
        if route.request.method == "POST":
            route.abort()
        else:
            route.continue_()

    page.route("**/checks", lose)
    page.get_by_role("button", name="The sizes are equal").click()
    expect(page.get_by_text("not stored yet")).to_be_visible()
    assert checks_of(session) == {}
    page.unroute("**/checks")
    page.get_by_role("button", name="Try again").click()
    page.wait_for_url("**/trial")
    assert checks_of(session)["card"]["distance_cm"] == 60


@pytest.mark.parametrize("ratio", [1, 1.5])
def test_rings_have_the_size_and_the_gap_that_they_should(
    site: LiveSite, browser: Browser, ratio: float
) -> None:
    context = browser.new_context(device_scale_factor=ratio)
    page = context.new_page()
    session = begin_checks(page, site, ask_acuity=True)
    page.get_by_role("button", name="The sizes are equal").click()
    page.wait_for_selector("#ring")
    material = json.loads(page.locator("#material").inner_text())
    turns = {"right": 0, "down": 1, "left": 2, "up": 3}
    for place, direction in enumerate(material["directions"][:6]):
        gap_px = material["gaps_px"][place // 3]
        ink = 1 - pixels_of(page, "#ring")[:, :, 0] / 255
        # A ring of line g around 2 g, less its gap: what is black covers 4 pi g^2 - g^2.
        assert ink.sum() == pytest.approx((4 * np.pi - 1) * gap_px**2, rel=0.05)
        rows, columns = np.nonzero(ink > 0.5)
        assert np.ptp(columns) + 1 == pytest.approx(5 * gap_px, abs=2)
        # Turned until the gap should be at the right: more ink is missing there than elsewhere.
        upright = np.rot90(ink, turns[direction])
        middle = len(ink) // 2
        assert upright[middle - 1 : middle + 1, middle:].sum() < 0.3 * gap_px
        assert upright[middle - 1 : middle + 1, :middle].sum() > 1.5 * gap_px
        page.keyboard.press(f"Arrow{direction.title()}")
    for _ in range(3):
        page.get_by_role("button", name="I cannot tell").click()
    page.wait_for_url("**/trial")
    found = checks_of(session)["acuity"]
    assert (found["n_right"][:3], found["logmar"]) == ([3, 3, 0], found["sizes_logmar"][1])
    context.close()


def test_withdrawing_is_asked_about_and_can_be_thought_better_of(
    site: LiveSite, page: Page
) -> None:
    make_open_study(n_trials=2)
    page.goto(f"{site.url}/s/which/")
    page.get_by_label("I have read this and agree").check()
    page.get_by_role("button", name="Begin").click()
    page.wait_for_url("**/trial")
    page.goto(f"{site.url}/s/which/")
    page.get_by_role("link", name="Withdraw and delete my answers").click()
    page.get_by_role("link", name="Keep them").click()
    page.get_by_role("link", name="Withdraw and delete my answers").click()
    page.get_by_role("button", name="Delete my answers").click()
    expect(page.get_by_text("Your answers are deleted")).to_be_visible()
    assert Session.objects.get().state == Session.State.WITHDRAWN
    page.goto(f"{site.url}/s/which/")
    expect(page.get_by_text("taken part in this study already")).to_be_visible()


def test_no_page_is_wider_than_its_window(site: LiveSite, page: Page) -> None:
    make_open_study(n_trials=1, n_warm_up=1, ask_colour_plates=True)
    for mode in Study.Mode.values:
        Study.objects.update(mode=mode)
        page.goto(f"{site.url}/s/which/?language=de")
        for width in (320, 1366):
            page.set_viewport_size({"width": width, "height": 700})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
