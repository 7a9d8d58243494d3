"""Everything goes wrong at once, and every answer is stored exactly once.

TRIAD_CHAOS_JUDGMENTS says how many answers (2,000), TRIAD_CHAOS_SEED which chaos (1).
"""

import asyncio
import csv
import io
import os
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connections
from django.db.models import Count, F, Q, QuerySet
from playwright.async_api import async_playwright

from annotation import planning
from annotation.exporting import judgments_csv
from annotation.models import Judgment, Session, Study, Trial
from codecs_eval import storing
from tests.browser.bad_network import BadNetwork
from tests.browser.chaos_people import Person, Pressed
from tests.browser.making import make_open_study, make_picture
from tests.processes import LiveSite

N_JUDGMENTS = int(os.environ.get("TRIAD_CHAOS_JUDGMENTS", "2000"))
SEED = int(os.environ.get("TRIAD_CHAOS_SEED", "1"))
A_SESSION = 100
SIZE_PX = 16
N_PEOPLE = -(-N_JUDGMENTS // A_SESSION)
AT_ONCE = 8
LONGEST_S = 60 + 0.3 * N_JUDGMENTS
# Answers between two deaths of the server.
BETWEEN_DEATHS = 300
# Short enough to run out during an outage: late answers count all the same.
LEASE_S = 4


@dataclass
class Deaths:
    """`kill -9` of the server, and its next life; leases run out meanwhile."""

    site: LiveSite
    made: Counter[str]
    n_presses: Callable[[], int]
    random: random.Random
    _next: float = BETWEEN_DEATHS / 2
    _rises_s: float | None = None
    _sweeps_s: float = 0.0

    def live(self) -> None:
        if self._rises_s is not None:
            if time.monotonic() >= self._rises_s:
                self.end()
        elif self.n_presses() >= self._next:
            self.site.kill()
            self.made["server killed"] += 1
            self._rises_s = time.monotonic() + self.random.uniform(0, 2)
            self._next += self.random.uniform(0.5, 1.5) * BETWEEN_DEATHS
        if time.monotonic() >= self._sweeps_s:
            self.made["leases returned"] += planning.return_overdue()
            self._sweeps_s = time.monotonic() + 1

    def end(self) -> None:
        if self._rises_s is not None:
            self.site.launch()
            self._rises_s = None


@pytest.fixture
def short_leases(child_env: dict[str, str]) -> None:
    child_env |= {"TRIAL_LEASE_S": str(LEASE_S), "BEGINS_PER_HOUR": "0"}


@pytest.fixture
def network(short_leases: None, site: LiveSite) -> Iterator[BadNetwork]:
    network = BadNetwork(site.url, storing.png_of(make_picture(0, SIZE_PX, SIZE_PX)), SEED)
    network.start()
    yield network
    network.stop()


@dataclass
class Crowd:
    """All people, some of them at once, in an event loop and a thread of their own."""

    people: list[Person]
    launch: dict[str, Any]

    @classmethod
    def of(cls, url: str, study: Study, launch: dict[str, Any], made: Counter[str]) -> "Crowd":
        """Every other one has an account."""
        first_page = f"{url}/s/{study.slug}/"
        people = [
            Person(1000 * SEED + index, first_page, has_account=index % 2 == 1, made=made)
            for index in range(N_PEOPLE)
        ]
        return cls(people, launch)

    def n_presses(self) -> int:
        return sum(len(person.presses) for person in self.people)

    def live(self) -> None:
        try:
            asyncio.run(self._live())
        finally:
            connections.close_all()

    async def _live(self) -> None:
        room = asyncio.Semaphore(AT_ONCE)

        async def one(person: Person) -> None:
            async with room:
                await person.live(browser)

        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(**self.launch)
            tasks = [asyncio.create_task(one(person)) for person in self.people]
            done, late = await asyncio.wait(tasks, timeout=LONGEST_S)
            states = [await person.state() for person in self.people if not person.is_thanked]
            assert not late, states
            for task in done:
                task.result()
            await browser.close()


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.browser
def test_every_answer_is_stored_once_whatever_happens(
    network: BadNetwork, site: LiveSite, browser_type_launch_args: dict[str, Any], capsys: Any
) -> None:
    made: Counter[str] = Counter()
    study = make_open_study(
        n_trials=A_SESSION, width=SIZE_PX, height=SIZE_PX, judgments_per_triplet=N_PEOPLE
    )
    crowd = Crowd.of(network.url, study, browser_type_launch_args, made)
    deaths = Deaths(site, made, crowd.n_presses, random.Random(SEED))
    began_s = time.monotonic()
    with ThreadPoolExecutor(1) as beside:
        living = beside.submit(crowd.live)
        # Here, not there: a server dies with the thread that started it.
        while not living.done():
            deaths.live()
            time.sleep(0.05)
    living.result()
    deaths.end()
    network.calm()
    took_s = time.monotonic() - began_s

    found = Found.of(crowd.people)
    with capsys.disabled():
        sys.stdout.write(f"\n{found.n_stored} judgments of {N_PEOPLE} people in {took_s:.0f} s\n")
        sys.stdout.write(f"what went wrong: {dict((network.made + made).most_common())}\n")
        sys.stdout.write(f"lost {len(found.lost)}, double {len(found.double)}\n")
    assert found.n_stored >= N_PEOPLE * A_SESSION / 2
    assert (found.lost, found.double) == ([], [])
    assert standing_in_csv(study) == {str(row.pk): 1 for row in judged()}
    # A server that dies between storing a new session and saying so leaves an empty one.
    sessions = Session.objects.filter(pk__in=Trial.objects.values("session"))
    finished = sessions.filter(state=Session.State.FINISHED).exclude(completion_code="")
    assert finished.count() == sessions.count() == N_PEOPLE
    assert not Trial.objects.open().exists()
    counted = study.triplets.annotate(n=Count("trials", filter=Q(trials__in=judged())))
    assert counted.exclude(n_judged=F("n"), n_assigned=F("n")).count() == 0


def judged() -> QuerySet[Trial]:
    return Trial.objects.filter(state=Trial.State.JUDGED)


def standing_in_csv(study: Study) -> Counter[str]:
    """How often each trial stands in the export, answers that were taken back apart."""
    lines = io.StringIO("".join(judgments_csv(study)).removeprefix("\ufeff"))
    rows = csv.DictReader(lines)
    return Counter(row["trial_id"] for row in rows if not row["superseded_by"])


@dataclass(frozen=True)
class Found:
    """What people took as kept, held against what is stored: trials where these differ."""

    n_stored: int
    lost: list[str]
    double: list[str]

    @classmethod
    def of(cls, people: Sequence[Person]) -> "Found":
        pressed: dict[str, list[Pressed]] = defaultdict(list)
        for person in people:
            for press in person.presses:
                pressed[press.trial].append(press)
        stored = sides_stored()
        trials = pressed.keys() | stored.keys()
        lost = [
            trial
            for trial in trials
            if not is_within([p.side for p in pressed[trial] if p.is_confirmed], stored[trial])
        ]
        double = [
            trial
            for trial in trials
            if not is_within(stored[trial], [p.side for p in pressed[trial]])
        ]
        return cls(sum(map(len, stored.values())), lost, double)


def sides_stored() -> dict[str, list[str]]:
    """By trial: the first answer, the one that superseded it, and so on."""
    after = {row.supersedes_id: row for row in Judgment.objects.exclude(supersedes=None)}
    stored: dict[str, list[str]] = defaultdict(list)
    for first in Judgment.objects.filter(supersedes=None).select_related("trial"):
        row: Judgment | None = first
        while row:
            stored[str(first.trial_id)].append(first.trial.side_of_choice(row.choice))
            row = after.get(row.pk)
    assert sum(map(len, stored.values())) == Judgment.objects.count()
    return stored


def is_within(some: Sequence[str], all_: Sequence[str]) -> bool:
    """Whether `some` stand in `all_` in the same order, perhaps with others between."""
    rest = iter(all_)
    return all(one in rest for one in some)
