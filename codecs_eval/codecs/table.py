"""The table of codecs: name, label, how it is drawn; the code behind a row loads on first use."""

from dataclasses import dataclass
from importlib import import_module
from typing import cast

from codecs_eval.codecs.codec import Codec, Probe


@dataclass(frozen=True)
class CodecEntry:
    """One row: `path` is the dotted path of the codec object, `colour` is from Okabe and Ito."""

    name: str
    label: str
    path: str
    colour: str
    marker: str
    note: str


def _here(path: str) -> str:
    return f"codecs_eval.codecs.{path}"


CODECS: dict[str, CodecEntry] = {
    "jpeg": CodecEntry(
        "jpeg", "JPEG", _here("pillow.JPEG"), "#000000", "o",
        "libjpeg-turbo, 4:2:0, optimised, progressive; the quality is a float",
    ),
    "webp": CodecEntry(
        "webp", "WebP", _here("pillow.WEBP"), "#E69F00", "s",
        "libwebp, lossy, method 6",
    ),
    "jpeg2000": CodecEntry(
        "jpeg2000", "JPEG 2000", _here("pillow.JPEG2000"), "#56B4E9", "^",
        "OpenJPEG, irreversible 9/7 wavelet, bare code stream",
    ),
    "avif": CodecEntry(
        "avif", "AVIF", _here("pillow.AVIF"), "#009E73", "D",
        "libaom by libavif, 4:2:0, speed 6, tune iq, one thread",
    ),
    "jpegxl": CodecEntry(
        "jpegxl", "JPEG XL", _here("jpegxl.JPEGXL"), "#F0E442", "v",
        "libjxl, lossy, effort 7",
    ),
    "hevc": CodecEntry(
        "hevc", "HEVC intra", _here("ffmpeg.HEVC"), "#0072B2", "P",
        "x265 slow, 4:4:4; BPG's codec without BPG's header",
    ),
    "vvc": CodecEntry(
        "vvc", "VVC intra", _here("ffmpeg.VVC"), "#D55E00", "X",
        "vvenc fast, 4:2:0, 10 bit",
    ),
    "bpg": CodecEntry(
        "bpg", "BPG", _here("bpg.BPG"), "#CC79A7", "*",
        "bpgenc and bpgdec, where they are installed",
    ),
}  # fmt: skip


def load_codec(name: str) -> Codec:
    """The codec object of a row, imported now."""
    if name not in CODECS:
        raise ValueError(f"unknown codec {name!r}; expected one of {', '.join(CODECS)}")
    module, _, attribute = CODECS[name].path.rpartition(".")
    return cast(Codec, getattr(import_module(module), attribute))


def probe_all() -> list[Probe]:
    """Every row of the table, with its version or the reason why it is missing."""
    return [load_codec(name).probe() for name in CODECS]


def found(name: str, version: str) -> Probe:
    """The answer of a codec that can be used."""
    return Probe(name, CODECS[name].label, True, version, "")


def missing(name: str, reason: str) -> Probe:
    """The answer of a codec that cannot be used here."""
    return Probe(name, CODECS[name].label, False, "", reason)
