"""People who answer by themselves while everything around them goes wrong."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session as LoginSession
from django.test import Client
from playwright.async_api import Browser, BrowserContext, Error, Page

DRIVER = (Path(__file__).parent / "chaos_driver.js").read_text()
CHANCES = {"undo": 0.04, "reload": 0.02, "jump": 0.1, "press": 0.02}
WINDOW = {"width": 420, "height": 320}
# On average, answers between two mischiefs.
BETWEEN_ACTS = 20
# A page that is not up by then (dead server, dead line) is opened again.
PATIENCE_S = 5.0


@dataclass
class Pressed:
    """One press, and whether the page went on to another trial: what a person takes as kept."""

    trial: str
    side: str
    is_confirmed: bool = False


@dataclass
class Person:
    """One browser, its tabs, and everything that its owner saw and did, in order."""

    number: int
    first_page: str
    has_account: bool
    made: Counter[str]
    presses: list[Pressed] = field(default_factory=list)
    is_thanked: bool = False
    _context: BrowserContext = field(init=False)
    _page: Page = field(init=False)
    _is_up: bool = False
    _last: dict[Page, Pressed] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = random.Random(f"person {self.number}")
        self._acts: dict[Callable[[], Awaitable[None]], int] = {
            self._reload: 3,
            self._close_the_tab: 2,
            self._crash_the_tab: 2,
            self._go_offline: 4,
            self._close_the_tab_offline: 1,
            self._open_a_second_tab: 2,
            self._lose_the_token: 3,
            self._leave_and_come_back: 2,
        }
        if self.has_account:
            self._acts |= {self._log_in_again: 3, self._let_the_login_expire: 3}

    async def live(self, browser: Browser) -> None:
        self._context = await browser.new_context(viewport=WINDOW)
        await self._context.expose_binding("chaosTell", self._hear)
        chances = json.dumps({"seed": self.number, **CHANCES})
        await self._context.add_init_script(DRIVER.replace("CHAOS;", chances + ";", 1))
        if self.has_account:
            self._user = get_user_model().objects.create_user(f"person-{self.number}")
            await self._log_in_again()
        self._page = await self._context.new_page()
        await self._open()
        while not self.is_thanked:
            await self._answer(round(self._random.expovariate(1 / BETWEEN_ACTS)))
            if not self.is_thanked:
                await self._do_something_bad()
        await self._context.close()

    async def state(self) -> str:
        """For whoever looks into why somebody never came to the end."""
        seen = "no page"
        with suppress(Error, TimeoutError):
            seen = await asyncio.wait_for(self._page.locator("body").inner_text(), 5)
        return f"person {self.number} at {self._page.url}, {len(self.presses)} presses: {seen!r}"

    async def _answer(self, n: int) -> None:
        """The driver answers; a page that does not come up is opened again and again."""
        until, patient_until_s = len(self.presses) + n, monotonic() + PATIENCE_S
        while not self.is_thanked and (len(self.presses) < until or not self._is_up):
            await asyncio.sleep(0.05)
            if self._is_up:
                patient_until_s = monotonic() + PATIENCE_S
            elif monotonic() > patient_until_s:
                self.made["opened once more"] += 1
                await self._open()
                patient_until_s = monotonic() + PATIENCE_S

    async def _do_something_bad(self) -> None:
        acts, weights = zip(*self._acts.items(), strict=True)
        act = self._random.choices(acts, weights)[0]
        self.made[act.__name__.strip("_").replace("_", " ")] += 1
        await act()

    def _hear(self, source: Any, what: str, trial: str = "", side: str = "") -> None:
        """What the driver tells from inside a page, before it does it."""
        page = source["page"]
        last = self._last.get(page)
        if what == "presses":
            self._last[page] = Pressed(trial, side)
            self.presses.append(self._last[page])
        elif what == "opens the page":
            self._last.pop(page, None)
            self._is_up = self._is_up or page is self._page
        elif what == "is thanked":
            self.is_thanked = True
        elif what != "sees":
            self.made[what] += 1
            self._is_up = self._is_up and not what.startswith("leaves")
        if last and (what == "is thanked" or (what == "sees" and trial != last.trial)):
            last.is_confirmed = True

    async def _open(self, path: str = "trial", page: Page | None = None) -> None:
        self._is_up = False
        with suppress(Error):
            address = self.first_page + path
            await (page or self._page).goto(address, wait_until="commit", timeout=5_000)

    async def _open_in_a_new_tab(self) -> None:
        self._page = await self._context.new_page()
        await self._open()

    async def _pause(self, longest_s: float) -> None:
        await asyncio.sleep(self._random.uniform(0, longest_s))

    async def _reload(self) -> None:
        await self._open()

    async def _leave_and_come_back(self) -> None:
        await self._open("")

    async def _close_the_tab(self) -> None:
        self._is_up = False
        await self._page.close()
        await self._pause(0.5)
        await self._open_in_a_new_tab()

    async def _crash_the_tab(self) -> None:
        """Its process dies at once, as when memory runs out."""
        with suppress(Error):
            await self._page.goto("chrome://crash", timeout=2_000)
        await self._close_the_tab()

    async def _go_offline(self) -> None:
        await self._context.set_offline(True)
        await self._pause(3)
        await self._context.set_offline(False)

    async def _close_the_tab_offline(self) -> None:
        self._is_up = False
        await self._context.set_offline(True)
        await self._pause(1)
        await self._page.close()
        await self._pause(1)
        await self._context.set_offline(False)
        await self._open_in_a_new_tab()

    async def _open_a_second_tab(self) -> None:
        second = await self._context.new_page()
        await self._open(page=second)
        await self._pause(3)
        kept, closed = self._random.sample([self._page, second], 2)
        await closed.close()
        self._page = kept
        await kept.bring_to_front()
        await self._open()

    async def _lose_the_token(self) -> None:
        await self._context.clear_cookies(name="csrftoken")

    async def _log_in_again(self) -> None:
        """As in another tab of this browser: the login and the token are new ones."""
        client = Client()
        client.force_login(self._user)
        cookie = client.cookies["sessionid"].value
        url = self.first_page
        await self._context.add_cookies([{"name": "sessionid", "value": cookie, "url": url}])
        await self._lose_the_token()

    async def _let_the_login_expire(self) -> None:
        found = await self._context.cookies()
        keys = [cookie["value"] for cookie in found if cookie["name"] == "sessionid"]
        LoginSession.objects.filter(session_key__in=keys).delete()
        await self._pause(2)
        await self._log_in_again()
