"""Pictures of an outside layout: each file decoded once, kept as PNG under its hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from codecs_eval.agreement.pixels import decode_rgb, encode_png, pixels_sha256

# Pillow's format by file extension: a file that is not what its name says is refused.
FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".avif": "AVIF",
    ".jp2": "JPEG2000",
    ".j2k": "JPEG2000",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
# The size of such a file tells of the lossless container, not of the codec whose output it holds.
_CONTAINERS = frozenset({".png", ".tif", ".tiff"})


@dataclass(frozen=True)
class ImageFile:
    """`sha`: of the PNG that is kept; `bpp`: of the file itself, None for a lossless container."""

    sha: str
    pixels_sha256: str
    width: int
    height: int
    bpp: float | None


class ImageFiles:
    """The pictures below `root`; `kept` has the PNG of each by its sha256."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.kept: dict[str, bytes] = {}
        self._files: dict[Path, ImageFile] = {}

    def read(self, path: Path) -> ImageFile:
        """Raises ValueError naming the file for what is no picture of its ending's format."""
        if path not in self._files:
            extension = path.suffix.lower()
            where = str(path.relative_to(self.root))
            if extension not in FORMATS:
                raise ValueError(f"{where}: extension {extension!r}, expected one of {[*FORMATS]}")
            data = path.read_bytes()
            image = decode_rgb(data, (FORMATS[extension],), where)
            height, width = image.shape[:2]
            png = encode_png(image)
            sha = hashlib.sha256(png).hexdigest()
            self.kept[sha] = png
            bpp = None if extension in _CONTAINERS else 8 * len(data) / (width * height)
            self._files[path] = ImageFile(sha, pixels_sha256(image), width, height, bpp)
        return self._files[path]


def refuse_other_size(copy: ImageFile, original: ImageFile, name: str) -> None:
    if (copy.width, copy.height) != (original.width, original.height):
        raise ValueError(
            f"{name} is {copy.width}x{copy.height}, its original {original.width}x{original.height}"
        )
