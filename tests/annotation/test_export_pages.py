"""The export tab: what it offers, who may, and that a prepared file is resumed like any other."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import mlcroissant
import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from PIL import Image

from annotation.counted_votes import votes_of
from annotation.export_formats import FORMATS, ExportConfig
from annotation.exporting import write_export
from annotation.formats.bundle import FolderBundle
from annotation.models import Study, StudyMember
from annotation.team import name_owner
from codecs_eval import datasets, runs
from codecs_eval.models import Reconstruction, Run, Score
from tests.factories import (
    make_ada,
    make_ben,
    make_cleo,
    make_judgments,
    make_session,
    make_study,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]


@pytest.fixture
def study() -> Study:
    found = make_study(n_sources=3, judgments_per_triplet=3)
    for side in ("left", "left", "right"):
        make_judgments(make_session(found), 3, side=side)
    return found


def scored() -> None:
    for row in Reconstruction.objects.all():
        for metric, value in (("psnr", 30.0 + row.pk), ("ms-ssim", 0.9)):
            Score.objects.create(reconstruction=row, metric=metric, metric_version="1", value=value)


def client_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def prepared(client: Client, file_format: str = "csv") -> Run:
    """As a worker would: the page queues it, and it is worked."""
    reply = client.post(reverse("prepare_export", args=["which"]), {"file_format": file_format})
    assert reply.status_code == 302
    run = Run.objects.latest("created_at")
    owner = runs.new_owner()
    assert runs.claim(run.pk, owner)
    assert runs.execute(run.pk, owner) == Run.State.DONE, Run.objects.get(pk=run.pk).error
    run.refresh_from_db()
    return run


# Preparing


@pytest.mark.django_db(transaction=True)
def test_a_prepared_file_is_listed_with_its_size_rows_and_hash(study: Study) -> None:
    ada = client_of(make_ada())
    run = prepared(ada)
    assert run.result["n_rows"] == 9
    said = ada.get(reverse("study_export", args=["which"])).content.decode()
    assert run.result["sha256"] in said
    assert reverse("study_export_file", args=["which", run.pk]) in said
    page = ada.get(run.get_absolute_url()).content.decode()
    assert reverse("study_export_file", args=["which", run.pk]) in page


@pytest.mark.django_db(transaction=True)
def test_a_prepared_file_can_be_resumed(study: Study) -> None:
    ada = client_of(make_ada())
    run = prepared(ada)
    address = reverse("study_export_file", args=["which", run.pk])
    whole = b"".join(ada.get(address).streaming_content)
    rest = ada.get(
        address, headers={"Range": "bytes=100-", "If-Range": f'"{run.result["sha256"]}"'}
    )
    assert rest.status_code == 206
    assert whole[:100] + b"".join(rest.streaming_content) == whole
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert archive.testzip() is None
        names = {name.partition("/")[2] for name in archive.namelist()}
    assert names == {
        "judgments.csv", "triplets.csv", "columns.csv", "datasheet.md", "croissant.json",
    }  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_the_same_rows_give_the_same_file(study: Study) -> None:
    ada = client_of(make_ada())
    assert prepared(ada).result["sha256"] == prepared(ada).result["sha256"]


@pytest.mark.django_db(transaction=True)
def test_a_deleted_file_is_gone_and_stays_on_record(study: Study) -> None:
    ada = client_of(make_ada())
    run = prepared(ada)
    address = reverse("study_export_file", args=["which", run.pk])
    assert ada.post(reverse("delete_export", args=["which", run.pk])).status_code == 302
    assert ada.get(address).status_code == 404
    said = ada.get(reverse("study_export", args=["which"])).content.decode()
    assert run.result["sha256"] in said
    assert address + '"' not in said


def test_a_format_that_nobody_knows_is_refused(study: Study) -> None:
    reply = client_of(make_ada()).post(
        reverse("prepare_export", args=["which"]), {"file_format": "xlsx"}, follow=True
    )
    assert "xlsx" in reply.content.decode()
    assert not Run.objects.exists()


def test_a_preview_is_not_exported(study: Study) -> None:
    Study.objects.update(purpose=Study.Purpose.PREVIEW)
    ada = client_of(make_ada())
    ada.post(reverse("prepare_export", args=["which"]), {"file_format": "csv"})
    assert not Run.objects.exists()
    assert ada.get(reverse("judgments_csv", args=["which"])).status_code == 404
    with pytest.raises(CommandError, match="preview"):
        call_command("export_study", "--study", "which", "--out", "nowhere.zip")
    assert not Path("nowhere.zip").exists()


# Who


def test_a_viewer_exports_and_freezes_nothing(study: Study) -> None:
    name_owner(study, make_ada())
    ben = make_ben()
    StudyMember.objects.create(study=study, user=ben, role=StudyMember.Role.VIEWER)
    viewer = client_of(ben)
    said = viewer.get(reverse("study_export", args=["which"])).content.decode()
    assert "Prepare a file" in said
    assert "Freeze dataset" not in said
    viewer.post(reverse("prepare_export", args=["which"]), {"file_format": "jsonl"})
    assert Run.objects.get().created_by == ben
    assert viewer.post(reverse("study_freeze", args=["which"]), {}).status_code == 403
    delete = reverse("delete_export", args=["which", Run.objects.get().pk])
    assert viewer.post(delete).status_code == 403


def test_an_annotator_or_a_stranger_gets_no_file(study: Study) -> None:
    name_owner(study, make_ada())
    cleo = make_cleo()
    StudyMember.objects.create(study=study, user=cleo, role=StudyMember.Role.ANNOTATOR)
    run = runs.create("export_study", ExportConfig("which"), title="x")
    for user in (cleo, make_user("dora", is_staff=True)):
        for name, args in (
            ("study_export", ["which"]), ("study_columns", ["which"]),
            ("study_export_file", ["which", run.pk]), ("judgments_csv", ["which"]),
        ):  # fmt: skip
            assert client_of(user).get(reverse(name, args=args)).status_code == 403


def test_a_file_of_another_study_is_not_found(study: Study) -> None:
    make_study("other")
    run = runs.create("export_study", ExportConfig("other"), title="x")
    reply = client_of(make_ada()).get(reverse("study_export_file", args=["which", run.pk]))
    assert reply.status_code == 404


def test_the_dictionary_is_a_page_and_a_file(study: Study) -> None:
    ada = client_of(make_ada())
    address = reverse("study_columns", args=["which"])
    assert "response_ms" in ada.get(address).content.decode()
    assert "judgments.csv,response_ms,number,ms," in ada.get(f"{address}?download").content.decode()


# What is in it


@pytest.mark.parametrize("file_format", FORMATS)
def test_every_export_validates_as_croissant(
    study: Study, file_format: str, tmp_path: Path
) -> None:
    scored()
    write_export(study, ExportConfig("which", file_format), FolderBundle(tmp_path / "out"))
    found = mlcroissant.Dataset(jsonld=str(tmp_path / "out" / "croissant.json"))
    assert found.metadata.ctx.issues.errors == set()
    for table in found.metadata.record_sets:
        assert sum(1 for _ in found.records(table.uuid)) > 0
    told = json.loads((tmp_path / "out" / "croissant.json").read_text())
    assert "SIMULATED" not in told["description"]


def test_the_bapps_loader_reads_the_layout(study: Study, tmp_path: Path) -> None:
    """As lpips' TwoAFCDataset does: four lists of paths, sorted, paired by their places."""
    write_export(study, ExportConfig("which", "bapps"), FolderBundle(tmp_path / "out"))
    votes = votes_of(study)
    lists = [sorted((tmp_path / "out" / name).iterdir()) for name in ("ref", "p0", "p1", "judge")]
    assert len({len(found) for found in lists}) == 1
    for ref, p0, p1, judge in zip(*lists, strict=True):
        assert {ref.stem} == {p0.stem} == {p1.stem} == {judge.stem}
        share = np.load(judge).reshape((1, 1, 1))
        assert share.dtype == np.float32
        assert 0 <= share.item() <= 1
        sizes = {Image.open(path).size for path in (ref, p0, p1)}
        assert sizes == {(64, 64)}
    shares = sorted(float(np.load(path)[0]) for path in lists[3])
    assert shares == pytest.approx(sorted(one.share_second for one in votes.values()))


