"""Fifty people at their trial pages, as bytes on sockets: one light process, no framework.

An answer is due when its person has thought, whether or not the reply to the one before has come:
a slow server is measured from that moment, not from when it let the next request begin.
"""

import asyncio
import json
import random
import time
import uuid
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# What the trial page keeps: the one on the screen, and those ahead of it.
HELD = 5
GIVES_UP_AFTER_S = 30
READ_AHEAD_BYTES = 2**21
SIDES = ("original", "left", "right")


@dataclass(frozen=True)
class Person:
    """What a browser knows once its person has begun: the session, its cookie, the token."""

    slug: str
    session: str
    cookie: str
    csrf: str


@dataclass
class Measured:
    """Of all people together; times in ms from the moment at which the request was due."""

    round_trip_ms: list[float] = field(default_factory=list)
    picture_ms: list[float] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    handed_out: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    n_starved: int = 0
    n_reconnected: int = 0
    cpu_share: float = 0.0


class Line:
    """One kept connection; a line that the server closed while idle is opened anew."""

    def __init__(self, port: int, measured: Measured) -> None:
        self._port = port
        self._measured = measured
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._is_mine = asyncio.Lock()

    async def exchange(self, request: bytes) -> tuple[int, bytes]:
        """Status and body, once the last byte is here."""
        async with self._is_mine, asyncio.timeout(GIVES_UP_AFTER_S):
            if self._streams:
                try:
                    return await self._once(request)
                except (asyncio.IncompleteReadError, ConnectionError):
                    # As every browser does. The same request twice stores nothing twice.
                    self._measured.n_reconnected += 1
                    self.close()
            self._streams = await asyncio.open_connection(
                "127.0.0.1", self._port, limit=READ_AHEAD_BYTES
            )
            return await self._once(request)

    async def _once(self, request: bytes) -> tuple[int, bytes]:
        assert self._streams
        reader, writer = self._streams
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
        body = await reader.readexactly(length)
        if b"connection: close" in lines:
            self.close()
        return int(head[9:12]), body

    def close(self) -> None:
        if self._streams:
            self._streams[1].close()
            self._streams = None


class Sitting:
    """One person answers until the time is up."""

    def __init__(self, person: Person, port: int, measured: Measured, *, pictures: bool) -> None:
        self._person = person
        self._measured = measured
        self._line = Line(port, measured)
        self._picture_lines = {side: Line(port, measured) for side in SIDES if pictures}
        self._held: deque[str] = deque()
        self._known: set[str] = set()
        self._fetching: set[asyncio.Task[None]] = set()

    async def answer(self, until_s: float, think_s: float, rng: random.Random) -> None:
        due_s = time.perf_counter() + rng.uniform(0, think_s)
        await asyncio.sleep(due_s - time.perf_counter())
        self._take(await self._post("lease", {"want": HELD, "have": []}))
        while (due_s := due_s + rng.uniform(0.5, 1.5) * think_s) < until_s:
            await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
            if not self._held:
                self._measured.n_starved += 1
                continue
            answer = _answer(self._held.popleft(), rng)
            body = {
                "judgments": [answer],
                "want": HELD - len(self._held),
                "have": list(self._held),
            }
            reply = await self._post("judgments", body)
            self._measured.round_trip_ms.append(1000 * (time.perf_counter() - due_s))
            self._measured.acknowledged += reply.get("stored", [])
            self._measured.errors += [entry["reason"] for entry in reply.get("refused", [])]
            self._take(reply)
        await asyncio.gather(*self._fetching)
        self._measured.held += self._held
        for line in (self._line, *self._picture_lines.values()):
            line.close()

    async def _post(self, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        content = json.dumps({"session": self._person.session, **body}).encode()
        request = self._head("POST", f"/s/{self._person.slug}/{name}", len(content)) + content
        try:
            status, reply = await self._line.exchange(request)
        except (OSError, EOFError, TimeoutError) as error:
            self._measured.errors.append(f"{name}: {type(error).__name__} {error}")
            return {}
        if status != 200:
            self._measured.errors.append(f"{name}: {status} {reply[:200]!r}")
            return {}
        return dict(json.loads(reply))

    def _head(self, method: str, path: str, length: int = 0) -> bytes:
        return (
            f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {self._person.cookie}\r\n"
            f"X-CSRFToken: {self._person.csrf}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {length}\r\n\r\n"
        ).encode()

    def _take(self, reply: Mapping[str, Any]) -> None:
        for trial in reply.get("trials", []):
            if trial["id"] in self._known:
                # Offered once more: the reply that brought it first was lost.
                continue
            self._known.add(trial["id"])
            self._held.append(trial["id"])
            self._measured.handed_out.append(trial["id"])
            for side, line in self._picture_lines.items():
                task = asyncio.create_task(self._fetch(line, trial[side]))
                self._fetching.add(task)
                task.add_done_callback(self._fetching.discard)

    async def _fetch(self, line: Line, path: str) -> None:
        started_s = time.perf_counter()
        try:
            status, _ = await line.exchange(self._head("GET", path))
        except (OSError, EOFError, TimeoutError) as error:
            self._measured.errors.append(f"picture: {type(error).__name__} {error}")
            return
        if status != 200:
            self._measured.errors.append(f"picture: {status}")
        self._measured.picture_ms.append(1000 * (time.perf_counter() - started_s))


def _answer(trial: str, rng: random.Random) -> dict[str, Any]:
    """As large as the page's own."""
    painted_ms = rng.uniform(1e3, 1e6)
    response_ms = rng.uniform(500, 4000)
    return {
        "id": str(uuid.uuid4()),
        "trial": trial,
        "side": rng.choice(["left", "right"]),
        "decoded_ms": painted_ms - 20,
        "painted_ms": painted_ms,
        "answered_ms": painted_ms + response_ms,
        "response_ms": response_ms,
        "hidden_ms": 0,
        "clock_resolution_ms": 0.1,
        "input": "key",
        "device_pixel_ratio": 1.5,
        "window_width_px": 1920,
        "window_height_px": 1080,
        "n_switches": 0,
        "dwell_ms": {"original": response_ms, "left": response_ms, "right": response_ms},
        "zoom": 1,
        "marks": [],
        "events": [{"at_ms": painted_ms, "note": "painted"}],
        "client_time": "2030-01-01T00:00:00.000Z",
    }


def measure(
    people: list[Person], port: int, *, seconds: float, think_s: float, pictures: bool, seed: int
) -> Measured:
    """All of them at once, each with think times of their own around `think_s`."""
    measured = Measured()

    async def all_of_them() -> None:
        until_s = time.perf_counter() + seconds
        sittings = [Sitting(person, port, measured, pictures=pictures) for person in people]
        await asyncio.gather(
            *[
                sitting.answer(until_s, think_s, random.Random(f"{seed}:{index}"))
                for index, sitting in enumerate(sittings)
            ]
        )

    wall_s, cpu_s = time.perf_counter(), time.process_time()
    asyncio.run(all_of_them())
    measured.cpu_share = (time.process_time() - cpu_s) / (time.perf_counter() - wall_s)
    return measured
