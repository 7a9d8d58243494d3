import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psycopg
from django.core.files.storage import default_storage
from PIL import Image

from codecs_eval import runs, tasks
from codecs_eval.encoding import LadderConfig
from codecs_eval.ingesting import import_path
from codecs_eval.models import Reconstruction, Run
from config.broker import LONGEST_SOCKET_PATH, broker_command, broker_socket, embedded_broker_url
from config.processes import broker, is_answering_pings
from tests.processes import LiveProcess, wait_for

if TYPE_CHECKING:
    from tests.processes import LiveWorker


def test_the_broker_listens_below_its_home_and_only_for_its_owner(tmp_path: Path) -> None:
    live = LiveProcess(broker(tmp_path), {}, tmp_path / "log")
    live.start()
    try:
        assert broker_socket(tmp_path) == tmp_path / "broker.sock"
        assert is_answering_pings(str(tmp_path / "broker.sock"))
        assert broker_socket(tmp_path).stat().st_mode & 0o077 == 0
    finally:
        live.stop()


def test_a_long_home_gets_a_short_socket_that_stays_the_same(tmp_path: Path) -> None:
    home = tmp_path / ("long" * 30)
    path = broker_socket(home)
    assert len(os.fsencode(path)) <= LONGEST_SOCKET_PATH
    assert path == broker_socket(home)
    assert path != broker_socket(tmp_path / ("long" * 31))
    home.mkdir()
    broker_command(home)
    assert path.parent.stat().st_mode & 0o077 == 0
    path.parent.rmdir()


def test_the_address_of_a_home_with_odd_letters_is_quoted() -> None:
    assert (
        embedded_broker_url(Path("/data/my photos 100%"))
        == "redis+socket:///data/my%20photos%20100%25/broker.sock"
    )


def test_a_run_sent_from_here_is_done_by_a_worker_of_another_process(
    live_worker: "LiveWorker", tmp_path: Path
) -> None:
    run = ladder_run(tmp_path / "photos")

    tasks.enqueue(run)

    wait_for("the run is done", lambda: state_of(run) == Run.State.DONE, within_s=60)
    made = Reconstruction.objects.get()
    assert default_storage.exists(made.bitstream_path)


def ladder_run(photos: Path) -> Run:
    photos.mkdir()
    grey = np.linspace(0, 255, 96 * 64).reshape(64, 96, 1).repeat(3, axis=2)
    Image.fromarray(grey.astype(np.uint8)).save(photos / "ramp.png")
    import_path(photos, collection="ramp", licence="CC0")
    config = LadderConfig(collection="ramp", codecs=("jpeg",), rates_bpp=(1.0,))
    return runs.create("encode_ladder", config, title="A ladder")


def state_of(run: Run) -> str:
    run.refresh_from_db()
    return run.state


def test_postgres_is_there_and_empty(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        (version,) = connection.execute("show server_version_num").fetchone() or ("0",)
    assert int(version) >= 150000
