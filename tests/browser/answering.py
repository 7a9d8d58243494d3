"""Ben answers: what a person does on the trial page, one act a function."""

from playwright.sync_api import Page

from annotation.models import Judgment, Session
from tests.processes import wait_for

# The page takes no answer for its first 200 ms on screen.
LOOK_MS = 230
GATE_LOOKS_EVERY_MS = 500
NEXT_IS_SHOWN = """before => {
  const trial = document.body?.dataset.trial;
  return location.pathname.endsWith("/thanks") || (trial !== undefined && trial !== before);
}"""
# The end of the practice, a break, a practice trial's feedback, a change of the window.
GO_ON_IS_ASKED = r"""() => {
  const buttons = [...document.querySelectorAll("#cover button, #notice button")];
  const isGoOn = (button) => /^Go on(\s+Enter)?$/.test(button.textContent);
  return buttons.some((button) => isGoOn(button) && button.checkVisibility());
}"""


def begin(page: Page, url: str, slug: str) -> str:
    """From the welcome page through consent to the first trial; returns its id."""
    page.goto(f"{url}/s/{slug}/")
    page.get_by_label("I have read this and agree").check()
    page.get_by_role("button", name="Begin").click()
    return shown_trial(page)


def shown_trial(page: Page, *, after: str | None = None) -> str:
    """The id of the trial on the screen, once another than `after` is; empty at the end."""
    page.wait_for_function(NEXT_IS_SHOWN, arg=after)
    return page.evaluate("document.body?.dataset.trial ?? ''")


def next_trial(page: Page, *, after: str) -> str:
    """Like shown_trial; goes on through what lies between: feedback, a break."""
    until = f"before => ({GO_ON_IS_ASKED})() || ({NEXT_IS_SHOWN})(before)"
    while True:
        page.wait_for_function(until, arg=after)
        if not page.evaluate(GO_ON_IS_ASKED):
            return shown_trial(page, after=after)
        go_on(page)


def go_on(page: Page) -> None:
    page.wait_for_function(GO_ON_IS_ASKED)
    page.keyboard.press("Enter")


def come_back(page: Page) -> None:
    """To a tab that stood behind another one: its window may have changed meanwhile."""
    page.bring_to_front()
    page.wait_for_timeout(GATE_LOOKS_EVERY_MS + 200)
    if page.evaluate(GO_ON_IS_ASKED):
        go_on(page)


def press(page: Page, key: str) -> str:
    """Looks, presses, and waits for the next trial; returns the id of the one that was shown."""
    trial = press_at_once(page, key)
    next_trial(page, after=trial)
    return trial


def press_at_once(page: Page, key: str) -> str:
    """As `press`, where a cover may come before the next trial does."""
    trial = shown_trial(page)
    page.wait_for_timeout(LOOK_MS)
    page.keyboard.press(key)
    return trial


def choose_by_mouse(page: Page, side: str) -> str:
    trial = shown_trial(page)
    page.wait_for_timeout(LOOK_MS)
    page.locator(f"#{side}").click()
    next_trial(page, after=trial)
    return trial


def answer_the_rest(page: Page) -> None:
    while not page.url.endswith("/thanks"):
        press(page, "ArrowRight")
        page.wait_for_timeout(20)
    page.wait_for_load_state()


def wait_until_stored(n: int) -> None:
    """The page says "Saved" before it has begun to send, too; the rows do not."""
    wait_for(f"{n} judgments are stored", lambda: Judgment.objects.count() >= n)


def answered_once(n: int) -> None:
    """Every trial of the only session has one answer, and the session is finished."""
    trials = [row.trial_id for row in Judgment.objects.all()]
    assert len(trials) == len(set(trials)) == n
    assert Session.objects.get().state == Session.State.FINISHED
