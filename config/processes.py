"""The processes that make a site: broker, web server, and a worker for each queue."""

import http.client
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from django.conf import settings

from config.broker import broker_command, broker_socket, has_embedded_broker
from config.supervisor import Child

# Lower stops first: nobody asks a stopped worker, nobody writes to a stopped broker.
WEB, WORKERS, BROKER = range(3)

# More than the cores have use for: a thread that holds a picture back sleeps (annotation.blinding).
WEB_THREADS = 24


def children(listener: socket.socket, *, n_threads: int) -> list[Child]:
    """In the order in which they start."""
    listed = [web(listener, n_threads), *workers()]
    if settings.IS_BROKER_EMBEDDED and has_embedded_broker():
        listed.insert(0, broker(settings.TRIAD_HOME))
    return listed


def broker(home: Path) -> Child:
    path = str(broker_socket(home))
    child = _child("broker", broker_command(home), BROKER)
    return replace(child, is_ready=lambda: is_answering_pings(path))


def web(listener: socket.socket, n_threads: int) -> Child:
    """`n_threads` in all processes together: each has a connection to the database."""
    n_processes = settings.WEB_PROCESSES
    threads_each = -(-n_threads // n_processes)
    command = [
        *(sys.executable, "-m", "gunicorn", "config.wsgi:application"),
        *("--bind", f"fd://{listener.fileno()}"),
        *("--worker-class", "gthread", "--workers", str(n_processes)),
        *("--threads", str(threads_each)),
        *("--timeout", "120", "--graceful-timeout", "5"),
        # Its default is a socket in the home folder of whoever runs it.
        "--no-control-socket",
    ]
    host, port = listener.getsockname()[:2]
    return replace(
        _child("web", command, WEB, {"OMP_NUM_THREADS": "1"}),
        is_ready=lambda: is_answering_requests(host, port),
        pass_fds=(listener.fileno(),),
    )


def workers() -> list[Child]:
    schedule = str(settings.TRIAD_HOME / "schedule")
    n_encoders = str(settings.ENCODE_PROCESSES)
    one_thread = {"OMP_NUM_THREADS": "1"}
    return [
        # Short work, and the clock (beat) beside it; two, so that a freeze holds up no sweep.
        worker("light", "light", ["-P", "prefork", "-c", "2", "-B", "-s", schedule], one_thread),
        # One codec on each core: threads inside them would only fight.
        worker("encode", "encode", ["-P", "prefork", "-c", n_encoders], one_thread),
        worker("train", "train", ["-P", "prefork", "-c", "1"], {}),
    ]


def worker(name: str, queues: str, pool: list[str], env: Mapping[str, str]) -> Child:
    command = [
        *(sys.executable, "-m", "celery", "-A", "config.celery", "worker"),
        *("-Q", queues, "-n", f"{name}@%h", "-l", "WARNING"),
        *("--without-mingle", "--without-gossip"),
        *pool,
    ]
    # Told to stop, Celery would wait for the running task, which may take hours. Every task may
    # run twice, so it drops it and goes.
    return _child(name, command, WORKERS, {"REMAP_SIGTERM": "SIGQUIT", **env})


def once(arguments: list[str]) -> Child:
    """A command of manage.py that runs beside the site and is not started again."""
    command = [sys.executable, "manage.py", *arguments]
    return replace(_child(arguments[0], command, WEB), runs_once=True)


def _child(
    name: str, command: list[str], stop_rank: int, env: Mapping[str, str] | None = None
) -> Child:
    return Child(
        name=name,
        command=command,
        stop_rank=stop_rank,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
        folder=settings.BASE_DIR,
    )


def is_answering_requests(host: str, port: int) -> bool:
    """Whether the web server says anything at all; what it says is the application's matter."""
    connection = http.client.HTTPConnection(loopback_of(host), port, timeout=2)
    try:
        connection.request("GET", "/", headers={"Host": "localhost"})
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def is_answering_pings(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        try:
            client.connect(path)
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def loopback_of(host: str) -> str:
    """Where this machine itself reaches a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
