"""A zip of unknown origin -> files in a folder of our own; what is hostile is refused whole."""

import shutil
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

_CHUNK_BYTES = 1 << 20
_DIRECTORY_ENTRY = b"PK\x01\x02"
_BROKEN = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, NotImplementedError,
    ValueError,
)  # fmt: skip
# zipfile bounds what it unpacks at once for these alone; a MiB of bzip2 or LZMA comes out whole.
_BOUNDED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_METHODS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "XZ"}
_LITTER = ("__MACOSX/", ".DS_Store", "Thumbs.db")


@dataclass(frozen=True)
class Limits:
    """What an archive may unpack to; what it declares of itself is believed nowhere."""

    n_files: int = 400_000
    total_bytes: int = 8_000_000_000
    # Of the whole: an honest table of text packs to a hundredth, a bomb to a thousandth.
    ratio: int = 200


def unpack(archive: Path, folder: Path, limits: Limits | None = None) -> Path:
    """Every file of a zip below `folder`; the one folder that holds all of them, or `folder`.

    Raises ValueError, leaving nothing behind, for what is no zip, has too many members or unpacks
    to too much, and for members that are links, encrypted, packed by anything but Deflate, or lead
    out of the folder.
    """
    allowed = limits or Limits()
    _refuse_crowd(archive, allowed)
    most = min(allowed.total_bytes, max(50_000_000, archive.stat().st_size * allowed.ratio))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(archive) as opened:
            for member in opened.infolist():
                if not member.is_dir() and not _is_litter(member.filename):
                    most -= _unpack_one(opened, member, folder, most)
    except (*_BROKEN, OSError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, ValueError) and str(error).startswith("Found"):
            raise
        raise ValueError(f"Found no readable zip archive ({error}); pack it again.") from error
    inside = list(folder.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else folder


def _is_litter(name: str) -> bool:
    return any(name.startswith(litter) or name.endswith(f"/{litter}") for litter in _LITTER)


def _refuse_crowd(archive: Path, allowed: Limits) -> None:
    """Entries are counted in the bytes: zipfile would first build a row for each in memory."""
    n_members, tail = 0, b""
    with archive.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            n_members += (tail + chunk).count(_DIRECTORY_ENTRY)
            tail = chunk[-len(_DIRECTORY_ENTRY) + 1 :]
    if n_members > allowed.n_files:
        raise ValueError(
            f"Found {n_members:,} files in the zip; expected {allowed.n_files:,} at most."
        )


def _unpack_one(opened: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path, most: int) -> int:
    """How many bytes it had."""
    path = folder / _inside(member)
    path.parent.mkdir(parents=True, exist_ok=True)
    with opened.open(member) as source, path.open("xb") as target:
        return _copy(source, target, most)


def _inside(member: zipfile.ZipInfo) -> PurePosixPath:
    path = PurePosixPath(member.filename.replace("\\", "/"))
    is_plain = path.parts and not path.is_absolute() and ".." not in path.parts
    if not is_plain or ":" in path.parts[0] or "\0" in member.filename:
        raise ValueError(f"Found {member.filename[:80]!r} in the zip: it leads out of its folder.")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise ValueError(f"Found a link in the zip: {member.filename[:80]!r}; pack its file.")
    if member.flag_bits & 1:
        raise ValueError("Found an encrypted zip; pack it without a password.")
    if member.compress_type not in _BOUNDED:
        method = _METHODS.get(member.compress_type, f"method {member.compress_type}")
        raise ValueError(
            f"Found {member.filename[:80]!r} packed by {method} in the zip; expected Deflate, or "
            "files stored as they are: pack it again as a plain zip."
        )
    return path


def _copy(source: IO[bytes], target: IO[bytes], most: int) -> int:
    n_bytes = 0
    while chunk := source.read(_CHUNK_BYTES):
        n_bytes += len(chunk)
        if n_bytes > most:
            raise ValueError("Found a zip that unpacks to far more than it is; split it.")
        target.write(chunk)
    return n_bytes
