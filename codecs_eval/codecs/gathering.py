"""A folder or a zip of unknown origin -> its files, one at a time; what is hostile is refused."""

import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from codecs_eval.codecs.sniffing import Refused

MAX_ARCHIVE_MEMBERS = 20_000
MAX_RATIO = 100
_CHUNK_BYTES = 1 << 20
_DIRECTORY_ENTRY = b"PK\x01\x02"
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_LITTER = {"thumbs.db", "desktop.ini", "__macosx", "@eadir"}
# What zipfile lets out on damaged or hostile archives.
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError)
_ARCHIVE_ENDINGS = {".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".bz2", ".xz"}


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True)
class Entry:
    """One file on offer: its path inside the folder or archive; `read` gives its bytes or
    raises Refused."""

    path: str
    read: Callable[[], bytes]


@dataclass(frozen=True)
class Ignored:
    path: str
    reason: str


@dataclass(frozen=True)
class Listing:
    entries: tuple[Entry, ...]
    ignored: tuple[Ignored, ...]


def list_folder(folder: Path, *, max_file_bytes: int) -> Listing:
    """Every file under `folder` in the order of names; links to folders are not followed."""
    entries: list[Entry] = []
    ignored: list[Ignored] = []
    for root, folders, files in os.walk(folder):
        for name in sorted(folders):
            path = Path(root, name)
            shown = printable(path.relative_to(folder).as_posix())
            if is_litter(name):
                ignored.append(Ignored(shown, "a hidden or system folder"))
            elif path.is_symlink():
                ignored.append(Ignored(shown, "a link to a folder, not followed"))
        folders[:] = sorted(each for each in folders if not is_litter(each))
        for name in sorted(files):
            path = Path(root, name)
            shown = printable(path.relative_to(folder).as_posix())
            if is_litter(name):
                ignored.append(Ignored(shown, "a hidden or system file"))
            else:
                entries.append(Entry(shown, _file_reader(path, shown, max_file_bytes)))
    return Listing(tuple(entries), tuple(ignored))


def _file_reader(path: Path, shown: str, max_file_bytes: int) -> Callable[[], bytes]:
    def read() -> bytes:
        refuse_archive(shown)
        try:
            # A pipe or a device would block the open itself.
            if not path.is_file():
                raise Refused(f"{shown}: found no regular file, expected a picture; remove it.")
            with path.open("rb") as file:
                return read_bounded(file, shown, max_file_bytes)
        except OSError as error:
            raise Refused(
                f"{shown}: cannot be read ({error.strerror}), expected a readable file; mend its "
                "permissions."
            ) from error

    return read


def refuse_archive(shown: str) -> None:
    if PurePosixPath(shown).suffix.lower() in _ARCHIVE_ENDINGS:
        raise Refused(
            f"{shown}: found an archive inside a folder or archive, expected a picture; unpack it "
            "or import it on its own."
        )


def read_bounded(file: Readable, shown: str, max_file_bytes: int) -> bytes:
    data = file.read(max_file_bytes + 1)
    if len(data) > max_file_bytes:
        raise Refused(
            f"{shown}: found more than {max_file_bytes:,} bytes, expected at most that; shrink it."
        )
    return data


@contextmanager
def open_archive(
    file: BinaryIO, shown: str, *, max_file_bytes: int, max_total_bytes: int
) -> Iterator[Listing]:
    """The members of a zip; what they declare of themselves is believed nowhere.

    Raises Refused for what is no zip or has too many members; single members refuse themselves
    when read: paths that leave the archive, links, encryption, archives, too large, too dense.
    """
    _refuse_crowd(file, shown)
    try:
        archive = zipfile.ZipFile(file)
    except (*_BROKEN, ValueError) as error:
        raise Refused(
            f"{shown}: found no readable zip archive ({error}), expected one as its ending says; "
            "pack it again."
        ) from error
    with archive:
        yield _listing(_Members(archive, max_file_bytes, max_total_bytes))


def _refuse_crowd(file: BinaryIO, shown: str) -> None:
    """Entries are counted in the bytes: zipfile would first build a row for each in memory."""
    file.seek(0)
    n_members, tail = 0, b""
    while chunk := file.read(_CHUNK_BYTES):
        n_members += (tail + chunk).count(_DIRECTORY_ENTRY)
        tail = chunk[-len(_DIRECTORY_ENTRY) + 1 :]
    file.seek(0)
    if n_members > MAX_ARCHIVE_MEMBERS:
        raise Refused(
            f"{shown}: found about {n_members:,} members, expected at most "
            f"{MAX_ARCHIVE_MEMBERS:,}; import it in parts."
        )


