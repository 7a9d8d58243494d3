"""What a file is by its first bytes, whatever its name says; opens and decodes nothing."""

import re
import struct
from pathlib import PurePosixPath

# Pillow's names of the formats that a source may come in, by the endings they are given.
ENDINGS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".avif": "AVIF",
}
ACCEPTED = "PNG, JPEG, WebP, TIFF or AVIF"

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"8BPS", "PSD"),
    (b"%PDF", "PDF"),
    (b"PK\x03\x04", "ZIP archive"),
    (b"PK\x05\x06", "ZIP archive"),
    (b"\x1f\x8b", "GZIP archive"),
)
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"}
_AV1_CONFIG = re.compile(rb"av1C\x81.(.)", re.DOTALL)


class Refused(ValueError):
    """A file that is not taken: its name, what was found, what was expected, how to mend it."""


def kind_of(data: bytes) -> str | None:
    """The format's name (Pillow's where Pillow reads it), None where the bytes tell nothing."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp":
        return _iso_media_kind(data)
    return next((kind for start, kind in _SIGNATURES if data.startswith(start)), None)


def _iso_media_kind(data: bytes) -> str | None:
    length = min(int.from_bytes(data[:4], "big"), 256)
    brands = {data[at : at + 4] for at in range(8, length, 4)}
    if brands & {b"avif", b"avis"}:
        return "AVIF"
    return "HEIC" if brands & _HEIF_BRANDS else None


def ending_of(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def bits_per_channel(data: bytes, kind: str) -> int:
    """8, unless a PNG's or an AVIF's header says more: Pillow would cut those silently.

    PNG: IHDR is the first chunk, its ninth byte the depth. AVIF: the flags of every av1C box
    (AV1 in ISOBMFF 2.3.3), high_bitdepth 0x40 and twelve_bit 0x20.
    """
    if kind == "PNG":
        return max(8, data[24])
    if kind == "AVIF":
        flags = [found[1][0] for found in _AV1_CONFIG.finditer(data)]
        return max([(12 if each & 0x20 else 10) if each & 0x40 else 8 for each in flags] + [8])
    return 8


def coded_colours(data: bytes, kind: str) -> tuple[int, int] | None:
    """(primaries, transfer) by the numbers of ITU-T H.273, where the file states them.

    They stand in a PNG's cICP chunk and in an AVIF's colr box of type nclx.
    """
    if kind == "PNG":
        at = data.find(b"\0\0\0\x04cICP", 0, max(data.find(b"IDAT"), 0))
        return (data[at + 8], data[at + 9]) if at >= 0 else None
    at = data.find(b"colrnclx") if kind == "AVIF" else -1
    if at < 0 or len(data) < at + 12:
        return None
    primaries, transfer = struct.unpack_from(">HH", data, at + 8)
    return int(primaries), int(transfer)


def webp_canvas_px(data: bytes) -> int:
    """Pixels of a WebP's canvas by its header: Pillow would reserve them before it looks."""
    chunk = data[12:16]
    if chunk == b"VP8X" and len(data) >= 30:
        width = int.from_bytes(data[24:27], "little") + 1
        height = int.from_bytes(data[27:30], "little") + 1
    elif chunk == b"VP8L" and len(data) >= 25:
        packed = int.from_bytes(data[21:25], "little")
        width, height = (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    elif chunk == b"VP8 " and len(data) >= 30:
        width = int.from_bytes(data[26:28], "little") & 0x3FFF
        height = int.from_bytes(data[28:30], "little") & 0x3FFF
    else:
        return 0
    return width * height
