"""Content-addressed files in the store: a folder on a laptop, object storage by configuration."""

import hashlib
import io
import os
import uuid
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, default_storage
from numpy.typing import NDArray
from PIL import Image


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class WholeFiles(FileSystemStorage):
    """A folder of content-addressed files: each whole, or not there at all."""

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """The name is the content's own: whoever wrote it first wrote the same."""
        return name

    def _save(self, name: str, content: "File[bytes]") -> str:
        """A killed process or a full disk leaves no half file under a content's name."""
        path = Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
        try:
            with partial.open("wb") as file:
                for chunk in content.chunks():
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        return name


def store(data: bytes, *, folder: str, extension: str) -> str:
    """Write once under the content's own hash; the second writer of the same bytes finds them."""
    digest = sha256_of(data)
    path = f"{folder}/{digest[:2]}/{digest}.{extension}"
    if default_storage.exists(path):
        return path
    return default_storage.save(path, ContentFile(data))


def read(path: str) -> bytes:
    """Raises ValueError for the empty path of a row whose judgments came without images."""
    if not path:
        raise ValueError(
            "Found a row without pixels: its judgments were imported without their images. "
            "Expected one whose pixels are in the store."
        )
    with default_storage.open(path, "rb") as file:
        return bytes(file.read())


def png_of(image: NDArray[np.uint8], *, compress_level: int = 3) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG", compress_level=compress_level)
    return buffer.getvalue()


def read_pixels(path: str) -> NDArray[np.uint8]:
    """Our own lossless PNG as (height, width, 3) uint8."""
    with Image.open(io.BytesIO(read(path)), formats=["PNG"]) as image:
        return np.asarray(image.convert("RGB"))


def sha256_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_chunks(chunks: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()
