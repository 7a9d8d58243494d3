"""Fixtures of the whole suite: a throwaway home, real servers and workers, shared data."""

import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.processes import LiveSite, LiveSites, LiveWorker

ROOT = Path(__file__).resolve().parent.parent

# Before Django reads its settings, and for every process that a test starts: nothing that a
# person keeps in ./var, and no service that they run, is ever touched by a test.
HOME = Path(tempfile.mkdtemp(prefix="triad-test-"))
for name in ("BROKER_URL", "STORAGE_URL", "DEBUG", "HTTPS", "ALLOWED_HOSTS", "SECRET_KEY"):
    os.environ.pop(name, None)
os.environ["TRIAD_HOME"] = str(HOME)
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
# Playwright's synchronous calls run inside an event loop; the tests' own rows are made beside it.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_configure() -> None:
    import django

    django.setup()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Told by its environment which settings, a worker would read them before its own home."""
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)


def pytest_unconfigure() -> None:
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Which tests need rows, a browser, a worker or PostgreSQL is told by what they take."""
    marked_by = {
        "page": "browser",
        "browser": "browser",
        "browser_type": "browser",
        "live_worker": "worker",
        "postgres_url": "postgres",
        "db": "database",
        "transactional_db": "database",
    }
    for item in items:
        for fixture in set(getattr(item, "fixturenames", ())) & set(marked_by):
            item.add_marker(marked_by[fixture])
        if item.get_closest_marker("django_db"):
            item.add_marker("database")


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """A data set that lies beside the repository, by its name; TRIAD_TEST_DATA says where else."""
    folder = Path(os.environ.get("TRIAD_TEST_DATA") or ROOT.parent / "shared" / "data")

    def find(name: str) -> Path:
        if not (folder / name).exists():
            pytest.skip(f"the test data {name} is not in {folder} (set TRIAD_TEST_DATA)")
        return folder / name

    return find


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """SQLite in a file instead of in memory, so that other processes see the tests' rows."""
    from django.conf import settings

    database = settings.DATABASES["default"]
    if database["ENGINE"] == "django.db.backends.sqlite3":
        database.setdefault("TEST", {})["NAME"] = str(HOME / "test.sqlite3")


@pytest.fixture(scope="session")
def collected_static() -> None:
    """Pages name their static files by content: the names must be known first."""
    from django.core.management import call_command

    call_command("collectstatic", interactive=False, verbosity=0)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, collected_static: None) -> None:
    """What a page needs before it can be asked for: tables, and the names of static files."""


@pytest.fixture(autouse=True)
def forgotten_counts() -> None:
    """All tests come from one address: without this, one day the limits would meet them."""
    from django.core.cache import cache

    cache.clear()


@pytest.fixture
def triad_home(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> Path:
    """A home of this test's own, for what it stores; the database stays the suite's.

    Tests of one server share its place, emptied for each of them.
    """
    home = tmp_path
    if "site" in request.fixturenames:
        home = HOME / "live"
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
    settings.TRIAD_HOME = home
    storages = {alias: dict(storage) for alias, storage in settings.STORAGES.items()}
    storages["default"]["OPTIONS"] = {
        **storages["default"].get("OPTIONS", {}),
        "location": home / "files",
    }
    settings.STORAGES = storages
    return home


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real, empty PostgreSQL; the one the suite runs on, where it does."""
    from tests.postgres import NoServer, throwaway_postgres

    given = os.environ.get("DATABASE_URL", "")
    if given.startswith("postgres"):
        yield given
        return
    try:
        with throwaway_postgres() as url:
            yield url
    except NoServer as reason:
        pytest.skip(str(reason))


@pytest.fixture
def child_env(transactional_db: None, triad_home: Path, settings: Any) -> dict[str, str]:
    """The environment of a process that shall see this test's rows, files and queue."""
    from config.broker import embedded_broker_url
    from tests.processes import database_url

    (triad_home / "static").symlink_to(HOME / "static")
    return {
        **os.environ,
        "DATABASE_URL": database_url(),
        "TRIAD_HOME": str(triad_home),
        # Where this process sends its tasks: Celery read that address once, at its start.
        "BROKER_URL": embedded_broker_url(HOME),
        "SECRET_KEY": settings.SECRET_KEY,
    }


@pytest.fixture
def live_worker(child_env: dict[str, str], tmp_path: Path) -> "Iterator[LiveWorker]":
    """A real Celery worker for all queues on the real embedded broker."""
    from tests.processes import LiveWorker

    worker = LiveWorker.over(child_env, HOME, tmp_path)
    try:
        worker.start()
        yield worker
    finally:
        worker.stop()


@pytest.fixture(scope="session")
def sites() -> "Iterator[LiveSites]":
    from tests.processes import LiveSites

    kept = LiveSites(HOME)
    yield kept
    kept.stop()


@pytest.fixture
def site(child_env: dict[str, str], sites: "LiveSites") -> "LiveSite":
    """A real gunicorn over this test's rows: `site.url`, `site.kill()`, `site.start()`.

    The one of the test before, if it lives and has the same settings: to start takes seconds.
    """
    return sites.running_with(child_env)


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, object]) -> dict[str, object]:
    """The distribution's Chromium instead of a downloaded one."""
    found = [path for name in CHROMIUM_NAMES if (path := shutil.which(name))]
    if not found:
        pytest.skip(f"no browser: none of {', '.join(CHROMIUM_NAMES)} is installed")
    return {
        **browser_type_launch_args,
        "executable_path": found[0],
        "args": CHROMIUM_FLAGS,
    }
