"""Ben answers: what a person does on the trial page, one act a function."""

from playwright.sync_api import Page

from annotation.models import Judgment
from tests.processes import wait_for

# The page takes no answer for its first 200 ms on screen.
LOOK_MS = 230
NEXT_IS_SHOWN = """before => {
  const trial = document.body?.dataset.trial;
  return location.pathname.endsWith("/thanks") || (trial !== undefined && trial !== before);
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


def press(page: Page, key: str) -> str:
    """Looks, presses, and waits for the next trial; returns the id of the one that was shown."""
    trial = shown_trial(page)
    page.wait_for_timeout(LOOK_MS)
    page.keyboard.press(key)
    shown_trial(page, after=trial)
    return trial


def choose_by_mouse(page: Page, side: str) -> str:
    trial = shown_trial(page)
    page.wait_for_timeout(LOOK_MS)
    page.get_by_role("button", name=f"The {side} picture").click()
    shown_trial(page, after=trial)
    return trial


def answer_the_rest(page: Page) -> None:
    while not page.url.endswith("/thanks"):
        press(page, "ArrowRight")
        page.wait_for_timeout(20)
    page.wait_for_load_state()


def wait_until_stored(n: int) -> None:
    """The page says "Saved" before it has begun to send, too; the rows do not."""
    wait_for(f"{n} judgments are stored", lambda: Judgment.objects.count() >= n)
