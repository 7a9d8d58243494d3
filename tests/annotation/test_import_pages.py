"""Judgments in by the desk: a report first, then a run, and every refused row by its name."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from annotation.export_formats import ExportConfig
from annotation.exporting import write_export
from annotation.formats.bundle import FolderBundle
from annotation.models import Judgment, Study, StudyMember
from codecs_eval import datasets, runs
from codecs_eval.models import Dataset, Run
from tests.factories import make_ada, make_cleo, make_judgments, make_session, make_study

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]

HEAD = "study,session_id,triplet_id,source,first_codec,second_codec,choice,mood"
GOOD = "graz,s1,7,cat,jpeg,webp,first,fine"
BAD = "graz,s1,8,dog,jpeg,webp,both,fine"


@pytest.fixture
def ada() -> Client:
    client = Client()
    client.force_login(make_ada())
    return client


def uploaded(client: Client, name: str, data: bytes) -> Any:
    return client.post(reverse("import"), {"file": SimpleUploadedFile(name, data)}, follow=True)


def table(*rows: str) -> bytes:
    return "\n".join([HEAD, *rows]).encode()


def worked(run: Run) -> Run:
    owner = runs.new_owner()
    assert runs.claim(run.pk, owner)
    runs.execute(run.pk, owner)
    run.refresh_from_db()
    return run


def zipped(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, f"export/{path.relative_to(folder)}")
    return buffer.getvalue()


def test_the_report_tells_columns_and_refused_rows_and_stores_nothing(ada: Client) -> None:
    reply = uploaded(ada, "graz.csv", table(GOOD, BAD))
    said = reply.content.decode()
    assert reply.status_code == 200
    assert "1 of 2 rows can be stored, 1 cannot" in said
    assert "expected one of first, second, not_sure" in said
    assert "unknown, ignored" in said
    assert "a coin decides" in said
    assert not Study.objects.exists()
    assert not Run.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_was_read_is_brought_in_by_a_run_and_belongs_to_who_did(ada: Client) -> None:
    address = uploaded(ada, "graz.csv", table(GOOD, BAD)).redirect_chain[-1][0]
    assert ada.post(address, {"name": "Graz", "licence": "not stated"}).status_code == 302
    run = worked(Run.objects.get())
    assert run.state == Run.State.DONE, run.error
    study = Study.objects.get()
    assert (study.slug, study.members.get().role) == ("graz", StudyMember.Role.OWNER)
    assert Judgment.objects.count() == 1
    assert (run.result["n_accepted"], run.result["n_refused"]) == (1, 1)
    listed = ada.get(reverse("import_refused", args=[run.pk])).content.decode()
    assert listed.splitlines()[1].startswith("3,")
    assert "both" in listed
    page = ada.get(run.get_absolute_url()).content.decode()
    assert reverse("import_refused", args=[run.pk]) in page
    assert reverse("study", args=["graz"]) in page


@pytest.mark.django_db(transaction=True)
def test_an_attempt_after_a_killed_one_stores_nothing_twice(ada: Client) -> None:
    address = uploaded(ada, "graz.csv", table(GOOD)).redirect_chain[-1][0]
    ada.post(address, {"name": "Graz", "licence": "not stated"})
    run = worked(Run.objects.get())
    Run.objects.update(state=Run.State.QUEUED, owner="")
    assert worked(run).state == Run.State.DONE, run.error
    assert Study.objects.count() == Judgment.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_export_of_pictures_comes_in_as_a_zip(ada: Client, tmp_path: Path) -> None:
    study = make_study(n_sources=2)
    make_judgments(make_session(study), 2)
    write_export(study, ExportConfig("which", "bapps"), FolderBundle(tmp_path / "out"))
    reply = uploaded(ada, "which.zip", zipped(tmp_path / "out"))
    assert "BAPPS layout: 2 of 2 rows" in reply.content.decode()
    ada.post(reply.redirect_chain[-1][0], {"name": "back", "licence": "CC0-1.0"})
    run = worked(Run.objects.get())
    assert run.state == Run.State.DONE, run.error
    assert run.dataset == datasets.by_name_or_id("back")
    assert Dataset.objects.get().created_by is not None


def test_a_bapps_zip_of_others_needs_the_number_of_raters(ada: Client, tmp_path: Path) -> None:
    from codecs_eval.storing import png_of

    for folder in ("ref", "p0", "p1", "judge"):
        (tmp_path / "b" / folder).mkdir(parents=True)
    for at, share in enumerate((0.2, 0.37)):
        for seed, folder in enumerate(("ref", "p0", "p1")):
            pixels = np.random.default_rng(10 * at + seed).integers(0, 256, (64, 64, 3))
            (tmp_path / "b" / folder / f"{at}.png").write_bytes(png_of(pixels.astype(np.uint8)))
        np.save(tmp_path / "b" / "judge" / f"{at}.npy", np.array([share], np.float32))
    reply = uploaded(ada, "theirs.zip", zipped(tmp_path / "b"))
    assert reply.status_code == 400
    assert "number of raters" in reply.content.decode()
    address = reply.redirect_chain[-1][0]
    said = ada.get(f"{address}&n_raters=5").content.decode()
    assert "5 of 6 rows can be stored, 1 cannot" in said
    assert "no whole number of 5 votes" in said


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("in.xlsx", b"x", "expected .csv"),
        ("in.csv", b"a,b\n1,2\n", "no column session_id"),
        ("in.csv", b"\xff\xfe\x00", "no CSV in UTF-8"),
        ("in.parquet", b"PAR1", "no Parquet file"),
        ("in.zip", b"PK", "no readable zip"),
        ("in.jsonl", b"[1]\n", "no column session_id"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(
    ada: Client, name: str, data: bytes, said: str
) -> None:
    reply = uploaded(ada, name, data)
    assert reply.status_code == 400
    assert said in reply.content.decode()


def test_a_bomb_is_refused(ada: Client) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(4):
            archive.writestr(f"{n}.csv", bytes(30_000_000))
    reply = uploaded(ada, "in.zip", buffer.getvalue())
    assert reply.status_code == 400
    assert "far more" in reply.content.decode()


def test_a_file_that_is_too_large_is_refused(ada: Client, settings: Any) -> None:
    settings.MAX_UPLOAD_FILE_BYTES = 10
    reply = uploaded(ada, "in.csv", table(GOOD))
    assert reply.status_code == 400
    assert "10 at most" in reply.content.decode()


@pytest.mark.parametrize("upload", ["..%2Fsecret", "0" * 64 + ".csv", "x.csv", "0" * 64 + ".exe"])
def test_what_was_never_uploaded_is_not_there(ada: Client, upload: str) -> None:
    reply = ada.get(f"/studies/import/{upload}")
    assert reply.status_code in (400, 404)
    assert not Run.objects.exists()


def test_an_account_without_rights_imports_nothing() -> None:
    cleo = Client()
    cleo.force_login(make_cleo())
    assert cleo.get(reverse("import")).status_code == 403
    reply = cleo.post(reverse("import"), {"file": SimpleUploadedFile("in.csv", table(GOOD))})
    assert reply.status_code == 403
    assert not Study.objects.exists()


def test_a_study_is_never_called_what_a_page_is_called(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(table(GOOD))
    with pytest.raises(CommandError, match="page of its own"):
        call_command("import_judgments", str(tmp_path / "in.csv"), "--name", "import")


def test_the_command_reports_and_stores_nothing(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(table(GOOD, BAD))
    out = io.StringIO()
    call_command("import_judgments", str(tmp_path / "in.csv"), "--report", "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert (told["n_good"], told["n_refused"]) == (1, 1)
    assert told["refused"][0]["line"] == 3
    out = io.StringIO()
    call_command("import_judgments", str(tmp_path / "in.csv"), "--report", stdout=out)
    assert "mood: UNKNOWN, ignored" in out.getvalue()
    assert not Study.objects.exists()


def test_the_command_writes_the_refused_rows(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(table(GOOD, BAD))
    call_command(
        "import_judgments", str(tmp_path / "in.csv"), "--refused", str(tmp_path / "no.csv"),
        stdout=io.StringIO(),
    )  # fmt: skip
    assert "both" in (tmp_path / "no.csv").read_text()
    assert Judgment.objects.count() == 1
