"""A frozen folder as one zip, made while it is sent: memory stays at one chunk."""

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

CHUNK_BYTES = 1 << 20
# One date for all: the same folder gives the same zip, byte for byte.
DATE = (1980, 1, 1, 0, 0, 0)


class _Pending(io.RawIOBase):
    """What zipfile has written and nobody has sent yet."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._pending += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self._pending)
        self._pending.clear()
        return taken


def stream_zip(
    folder: Path,
    names: Sequence[str],
    *,
    inside: str,
    besides: Mapping[str, bytes] | None = None,
) -> Iterator[bytes]:
    """Bytes of a zip of `names` (relative to `folder`) below one folder called `inside`.

    `besides`: files that are not in the folder, by their names. Stored, not deflated: PNG and
    Parquet are compressed already.
    """
    pending = _Pending()
    with zipfile.ZipFile(pending, "w", zipfile.ZIP_STORED) as archive:
        for name, data in (besides or {}).items():
            archive.writestr(zipfile.ZipInfo(f"{inside}/{name}", DATE), data)
        for name in names:
            path = folder / name
            info = zipfile.ZipInfo(f"{inside}/{name}", DATE)
            info.file_size = path.stat().st_size
            with path.open("rb") as file, archive.open(info, "w") as entry:
                while chunk := file.read(CHUNK_BYTES):
                    entry.write(chunk)
                    yield pending.take()
            yield pending.take()
    yield pending.take()
