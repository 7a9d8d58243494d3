"""Bytes of image files as tests need them: real ones, and what attackers make of them."""

import io
import struct
import zipfile
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

# Linear light of the primaries over XYZ (D50), columns red, green, blue (Lindbloom).
ADOBE_RGB_TO_XYZ = np.array(
    [
        [0.6097559, 0.2052401, 0.1492240],
        [0.3111242, 0.6256560, 0.0632197],
        [0.0194811, 0.0608902, 0.7448387],
    ]
)
SRGB_TO_XYZ = np.array(
    [
        [0.4360747, 0.3850649, 0.1430804],
        [0.2225045, 0.7168786, 0.0606169],
        [0.0139322, 0.0971045, 0.7141733],
    ]
)


def noise(seed: int = 0, *, height: int = 70, width: int = 90) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def smooth(*, height: int = 70, width: int = 90) -> Pixels:
    red, green = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return np.stack([red, green, 255 - red], axis=-1).astype(np.uint8)


def saved(image: NDArray[Any] | Image.Image, format: str = "PNG", **options: Any) -> bytes:
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    buffer = io.BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def exif(**tags: int) -> Image.Exif:
    answer = Image.Exif()
    answer[0x0112] = tags["orientation"]
    return answer


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def with_png_chunk(png: bytes, kind: bytes, content: bytes) -> bytes:
    """`png` with one more chunk, right after its header."""
    return png[:33] + png_chunk(kind, content) + png[33:]


def png_bomb(width: int, height: int) -> bytes:
    """A valid PNG of one colour: few bytes, many pixels."""
    squeeze = zlib.compressobj(1)
    rows = [squeeze.compress(bytes(1 + 3 * width)) for _ in range(height)]
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", b"".join(rows) + squeeze.flush())
        + png_chunk(b"IEND", b"")
    )


def rgb_profile(name: str, to_xyz: NDArray[np.float64], gamma: float) -> bytes:
    """An ICC profile (version 2.1, matrix and one gamma): the pixels' colours are other ones."""
    columns = {f"{c}XYZ": _xyz(to_xyz[:, i]) for i, c in enumerate("rgb")}
    curves = {f"{c}TRC": _gamma(gamma) for c in "rgb"}
    return _profile(b"RGB ", {"desc": _text(name), "wtpt": _white(), **columns, **curves})


def grey_profile(name: str, gamma: float) -> bytes:
    return _profile(b"GRAY", {"desc": _text(name), "wtpt": _white(), "kTRC": _gamma(gamma)})


def _profile(space: bytes, tags: dict[str, bytes]) -> bytes:
    table, body = b"", b""
    start = 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        table += name.encode() + struct.pack(">II", start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    header = struct.pack(">I4sI4s4s4s", start + len(body), b"", 0x02100000, b"mntr", space, b"XYZ ")
    header += bytes(12) + b"acsp" + bytes(28) + struct.pack(">iii", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def _xyz(values: NDArray[np.float64]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">iii", *(round(each * 65536) for each in values))


def _white() -> bytes:
    return _xyz(np.array([0.9642, 1.0, 0.8249]))


def _gamma(gamma: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)


def _text(text: str) -> bytes:
    ascii_text = text.encode() + b"\0"
    return b"desc" + bytes(4) + struct.pack(">I", len(ascii_text)) + ascii_text + bytes(78)


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()