def test_clic_reads_oracle_csv(study: Study, tmp_path: Path) -> None:
    write_export(study, ExportConfig("which", "oabt"), FolderBundle(tmp_path / "out"))
    lines = (tmp_path / "out" / "oracle.csv").read_text().splitlines()
    assert len(lines) == 9
    for line in lines:
        original, a, b, target = line.split(",")
        assert target in "01"
        assert all((tmp_path / "out" / name).is_file() for name in (original, a, b))
        assert a.startswith("copies/jpeg/") and b.startswith("copies/webp/")


def test_compressai_gets_a_mean_for_each_rate_with_its_n(study: Study, tmp_path: Path) -> None:
    scored()
    write_export(study, ExportConfig("which", "compressai"), FolderBundle(tmp_path / "out"))
    told = json.loads((tmp_path / "out" / "jpeg.json").read_text())
    assert set(told) == {"name", "description", "results"}
    rows = Reconstruction.objects.filter(codec="jpeg")
    assert told["results"]["psnr-rgb"] == [pytest.approx(np.mean([30 + row.pk for row in rows]))]
    assert told["results"]["n-images"] == [3]
    assert told["results"]["bpp"] == [0.5]


def test_nothing_judged_is_no_bapps_and_no_scores_are_no_compressai(tmp_path: Path) -> None:
    make_study()
    for file_format, out, said in (
        ("bapps", "a.zip", "no judgment"), ("bapps", "a", "no judgment"),
        ("compressai", "a.zip", "psnr and ms-ssim"),
    ):  # fmt: skip
        with pytest.raises(CommandError, match=said):
            call_command(
                "export_study", "--study", "which", "--format", file_format,
                "--out", str(tmp_path / out),
            )  # fmt: skip
        assert not (tmp_path / out).exists()


