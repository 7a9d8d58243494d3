"""One uncompressed frame as YUV4MPEG2, which carries its own size to and from ffmpeg."""

from collections.abc import Sequence

import numpy as np

from codecs_eval.codecs.colour import Plane

# Colour space tag: bits a sample, sides of a chroma plane as a fraction of luma's.
_TAGS = {"444": (8, 1), "444p10": (10, 1), "420p10": (10, 2)}


def write_frame(planes: Sequence[Plane], tag: str) -> bytes:
    """The file of one full-range frame."""
    bits, _ = _TAGS[tag]
    height, width = planes[0].shape
    header = f"YUV4MPEG2 W{width} H{height} F25:1 Ip A1:1 C{tag} XCOLORRANGE=FULL\nFRAME\n"
    sample = np.dtype("u1") if bits == 8 else np.dtype("<u2")
    return header.encode() + b"".join(plane.astype(sample).tobytes() for plane in planes)


def read_frame(data: bytes, tag: str) -> list[Plane]:
    """The planes of a file's first frame; ValueError if it is cut short or of another kind."""
    bits, fraction = _TAGS[tag]
    first, _, rest = data.partition(b"\n")
    fields = first.decode("ascii", "replace").split(" ")
    sizes = {field[0]: field[1:] for field in fields[1:] if field}
    if fields[0] != "YUV4MPEG2" or sizes.get("C") != tag:
        raise ValueError(f"expected a YUV4MPEG2 frame of kind {tag}, found {first[:80]!r}")
    width, height = int(sizes["W"]), int(sizes["H"])
    small = (-(-height // fraction), -(-width // fraction))
    frame, sample = rest.partition(b"\n")[2], np.dtype("u1" if bits == 8 else "<u2")
    samples = np.frombuffer(frame[: len(frame) // sample.itemsize * sample.itemsize], sample)
    planes: list[Plane] = []
    for rows, columns in ((height, width), small, small):
        if len(samples) < rows * columns:
            raise ValueError(f"expected a whole {width}x{height} frame, found it cut short")
        planes.append(samples[: rows * columns].reshape(rows, columns).astype(np.uint16))
        samples = samples[rows * columns :]
    return planes
