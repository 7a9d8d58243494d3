import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.processes import descendants

if TYPE_CHECKING:
    from tests.processes import LiveSite

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"torch", "torchvision", "lpips", "onnxruntime"}
LOAD_ALL_OF_THE_SITE = """
import json, sys
import config.wsgi
from django.contrib import admin
from django.urls import get_resolver

def walk(patterns):
    for pattern in patterns:
        walk(getattr(pattern, "url_patterns", []))

walk(get_resolver().url_patterns)
admin.autodiscover()
json.dump(sorted({name.partition(".")[0] for name in sys.modules}), sys.stdout)
"""


def test_all_pages_load_without_the_heavy_libraries() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOAD_ALL_OF_THE_SITE],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(json.loads(done.stdout))
    assert {"annotation", "codecs_eval", "django"} <= loaded
    assert loaded & HEAVY == set()


@pytest.mark.skipif(sys.platform != "linux", reason="looks at a process through /proc")
def test_the_running_web_server_has_no_heavy_library_in_its_memory(site: "LiveSite") -> None:

    for path in ("/", "/login/", "/admin/login/"):
        urllib.request.urlopen(site.url + path, timeout=20).read()
    assert site.web.process is not None
    served_by = descendants(site.web.process.pid)
    assert served_by
    for pid in served_by:
        maps = Path(f"/proc/{pid}/maps").read_text()
        assert "_sqlite3" in maps or "psycopg" in maps
        assert [name for name in HEAVY if f"/{name}/" in maps] == []
