"""Where an export's files go: a folder or one zip, each file hashed while it is written."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol, cast

# Compressed already: packing them again costs time and gains nothing.
_PACKED = {".png", ".parquet"}


@dataclass(frozen=True)
class Member:
    """One file of an export, by its path inside."""

    name: str
    n_bytes: int
    sha256: str


class _Hashed:
    """A binary file that knows what went through it; never closes what it writes to."""

    closed = False

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._sha = file, hashlib.sha256()
        self.n_bytes = 0

    def write(self, data: bytes) -> int:
        self._sha.update(data)
        self._file.write(data)
        # Parquet hands over Arrow buffers, whose length is counted as bytes of a view.
        self.n_bytes += memoryview(data).nbytes
        return memoryview(data).nbytes

    def tell(self) -> int:
        return self.n_bytes

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def flush(self) -> None:
        return None

    def close(self) -> None:
        return None

    @property
    def sha256(self) -> str:
        return self._sha.hexdigest()


class Bundle(Protocol):
    """`inside` is the folder that everything stands in, in a zip as well."""

    inside: str
    members: list[Member]

    @contextmanager
    def file(self, name: str) -> Iterator[IO[bytes]]: ...

    def add(self, name: str, data: bytes) -> None: ...


class _Bundle:
    def __init__(self, inside: str) -> None:
        self.inside = inside
        self.members: list[Member] = []

    @contextmanager
    def _open(self, name: str) -> Iterator[IO[bytes]]:
        raise NotImplementedError
        yield

    @contextmanager
    def file(self, name: str) -> Iterator[IO[bytes]]:
        with self._open(name) as opened:
            hashed = _Hashed(opened)
            yield cast("IO[bytes]", hashed)
        self.members.append(Member(name, hashed.n_bytes, hashed.sha256))

    def add(self, name: str, data: bytes) -> None:
        with self.file(name) as file:
            file.write(data)


class FolderBundle(_Bundle):
    """Files below `folder`, which must not hold anything yet."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder.name)
        if folder.is_dir() and any(folder.iterdir()):
            raise ValueError(f"{folder} holds files already; expected a new or an empty folder.")
        if folder.exists() and not folder.is_dir():
            raise ValueError(f"{folder} is a file; expected a new or an empty folder.")
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def _open(self, name: str) -> Iterator[IO[bytes]]:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            yield file


class ZipBundle(_Bundle):
    """Files below one folder of a zip, without a date: the same files give the same zip."""

    def __init__(self, archive: zipfile.ZipFile, inside: str) -> None:
        super().__init__(inside)
        self._archive = archive

    @contextmanager
    def _open(self, name: str) -> Iterator[IO[bytes]]:
        is_packed = Path(name).suffix in _PACKED
        self._archive.compression = zipfile.ZIP_STORED if is_packed else zipfile.ZIP_DEFLATED
        with self._archive.open(f"{self.inside}/{name}", "w", force_zip64=True) as file:
            yield file


@contextmanager
def folder_bundle(folder: Path) -> Iterator[FolderBundle]:
    """A new folder, there as a whole or not at all."""
    bundle = FolderBundle(folder)
    try:
        yield bundle
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


@contextmanager
def zip_bundle(path: Path, inside: str) -> Iterator[ZipBundle]:
    """A new zip at `path`, there as a whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        with zipfile.ZipFile(partial, "w", compresslevel=1) as archive:
            yield ZipBundle(archive, inside)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