def test_the_datasheet_says_what_is_not_known_and_that_nobody_was_asked(
    study: Study, tmp_path: Path
) -> None:
    out = tmp_path / "real"
    write_export(study, ExportConfig("which"), FolderBundle(out))
    real = (out / "datasheet.md").read_text()
    assert "Not recorded. Whoever publishes this has to say it." in real
    assert "| judgments | 9 |" in real
    Study.objects.update(is_simulated=True, purpose=Study.Purpose.DRY_RUN)
    study.refresh_from_db()
    out = tmp_path / "dry"
    write_export(study, ExportConfig("which"), FolderBundle(out))
    dry = (out / "datasheet.md").read_text()
    assert "A DRY RUN" in dry
    assert "Nobody: simulated observers answered." in dry
    assert study.consent not in dry


def test_a_dry_run_says_so_in_its_file_names(study: Study, tmp_path: Path) -> None:
    Study.objects.update(is_simulated=True, purpose=Study.Purpose.DRY_RUN)
    reply = client_of(make_ada()).get(reverse("judgments_csv", args=["which"]))
    assert "judgments-which-SIMULATED-dry-run.csv" in reply["Content-Disposition"]


# The command


def test_the_command_writes_a_folder_or_a_zip(study: Study, tmp_path: Path) -> None:
    out = io.StringIO()
    call_command(
        "export_study", "--study", "which", "--format", "parquet", "--rows", "counted",
        "--out", str(tmp_path / "a.zip"), "--json", stdout=out,
    )  # fmt: skip
    assert json.loads(out.getvalue())["n_rows"] == 9
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert "which-v1-parquet-counted/judgments.parquet" in archive.namelist()
    for again in (tmp_path / "a.zip", tmp_path):
        with pytest.raises(CommandError, match="expected a new"):
            call_command("export_study", "--study", "which", "--out", str(again))


def test_a_dataset_is_downloaded_with_its_papers(study: Study) -> None:
    from annotation.freezing import FreezeConfig, freeze_dataset

    dataset = freeze_dataset(study, FreezeConfig(study="which", name="frozen"))
    reply: Any = client_of(make_ada()).get(reverse("dataset_zip", args=[dataset.pk]))
    with zipfile.ZipFile(io.BytesIO(b"".join(reply.streaming_content))) as archive:
        archive.extractall(dataset.folder.parent / "out")
    folder = dataset.folder.parent / "out" / "frozen"
    found = mlcroissant.Dataset(jsonld=str(folder / "croissant.json"))
    assert found.metadata.ctx.issues.errors == set()
    assert sum(1 for _ in found.records("judgments")) == 9
    assert "| judgments | 9 |" in (folder / "datasheet.md").read_text()
    # The frozen folder itself stays as it was.
    assert not (dataset.folder / "datasheet.md").exists()
    assert datasets.frozen(dataset).manifest.counts.judgments == 9
