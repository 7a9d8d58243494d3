"""Small copies of photos for the desk's pages: a cache on this machine, filled when asked."""

import io
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from PIL import Image

from codecs_eval import storing
from codecs_eval.models import SourceImage

SIDE_PX = 320


def thumbnail(source: SourceImage) -> bytes:
    """WebP that fits a square of SIDE_PX; never made larger than the photo."""
    return kept(f"{source.sha256}.{SIDE_PX}.webp", lambda: _smaller(storing.read(source.path)))


def kept(name: str, make: Callable[[], bytes]) -> bytes:
    """The small picture of that name, made on first use."""
    path = Path(settings.TRIAD_HOME) / "thumbnails" / name
    if path.is_file():
        return path.read_bytes()
    data = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    # Its own name and one rename: two threads may make the same thumbnail at once.
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, suffix=".partial")
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    Path(temporary).replace(path)
    return data


def _smaller(png: bytes) -> bytes:
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
        small = image.convert("RGB")
        small.thumbnail((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS)
        small.save(buffer, "WEBP", quality=80)
    return buffer.getvalue()
