import io
import os
import stat
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from codecs_eval.codecs import gathering
from codecs_eval.codecs.gathering import Listing, list_folder, open_archive
from codecs_eval.codecs.sniffing import Refused
from tests.codecs_eval.photo_files import zipped

MB = 1_000_000


@contextmanager
def opened(data: bytes, *, file: int = 9 * MB, total: int = 99 * MB) -> Iterator[Listing]:
    with open_archive(
        io.BytesIO(data), "photos.zip", max_file_bytes=file, max_total_bytes=total
    ) as listing:
        yield listing


def refusals(listing: Listing) -> dict[str, str]:
    answer = {}
    for entry in listing.entries:
        try:
            entry.read()
        except Refused as refusal:
            answer[entry.path] = str(refusal)
    return answer


def test_a_zip_gives_its_members_in_order() -> None:
    members = {"b.png": b"bee", "sub/a.png": b"ay", "./c.png": b"sea"}
    with opened(zipped(members)) as listing:
        assert [(each.path, each.read()) for each in listing.entries] == [
            ("b.png", b"bee"),
            ("sub/a.png", b"ay"),
            ("c.png", b"sea"),
        ]


@pytest.mark.parametrize(
    "path",
    [
        "../evil.png",
        "a/../../evil.png",
        "/etc/evil.png",
        "..\\evil.png",
        "\\evil.png",
        "C:/evil.png",
        "c:evil.png",
    ],
)
def test_a_path_that_leads_out_is_refused_by_name(path: str) -> None:
    with opened(zipped({path: b"x", "good.png": b"y"})) as listing:
        found = refusals(listing)
    assert list(found) == [path]
    assert found[path].startswith(f"{path}: found a path that leads out")


def test_litter_and_folders_are_ignored_and_named() -> None:
    names = ["sub/", "__MACOSX/._a.png", ".DS_Store", "sub/Thumbs.db", "desktop.ini"]
    with opened(zipped(dict.fromkeys(names, b""))) as listing:
        assert not listing.entries
        assert [each.path for each in listing.ignored] == names


@pytest.mark.parametrize("name", ["inner.zip", "inner.ZIP", "inner.tar.gz"])
def test_an_archive_in_an_archive_is_refused(name: str) -> None:
    with opened(zipped({name: zipped({"a.png": b"x"})})) as listing:
        assert "an archive inside" in refusals(listing)[name]


def special(mode: int, name: str = "odd.png") -> bytes:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (mode | 0o777) << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(info, "/etc/passwd")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("mode", "found"), [(stat.S_IFLNK, "a symbolic link"), (stat.S_IFIFO, "a special file")]
)
def test_a_link_or_a_pipe_is_refused(mode: int, found: str) -> None:
    with opened(special(mode)) as listing:
        assert found in refusals(listing)["odd.png"]


def test_an_encrypted_member_is_refused() -> None:
    data = bytearray(zipped({"a.png": b"x"}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    with opened(bytes(data)) as listing:
        assert "found an encrypted member" in refusals(listing)["a.png"]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_method_that_unpacks_without_bound_is_refused(method: int) -> None:
    with opened(zipped({"a.png": bytes(50 * MB)}, method)) as listing:
        assert "compression method" in refusals(listing)["a.png"]


def test_a_member_over_the_limit_stops_while_it_is_read() -> None:
    with opened(zipped({"a.png": os.urandom(3 * MB), "b.png": b"x"}), file=2 * MB) as listing:
        assert "more than 2,000,000 bytes" in refusals(listing)["a.png"]
        assert "b.png" not in refusals(listing)


def test_a_member_that_packs_too_well_is_a_bomb() -> None:
    with opened(zipped({"a.png": bytes(8 * MB)})) as listing:
        assert "over 100 times its size" in refusals(listing)["a.png"]


def test_the_members_share_one_total() -> None:
    members = {f"{i}.png": os.urandom(MB) for i in range(5)}
    with opened(zipped(members), total=3 * MB + 5) as listing:
        assert list(refusals(listing)) == ["3.png", "4.png"]


def test_a_header_that_lies_about_the_size_is_found_out() -> None:
    content = os.urandom(4000)
    data = bytearray(zipped({"a.png": content}))
    at = data.index(b"PK\x01\x02")
    struct.pack_into("<I", data, at + 24, 10)
    with opened(bytes(data)) as listing:
        assert "a damaged archive member" in refusals(listing)["a.png"]


def test_a_damaged_member_does_not_stop_the_others() -> None:
    data = bytearray(zipped({"a.png": os.urandom(4000), "b.png": b"x"}, zipfile.ZIP_STORED))
    data[2000] ^= 0xFF
    with opened(bytes(data)) as listing:
        assert list(refusals(listing)) == ["a.png"]


@pytest.mark.parametrize(
    "data",
    [b"", b"no zip", zipped({"a.png": b"x"})[:-30], zipped({"a.png": b"x"})[:40]],
    ids=["empty", "text", "without its end", "its begin alone"],
)
def test_what_is_no_zip_is_refused(data: bytes) -> None:
    with pytest.raises(Refused, match="photos.zip: found no readable zip"), opened(data):
        pass


def test_a_name_that_is_no_text_is_refused() -> None:
    data = zipped({"é.png": b"x"}).replace("é".encode(), b"\xff\xff")
    with pytest.raises(Refused, match="no readable zip"), opened(data):
        pass


def test_a_crowd_is_refused_before_it_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "MAX_ARCHIVE_MEMBERS", 30)
    crowd = zipped({f"{i}.png": b"" for i in range(31)})
    with pytest.raises(Refused, match="about 31 members, expected at most 30"), opened(crowd):
        pass


def test_signatures_over_the_edge_of_a_chunk_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "MAX_ARCHIVE_MEMBERS", 30)
    monkeypatch.setattr(gathering, "_CHUNK_BYTES", 5)
    crowd = zipped({f"{i}.png": b"" for i in range(31)})
    with pytest.raises(Refused, match="about 31 members"), opened(crowd):
        pass


def test_names_are_safe_to_show() -> None:
    with opened(zipped({"a\x1b[2J\nb.png": b"x"})) as listing:
        assert [each.path for each in listing.entries] == ["a?[2J?b.png"]


def test_a_folder_is_listed_with_its_subfolders_in_order(tmp_path: Path) -> None:
    for name in ("b.png", "a.png", "sub/deep/c.png", "sub/a.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    listing = list_folder(tmp_path, max_file_bytes=MB)
    assert [each.path for each in listing.entries] == [
        "a.png",
        "b.png",
        "sub/a.png",
        "sub/deep/c.png",
    ]
    assert [each.read() for each in listing.entries] == [
        each.path.encode() for each in listing.entries
    ]


def test_a_folder_s_litter_and_links_are_ignored_and_named(tmp_path: Path) -> None:
    (tmp_path / ".DS_Store").touch()
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "a.png").touch()
    (tmp_path / "again").symlink_to(tmp_path)
    listing = list_folder(tmp_path, max_file_bytes=MB)
    assert not listing.entries
    assert {each.path for each in listing.ignored} == {".DS_Store", ".git", "again"}


def test_what_cannot_be_read_in_a_folder_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "large.png").write_bytes(bytes(MB + 1))
    (tmp_path / "more.zip").write_bytes(zipped({"a.png": b"x"}))
    found = refusals(list_folder(tmp_path, max_file_bytes=MB))
    assert "no regular file" in found["pipe.png"]
    assert "no regular file" in found["gone.png"]
    assert "more than 1,000,000 bytes" in found["large.png"]
    assert "an archive inside a folder" in found["more.zip"]
