"""`manage.py up`: the whole site in one command, each part started again when it dies."""

import fcntl
import json
import os
import shlex
import socket
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from config.processes import WEB_THREADS, children, loopback_of, once
from config.supervisor import Supervisor


class Command(BaseCommand):
    help = "Run the site: web server, workers and, unless BROKER_URL is set, the broker."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.TRIAD_HOST)
        parser.add_argument("--port", type=int, default=settings.TRIAD_PORT)
        parser.add_argument(
            "--threads", type=int, default=WEB_THREADS, help="requests answered at once"
        )
        parser.add_argument("--no-migrate", action="store_true")
        parser.add_argument("--json", action="store_true", help="tell the address as JSON")
        parser.add_argument(
            "--then",
            metavar="COMMAND",
            default="",
            help="a manage.py command with its arguments, run once beside the site when it answers",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        home: Path = settings.TRIAD_HOME
        with only_one(home):
            supervisor = Supervisor(home, self.say)
            n_left = supervisor.pids.stop_leftovers()
            if n_left:
                self.say(f"Stopped {n_left} processes that an earlier `up` had left.")
            with listening(options["host"], options["port"]) as listener:
                self.prepare(is_migrating=not options["no_migrate"])
                listed = children(listener, n_threads=options["threads"])
                if options["then"]:
                    listed.append(once(shlex.split(options["then"])))
                address = f"http://{as_written(options['host'])}:{options['port']}"
                try:
                    supervisor.run(listed, lambda: self.announce(address, as_json=options["json"]))
                except RuntimeError as error:
                    raise CommandError(str(error)) from error
        self.say("Triad has stopped.")

    def prepare(self, *, is_migrating: bool) -> None:
        if is_migrating:
            call_command("migrate", verbosity=0, interactive=False)
        if not settings.DEBUG:
            call_command("collectstatic", verbosity=0, interactive=False)

    def announce(self, address: str, *, as_json: bool) -> None:
        if as_json:
            self.say(json.dumps({"address": address, "home": str(settings.TRIAD_HOME)}))
            return
        logs = settings.TRIAD_HOME / "logs"
        self.say(f"Triad runs at {address} (Ctrl-C stops it; what it says is in {logs}).")

    def say(self, line: str) -> None:
        self.stdout.write(line)
        # Seen at once, through a pipe too.
        self.stdout.flush()


@contextmanager
def only_one(home: Path) -> Iterator[None]:
    """The kernel holds this lock for as long as the process lives, however it ends."""
    with (home / "up.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise CommandError(
                f"Another `up` (process {file.read().strip()}) already runs on {home}; "
                "stop it first, or set TRIAD_HOME to another folder."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """The supervisor holds the port: while the web server restarts, requests wait, none fails."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        raise CommandError(
            f"Port {port} of {host} cannot be had ({os.strerror(error.errno or 0)}); "
            "choose another with TRIAD_PORT or --port."
        ) from error
    with listener:
        yield listener


def as_written(host: str) -> str:
    """As it stands in an address that a person can open."""
    reachable = loopback_of(host)
    return f"[{reachable}]" if ":" in reachable else reachable
