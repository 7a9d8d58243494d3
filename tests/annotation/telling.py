"""A study whose every secret is a word of its own, and what of it no annotator may receive."""

import re
import struct
import zlib
from typing import Any

import numpy as np
from django.core.signing import b64_decode
from django.db.models import F

from annotation.models import Study, Triplet
from codecs_eval.codecs.table import CODECS
from tests.factories import Image, make_picture, make_reconstruction, make_source, make_study

RATES_BPP = (0.2371, 1.0937)
CODEC_NAMES = ("jpeg", "webp", "hevc")
# Numbers of rows, each so long that it is found in a text only where it was put.
FIRST_SOURCE, FIRST_RECONSTRUCTION, FIRST_TRIPLET = 8_310_000_001, 8_520_000_001, 8_740_000_001
BYTES = 918_273_000
# A check is told from another trial by nothing: these words are the server's own.
KINDS = ("sentinel", "identical", "is_repeat", "is_warm_up", '"expected":', "first_on_left")

# Django's own random values (session, CSRF): letters by chance, among them any codec's four.
RANDOM = re.compile(r"\b(?=[0-9A-Za-z]*[G-Zg-z])[0-9A-Za-z]{32}(?:[0-9A-Za-z]{32})?\b")

# What Django signs: a payload, its time, its signature. Only the payload can tell anything.
SIGNED = re.compile(r"([0-9A-Za-z_.-]+):[0-9A-Za-z]{6}:[0-9A-Za-z_-]{43}(?![0-9A-Za-z_-])")


def make_telling_study(**values: Any) -> Study:
    """Three photos that compress very unequally; practice, warm-up, and all kinds of checks."""
    pictures = [
        make_picture(1, width=96, height=80),
        np.zeros((80, 96, 3), dtype=np.uint8),
        np.full((80, 96, 3), 128, dtype=np.uint8),
    ]
    number = 0
    for index, pixels in enumerate(pictures):
        name = f"hiddenphoto-{index}"
        source = make_source("cellarphotos", name, pixels=pixels, id=FIRST_SOURCE + index)
        for codec in CODEC_NAMES:
            for rate_bpp in RATES_BPP:
                make_reconstruction(
                    source,
                    codec,
                    rate_bpp,
                    pixels=_like(pixels, number % 6),
                    id=FIRST_RECONSTRUCTION + number,
                    bpp=rate_bpp + 1.3e-6 * (1 + number),
                    bitstream_bytes=BYTES + number,
                    codec_version=f"{codec}-tellalib 9.8.7",
                    settings={"tellingdial": 4_711_081_500},
                    bitstream_path=f"bitstreams/{codec}/{index}-{rate_bpp}.{codec}",
                )
                number += 1
    study = make_study(
        **{
            "slug": "which",
            "collection": "cellarphotos",
            "codecs": CODEC_NAMES,
            "rates_bpp": RATES_BPP,
            "session_length": 20,
            "crop_px": 64,
            "n_practice": 2,
            "n_warm_up": 1,
            "sentinel_share": 0.1,
            "repeat_share": 0.1,
            "identical_share": 0.1,
            **values,
        }
    )
    study.triplets.update(id=F("id") + FIRST_TRIPLET)
    assert set(study.triplets.values_list("kind", flat=True)) == set(Triplet.Kind.values)
    return study


def _like(pixels: Image, offset: int) -> Image:
    return np.clip(pixels.astype(int) + 1 + offset, 0, 255).astype(np.uint8)


def secrets_of(study: Study) -> set[str]:
    """Lower-case words that no browser of an annotator may receive."""
    found = {"tellalib", "tellingdial", "4711081500", "cellarphotos", "hiddenphoto", *KINDS}
    for name, entry in CODECS.items():
        found |= {name.lower(), entry.label.lower()}
    for triplet in study.triplets.select_related("source", "first", "second"):
        found.add(str(triplet.pk))
        for row in (triplet.source, triplet.first, triplet.second):
            stem = row.path.rpartition("/")[2].split(".")[0]
            found |= {str(row.pk), row.path.lower(), stem}
        for side in (triplet.first, triplet.second):
            found |= {side.pixels_sha256, side.bitstream_sha256, side.bitstream_path.lower()}
            found |= {str(side.target_bpp), f"{side.bpp:.6f}", str(side.bitstream_bytes)}
    return found


def told_in(text: str, secrets: set[str]) -> set[str]:
    seen = RANDOM.sub("", SIGNED.sub(_payload, text)).lower()
    return {secret for secret in secrets if secret in seen}


def _payload(signed: re.Match[str]) -> str:
    """What was signed, in the clear: base64 has any codec's three letters by chance."""
    try:
        return b64_decode(signed[1].encode()).decode()
    except ValueError:
        return signed[1]


def beside_pixels(png: bytes) -> str:
    """All that a PNG carries except the numbers of its pixels; refuses one that hides more there.

    Its rows must be unfiltered and uncompressed: else their bytes would tell of smoothness.
    """
    text, at, data = "", 8, b""
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        name, content = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        text += name.decode() + " "
        if name == b"IDAT":
            data += content
        else:
            text += content.decode("latin-1")
        at += 12 + length
    width, height = struct.unpack(">II", png[16:24])
    rows = np.frombuffer(zlib.decompress(data), dtype=np.uint8).reshape(height, 1 + 3 * width)
    assert not rows[:, 0].any(), "a row is filtered"
    assert data == zlib.compress(rows, level=0), "the rows are compressed"
    return text
