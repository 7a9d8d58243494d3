"""JPEG XL by libjxl, through imagecodecs (BSD; Pillow's own plug-in is GPL)."""

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from codecs_eval.codecs.codec import (
    Dial,
    Image,
    Probe,
    Settings,
    checked_decoded,
    checked_image,
    complete_settings,
)
from codecs_eval.codecs.table import found, missing


@cache
def _imagecodecs() -> Any:
    return import_module("imagecodecs")


class JpegXl:
    """libjxl. Distance: 1 is about visually lossless. From 20 on libjxl codes half the pixels,
    at a higher rate and error than 19.99; so the dial ends there, and the busiest photos cannot
    be had at 0.23 bpp."""

    name, extension = "jpegxl", "jxl"
    sides_px = (1, 65535)
    defaults = {"distance": 1.0, "effort": 7, "threads": 1}
    dials = (
        Dial(
            "distance",
            tuple(float(f"{value:.4g}") for value in np.geomspace(19.99, 0.05, 1200)),
            (
                (19.99, 0.158),
                (15, 0.193),
                (10, 0.287),
                (7, 0.393),
                (5, 0.51),
                (3.5, 0.7),
                (2.5, 0.94),
                (1.7, 1.31),
                (1, 1.97),
                (0.5, 3.1),
                (0.2, 5.1),
                (0.05, 9.4),
            ),  # fmt: skip
        ),
    )

    @property
    def version(self) -> str:
        imagecodecs = _imagecodecs()
        return f"imagecodecs {imagecodecs.__version__}, {imagecodecs.jpegxl_version()}"

    def probe(self) -> Probe:
        if find_spec("imagecodecs") is None:
            return missing(self.name, "the Python package imagecodecs is not installed")
        if not _imagecodecs().JPEGXL.available:
            return missing(self.name, "imagecodecs was built without libjxl")
        return found(self.name, self.version)

    def encode(self, image: Image, settings: Settings) -> bytes:
        pixels = checked_image(image, self.name, self.sides_px)
        complete = complete_settings(self, settings)
        return bytes(
            _imagecodecs().jpegxl_encode(
                pixels,
                distance=float(complete["distance"]),
                effort=int(complete["effort"]),
                numthreads=int(complete["threads"]),
            )
        )

    def decode(self, data: bytes) -> Image:
        imagecodecs = _imagecodecs()
        try:
            pixels = imagecodecs.jpegxl_decode(data, numthreads=1)
        except imagecodecs.JpegxlError as error:
            raise ValueError(f"{self.name}: not a whole stream: {error}") from error
        return checked_decoded(pixels, self.name)


JPEGXL = JpegXl()
