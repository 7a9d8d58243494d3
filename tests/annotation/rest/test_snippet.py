"""The program of docs/api.md does what it says, against a real server."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from annotation import serving
from annotation.models import Study
from codecs_eval import runs, tokens
from codecs_eval.models import Run
from tests.factories import make_ada, make_judgments, make_ladder, make_session

pytestmark = [pytest.mark.usefixtures("triad_home"), pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[3]
SCOPES = ["studies:read", "studies:write", "runs:read", "runs:write", "results:read"]
DOCS = (ROOT / "docs" / "api.md").read_text()


def snippets() -> list[str]:
    return re.findall(r"```python\n(.*?)```", DOCS, flags=re.DOTALL)


def until(found: Any, program: "subprocess.Popen[str]") -> Any:
    """Wait for a row that the program makes."""
    deadline_s = time.monotonic() + 60
    while (row := found()) is None:
        assert program.poll() is None, program.communicate()[0]
        assert time.monotonic() < deadline_s
        time.sleep(0.1)
    return row


@pytest.mark.django_db(transaction=True)
def test_the_program_goes_from_a_study_to_its_results(live_server: Any, tmp_path: Path) -> None:
    make_ladder("kodak", n_sources=4)
    _, token = tokens.make_token(make_ada(), "docs", SCOPES)
    script = tmp_path / "program.py"
    script.write_text(snippets()[0])
    program = subprocess.Popen(
        [sys.executable, str(script)],
        env={**os.environ, "TRIAD_SITE": live_server.url, "TRIAD_TOKEN": token},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        study = until(
            lambda: Study.objects.filter(slug="by-program", state="open").first(), program
        )
        for _ in range(3):
            session = make_session(study)
            make_judgments(session, 4)
            serving.finish(session)
        run = until(lambda: Run.objects.filter(kind="study_results").first(), program)
        owner = runs.new_owner()
        assert runs.claim(run.pk, owner)
        assert runs.execute(run.pk, owner) == "done"
        said = program.communicate(timeout=60)[0]
    finally:
        program.kill()
    assert program.returncode == 0, said
    assert "Answered by people" in said
    run.refresh_from_db()
    (rate,) = run.result["screened"]["rates"]
    assert [row["n_judgments"] for row in rate["codecs"]] == [12, 12]
    for row in rate["codecs"]:
        assert f"0.5 bpp, {row['codec']}: chosen {row['share']['value']} (" in said
    study.refresh_from_db()
    assert study.state == "closed"


def test_the_receiver_of_the_docs_knows_a_signature_from_a_forged_one() -> None:
    from codecs_eval.delivering import signature

    room: dict[str, Any] = {}
    exec(snippets()[1], room)
    now = int(time.time())
    is_from_triad = room["is_from_triad"]
    assert is_from_triad(signature("whsec_a", now, b"{}"), b"{}", "whsec_a")
    assert not is_from_triad(signature("whsec_b", now, b"{}"), b"{}", "whsec_a")
    assert not is_from_triad(signature("whsec_a", now, b"{}"), b"{ }", "whsec_a")
    assert not is_from_triad(signature("whsec_a", now - 900, b"{}"), b"{}", "whsec_a")