def _listing(members: "_Members") -> Listing:
    entries: list[Entry] = []
    ignored: list[Ignored] = []
    for info in members.archive.infolist():
        path = info.filename.removeprefix("./")
        shown = printable(path)
        parts = re.split(r"[/\\]", path.rstrip("/"))
        is_hostile = ".." in parts
        if any(is_litter(part) for part in parts) and not is_hostile:
            ignored.append(Ignored(shown, "a hidden or system file"))
        elif info.is_dir() and not is_hostile:
            ignored.append(Ignored(shown, "a folder"))
        else:
            entries.append(Entry(shown, members.reader(info, shown)))
    return Listing(tuple(entries), tuple(ignored))


class _Members:
    """An open archive and what is left of the bytes that it may unpack to."""

    def __init__(self, archive: zipfile.ZipFile, max_file_bytes: int, max_total_bytes: int) -> None:
        self.archive = archive
        self.max_file_bytes = max_file_bytes
        self.max_total_bytes = max_total_bytes
        self.left_bytes = max_total_bytes

    def reader(self, info: zipfile.ZipInfo, shown: str) -> Callable[[], bytes]:
        def read() -> bytes:
            _refuse_member(info, shown)
            try:
                return self._unpacked(info, shown)
            except _BROKEN as error:
                raise Refused(
                    f"{shown}: found a damaged archive member ({error}), expected a whole one; "
                    "pack it again."
                ) from error

        return read

    def _unpacked(self, info: zipfile.ZipInfo, shown: str) -> bytes:
        data = bytearray()
        with self.archive.open(info) as member:
            while chunk := member.read(_CHUNK_BYTES):
                data += chunk
                self.left_bytes -= len(chunk)
                self._refuse_bomb(len(data), info, shown)
        return bytes(data)

    def _refuse_bomb(self, n_bytes: int, info: zipfile.ZipInfo, shown: str) -> None:
        if n_bytes > self.max_file_bytes:
            raise Refused(
                f"{shown}: unpacks to more than {self.max_file_bytes:,} bytes, expected at most "
                "that; shrink it."
            )
        if n_bytes > _CHUNK_BYTES and n_bytes > MAX_RATIO * info.compress_size:
            raise Refused(
                f"{shown}: unpacks to over {MAX_RATIO} times its size, expected a photograph, "
                "which packs far less; import the file without the archive."
            )
        if self.left_bytes < 0:
            raise Refused(
                f"{shown}: the archive unpacks to more than {self.max_total_bytes:,} bytes, "
                "expected at most that; import it in parts."
            )


def _refuse_member(info: zipfile.ZipInfo, shown: str) -> None:
    name = info.orig_filename
    # Both slashes and drive letters: the archive may come from any system.
    if ".." in re.split(r"[/\\]", name) or re.match(r"[/\\]|[A-Za-z]:", name) or "\0" in name:
        raise Refused(
            f"{shown}: found a path that leads out of the archive, expected one inside it; pack "
            "the photos again."
        )
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in {0, stat.S_IFREG}:
        found = "a symbolic link" if kind == stat.S_IFLNK else "a special file"
        raise Refused(f"{shown}: found {found}, expected a picture; pack the file itself.")
    if info.flag_bits & 0x1:
        raise Refused(
            f"{shown}: found an encrypted member, expected an open one; pack it without a password."
        )
    if info.compress_type not in _METHODS:
        # bzip2 and LZMA unpack a chunk without a bound on what comes out.
        raise Refused(
            f"{shown}: found compression method {info.compress_type}, expected stored or deflate; "
            "pack it again as a plain zip."
        )
    refuse_archive(shown)


def is_litter(name: str) -> bool:
    """What file managers leave behind: hidden files, thumbnails, resource forks."""
    return name.startswith(".") or name.lower() in _LITTER


def printable(path: str) -> str:
    """Safe to show: no control characters, no bytes that were no text."""
    return "".join(each if each.isprintable() else "?" for each in path)
