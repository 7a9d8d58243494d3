"""The annotator's pages under axe, in light and dark, and under the strict content policy."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from annotation.models import Study
from tests.browser.answering import answer_the_rest, begin
from tests.browser.making import make_open_study
from tests.processes import LiveSite


def assert_accessible(page: Page) -> None:
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_of_an_annotator_has_no_violation(
    site: LiveSite, browser: Browser, scheme: str
) -> None:
    study = make_open_study(n_trials=2, allow_not_sure=True)
    context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))

    page.goto(f"{site.url}/s/{study.slug}/")
    assert_accessible(page)
    begin(page, site.url, study.slug)
    assert_accessible(page)
    page.get_by_role("button", name="Menu").click()
    assert_accessible(page)
    page.get_by_role("button", name="Go on").click()
    page.set_viewport_size({"width": 320, "height": 480})
    expect(page.locator("#cover")).to_be_visible()
    assert_accessible(page)
    page.set_viewport_size({"width": 1280, "height": 720})
    answer_the_rest(page)
    assert_accessible(page)
    Study.objects.update(state=Study.State.CLOSED)
    page.goto(f"{site.url}/s/{study.slug}/")
    expect(page.get_by_text("takes no more choices")).to_be_visible()
    assert_accessible(page)
    assert complaints == []
    context.close()


def test_a_study_is_answered_by_keyboard_alone(site: LiveSite, page: Page) -> None:
    study = make_open_study(n_trials=2)
    page.goto(f"{site.url}/s/{study.slug}/")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    answer_the_rest(page)
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
