"""A network that does to requests what real ones do: loses, delays, doubles and cuts them."""

import http.client
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

# Of a hundred requests. What is left over passes.
OF_ANSWERS: Mapping[str, float] = {
    "request lost": 3,
    "reply lost": 5,
    "reply cut short": 2,
    "slow request": 3,
    "slow reply": 4,
    "sent twice at once": 5,
    "sent again later": 5,
    "refused for now": 3,
}
OF_PICTURES: Mapping[str, float] = {"request lost": 1, "reply cut short": 0.5, "slow reply": 1}
# Real pictures would be two thirds of all work, and what they show is not this network's matter.
SHARE_FROM_HERE = 0.8
FOR_NOW = (429, 500, 502, 503)
_BETWEEN_HOPS = {"connection", "keep-alive", "transfer-encoding", "date", "server"}


@dataclass(frozen=True)
class Reply:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


class BadNetwork:
    """Stands between browser and site; `calm()` ends its moods."""

    def __init__(self, site_url: str, picture: bytes, seed: int) -> None:
        self.made: Counter[str] = Counter()
        self.picture = Reply(200, [("Content-Type", "image/png")], picture)
        self._site = urlsplit(site_url).netloc
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._is_calm = False
        self._later: list[threading.Timer] = []
        self._server = _Relays(("127.0.0.1", 0), _Relay)
        self._server.network = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        self._thread.start()

    def calm(self) -> None:
        self._is_calm = True
        for timer in self._later:
            timer.join()

    def stop(self) -> None:
        self.calm()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def mood_for(self, method: str, path: str) -> str:
        """What befalls a request; pages of the site themselves pass."""
        if self._is_calm or not (method == "POST" or "/i/" in path) or path.endswith("/begin"):
            return ""
        moods = OF_ANSWERS if method == "POST" else OF_PICTURES
        with self._lock:
            draw = 100 * self._random.random()
            for mood, share in moods.items():
                draw -= share
                if draw < 0:
                    self.made[mood] += 1
                    return mood
        return ""

    def between(self, low: float, high: float) -> float:
        with self._lock:
            return self._random.uniform(low, high)

    def forward(self, method: str, path: str, headers: Any, body: bytes) -> Reply:
        """As it came, to the site and back. Raises OSError or HTTPException where it dies."""
        connection = http.client.HTTPConnection(self._site, timeout=60)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                if name.lower() not in _BETWEEN_HOPS:
                    connection.putheader(name, value)
            connection.putheader("Connection", "close")
            connection.endheaders(body)
            reply = connection.getresponse()
            kept = [pair for pair in reply.getheaders() if pair[0].lower() not in _BETWEEN_HOPS]
            return Reply(reply.status, kept, reply.read())
        finally:
            connection.close()

    def forward_later(self, *request: Any) -> None:
        def again() -> None:
            try:
                self.forward(*request)
            except (OSError, http.client.HTTPException):
                self.made["sent again later, in vain"] += 1

        timer = threading.Timer(self.between(0.0, 5.0), again)
        self._later.append(timer)
        timer.start()


class _Relays(ThreadingHTTPServer):
    network: BadNetwork
    daemon_threads = True
    # Pages, pictures and answers of many people at once.
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that hangs up in the middle is what this network is for."""


class _Relay(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Relays

    def do_GET(self) -> None:
        self._relay()

    def do_POST(self) -> None:
        self._relay()

    def log_message(self, *args: Any) -> None:
        pass

    def _relay(self) -> None:
        network = self.server.network
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = (self.command, self.path, self.headers, body)
        if "/i/" in self.path and network.between(0, 1) < SHARE_FROM_HERE:
            return self._answer(network.picture)
        mood = network.mood_for(self.command, self.path)
        if mood == "request lost":
            return self._hang_up()
        if mood == "refused for now":
            status = network.made["refused for now"] % len(FOR_NOW)
            return self._answer(Reply(FOR_NOW[status], [], b"<h1>Not now</h1>"))
        if mood == "slow request":
            time.sleep(network.between(0.3, 3))
        if mood == "sent again later":
            network.forward_later(*request)
        try:
            reply = self._forward_twice(request) if "twice" in mood else network.forward(*request)
        except (OSError, http.client.HTTPException):
            return self._hang_up()
        if mood == "slow reply":
            time.sleep(network.between(0.3, 3))
        if mood == "reply lost":
            return self._hang_up()
        self._answer(reply, is_cut="cut" in mood)

    def _forward_twice(self, request: Any) -> Reply:
        double = threading.Thread(target=self._forward_quietly, args=(request,))
        double.start()
        try:
            return self.server.network.forward(*request)
        finally:
            double.join()

    def _forward_quietly(self, request: Any) -> None:
        try:
            self.server.network.forward(*request)
        except (OSError, http.client.HTTPException):
            self.server.network.made["sent twice, once in vain"] += 1

    def _answer(self, reply: Reply, *, is_cut: bool = False) -> None:
        self.send_response_only(reply.status)
        for name, value in reply.headers:
            if name.lower() != "content-length":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body[: len(reply.body) // 2] if is_cut else reply.body)
        if is_cut:
            self._hang_up()

    def _hang_up(self) -> None:
        """With a reset, as a line that breaks: nothing polite is left to read."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
