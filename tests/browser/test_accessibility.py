"""The annotator's pages under axe, in both languages, light and dark; and by keyboard alone."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from annotation import serving
from annotation.design import plates
from annotation.models import Session, Study
from tests.browser.answering import answer_the_rest, press, shown_trial
from tests.browser.making import make_open_study
from tests.processes import LiveSite

WORDS = {"en": ("Menu", "Go on"), "de": ("Menü", "Weiter")}


def assert_accessible(page: Page) -> None:
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def walking(page: Page, url: str) -> Callable[[str], None]:
    """Opens an address and looks at it under axe."""

    def look(path: str) -> None:
        page.goto(url + path)
        assert_accessible(page)

    return look


def agree(page: Page) -> None:
    for box in page.locator("form.decision input[type=checkbox]").all():
        box.check()
    page.locator("form.decision button[type=submit]").click()


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("de", "dark")])
def test_every_page_of_an_annotator_has_no_violation(
    site: LiveSite, browser: Browser, language: str, scheme: str
) -> None:
    make_open_study(n_trials=2, allow_not_sure=True)
    context = browser.new_context(
        color_scheme=scheme,  # type: ignore[arg-type]
        locale=language,
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    look = walking(page, site.url)

    look("/")
    look("/s/which/")
    expect(page.locator("html")).to_have_attribute("lang", language)
    agree(page)
    shown_trial(page)
    assert_accessible(page)
    menu, go_on = WORDS[language]
    page.get_by_role("button", name=menu).click()
    assert_accessible(page)
    page.get_by_role("button", name=go_on, exact=True).click()
    page.set_viewport_size({"width": 320, "height": 480})
    expect(page.locator("#cover")).to_be_visible()
    assert_accessible(page)
    page.set_viewport_size({"width": 1280, "height": 720})
    look("/s/which/")
    look("/s/which/withdraw")
    session = Session.objects.get()
    for state in ("failed", "screened_out", "withdrawn", "finished"):
        serving.close(session, state)
        look("/s/which/thanks")
    Study.objects.update(state=Study.State.CLOSED)
    look("/s/which/")
    assert complaints == []
    context.close()


@pytest.mark.parametrize(("language", "scheme"), [("en", "dark"), ("de", "light")])
def test_checks_examples_and_refusals_have_no_violation(
    site: LiveSite, browser: Browser, language: str, scheme: str
) -> None:
    study = make_open_study(n_trials=1)
    asked = {"ask_card": True, "ask_colour_plates": True, "ask_acuity": True, "n_practice": 2}
    Study.objects.update(**asked, break_every=5, time_limit_s=9, computers_only=True)
    context = browser.new_context(
        color_scheme=scheme,  # type: ignore[arg-type]
        locale=language,
    )
    page = context.new_page()
    look = walking(page, site.url)
    for mode in Study.Mode.values:
        Study.objects.update(mode=mode)
        look("/s/which/")
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowRight")
    assert_accessible(page)
    agree(page)
    page.wait_for_selector("#card")
    assert_accessible(page)
    page.locator("#card-form [type=submit]").click()
    page.wait_for_selector("#plate")
    assert_accessible(page)
    session = study.sessions.get()
    for digit in plates.digits_of(session.seed):
        page.keyboard.type(digit)
        page.keyboard.press("Enter")
    page.wait_for_selector("#ring")
    assert_accessible(page)
    serving.close(session, Session.State.FINISHED)
    look("/s/which/")
    context.clear_cookies()
    for recruiting in ("accounts", "invited", "crowd"):
        Study.objects.update(recruiting=recruiting)
        look("/s/which/")
    look("/s/which/?assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE")
    look("/i/no-such-invitation/")
    context.close()


def press_until(page: Page, key: str, selector: str) -> None:
    """Tab or another key, until this is focused: what no keyboard reaches never is."""
    for _ in range(30):
        if page.locator(selector).evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} never came to {selector}")


def test_a_study_is_answered_by_keyboard_alone_from_welcome_to_thanks(
    site: LiveSite, page: Page
) -> None:
    study = make_open_study(n_trials=3)
    Study.objects.update(ask_card=True, ask_colour_plates=True, ask_acuity=True)
    page.goto(f"{site.url}/s/{study.slug}/")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#example [role=status]")).not_to_be_empty()
    press_until(page, "Tab", "[name=consent]")
    page.keyboard.press("Space")
    press_until(page, "Tab", "form.decision button")
    page.keyboard.press("Enter")

    page.wait_for_selector("#card")
    press_until(page, "Tab", "#card-size")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    press_until(page, "Tab", "#distance")
    page.keyboard.press("Enter")

    page.wait_for_selector("#plate")
    session = Session.objects.get()
    for digit in plates.digits_of(session.seed):
        page.keyboard.type(digit)
        page.keyboard.press("Enter")

    page.wait_for_selector("#ring")
    n_rings = int(str(page.locator("#count").inner_text()).split()[-1])
    for _ in range(n_rings):
        page.keyboard.press("ArrowUp")

    shown_trial(page)
    press(page, "ArrowLeft")
    answer_the_rest(page)
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    session.refresh_from_db()
    checks = session.viewing["checks"]
    assert checks["card"]["card_width_px"] == pytest.approx(85.6 * 96 / 25.4 + 5, abs=1)
    assert checks["colour_plates"]["n_wrong"] == 0
    assert len(checks["acuity"]["answers"]) == n_rings
    press_until(page, "Tab", "main a")
    page.keyboard.press("Enter")
    page.wait_for_url("**/withdraw")
