"""Zips of unknown origin: honest ones are unpacked, hostile ones leave nothing behind."""

import stat
import zipfile
from pathlib import Path

import pytest

from annotation.unpacking import Limits, unpack


def packed(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def test_the_one_folder_in_a_zip_is_what_it_holds(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.zip", {"out/judgments.csv": b"a", "__MACOSX/x": b"b"})
    folder = unpack(archive, tmp_path / "to")
    assert folder.name == "out"
    assert [path.name for path in folder.iterdir()] == ["judgments.csv"]


def test_files_at_the_top_stay_together(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.zip", {"ref/a.png": b"a", "judge/a.npy": b"b"})
    assert {path.name for path in unpack(archive, tmp_path / "to").iterdir()} == {"ref", "judge"}


@pytest.mark.parametrize(
    "name", ["../out.csv", "/etc/out.csv", "a/../../out.csv", "C:/out.csv", "a\\..\\..\\out.csv"]
)
def test_a_path_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    archive = packed(tmp_path / "a.zip", {name: b"x"})
    with pytest.raises(ValueError, match="leads out"):
        unpack(archive, tmp_path / "to" / "deep")
    assert sorted(path.name for path in tmp_path.rglob("*.csv")) == []


def test_a_bomb_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.zip", {f"{n}.csv": bytes(30_000_000) for n in range(4)})
    assert archive.stat().st_size < 200_000
    with pytest.raises(ValueError, match="far more"):
        unpack(archive, tmp_path / "to")
    assert not (tmp_path / "to").exists()


def test_too_many_files_are_refused_before_any_is_written(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.zip", {f"{n}": b"" for n in range(11)})
    with pytest.raises(ValueError, match="Found 11 files"):
        unpack(archive, tmp_path / "to", Limits(n_files=10))
    assert not (tmp_path / "to").exists()


def test_a_link_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ValueError, match="link"):
        unpack(tmp_path / "a.zip", tmp_path / "to")


@pytest.mark.parametrize(
    ("method", "named"), [(zipfile.ZIP_BZIP2, "bzip2"), (zipfile.ZIP_LZMA, "LZMA")]
)
def test_only_what_unpacks_piece_by_piece_is_unpacked(
    tmp_path: Path, method: int, named: str
) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        archive.writestr("a.csv", "x" * 1000)
    with pytest.raises(ValueError, match=f"Found 'a.csv' packed by {named} .* expected Deflate"):
        unpack(tmp_path / "a.zip", tmp_path / "to")
    assert not (tmp_path / "to").exists()


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive, pytest.warns(UserWarning):
        archive.writestr("a.csv", "x")
        archive.writestr("a.csv", "y")
    with pytest.raises(ValueError, match="no readable zip"):
        unpack(tmp_path / "a.zip", tmp_path / "to")


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 no zip", b"a,b,c\n"])
def test_what_is_no_zip_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(ValueError, match="no readable zip"):
        unpack(tmp_path / "a.zip", tmp_path / "to")
