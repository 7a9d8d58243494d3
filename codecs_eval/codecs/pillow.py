"""The codecs inside Pillow's wheel: JPEG, WebP, JPEG 2000, AVIF."""

import io
import math
from typing import Any

import numpy as np
import PIL
import PIL.Image
from PIL import AvifImagePlugin, features

from codecs_eval.codecs.codec import (
    Dial,
    Image,
    Probe,
    Setting,
    Settings,
    checked_decoded,
    checked_image,
    complete_settings,
)
from codecs_eval.codecs.quantisation import scaled_tables
from codecs_eval.codecs.table import found, missing

# Pillow has no decoder argument for it. One thread: CPU time is then that of the caller.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1


def _grid(start: float, stop: float, step: float) -> tuple[float, ...]:
    count = round((stop - start) / step) + 1
    return tuple(round(start + index * step, 4) for index in range(count))


class PillowCodec:
    """What the four share: open, save, versions."""

    name: str
    extension: str
    dials: tuple[Dial, ...]
    defaults: Settings
    pillow_format: str
    pillow_feature: str
    library: str
    sides_px: tuple[int, int]

    @property
    def version(self) -> str:
        inside = features.version(self.pillow_feature) or "missing"
        return f"Pillow {PIL.__version__}, {self.library} {inside}"

    def probe(self) -> Probe:
        if not features.check(self.pillow_feature):
            return missing(self.name, f"Pillow {PIL.__version__} was built without {self.library}")
        return found(self.name, self.version)

    def encode(self, image: Image, settings: Settings) -> bytes:
        pixels = checked_image(image, self.name, self.sides_px)
        options = self.save_options(complete_settings(self, settings), pixels)
        stream = io.BytesIO()
        PIL.Image.fromarray(pixels).save(stream, self.pillow_format, **options)
        return stream.getvalue()

    def decode(self, data: bytes) -> Image:
        try:
            with PIL.Image.open(io.BytesIO(data), formats=[self.pillow_format]) as picture:
                pixels = np.array(picture.convert("RGB"))
        except (OSError, SyntaxError) as error:
            raise ValueError(f"{self.name}: not a whole stream: {error}") from error
        return checked_decoded(pixels, self.name)

    def save_options(self, settings: dict[str, Setting], pixels: Image) -> dict[str, Any]:
        raise NotImplementedError


class Jpeg(PillowCodec):
    """libjpeg-turbo. Quality is a float: the tables are scaled by libjpeg's rule, not rounded to
    its hundred whole steps, which are 10 % of the rate apart at 0.23 bpp."""

    name, extension = "jpeg", "jpg"
    pillow_format, pillow_feature, library = "JPEG", "libjpeg_turbo", "libjpeg-turbo"
    sides_px = (1, 65500)
    defaults = {"quality": 75.0, "subsampling": "4:2:0", "progressive": 1}
    dials = (
        Dial(
            "quality",
            _grid(1, 100, 0.05),
            (
                (1, 0.107),
                (2, 0.108),
                (3, 0.12),
                (5, 0.17),
                (8, 0.24),
                (12, 0.33),
                (20, 0.48),
                (35, 0.72),
                (50, 0.9),
                (65, 1.13),
                (80, 1.57),
                (90, 2.3),
                (95, 3.2),
                (100, 6.3),
            ),  # fmt: skip
        ),
    )

    def save_options(self, settings: dict[str, Setting], pixels: Image) -> dict[str, Any]:
        return {
            "qtables": scaled_tables(float(settings["quality"])),
            "subsampling": settings["subsampling"],
            "progressive": bool(settings["progressive"]),
            "optimize": True,
        }


class WebP(PillowCodec):
    """libwebp; its quality takes effect in about half steps."""

    name, extension = "webp", "webp"
    pillow_format, pillow_feature, library = "WEBP", "webp", "libwebp"
    sides_px = (1, 16383)
    defaults = {"quality": 75.0, "method": 6}
    dials = (
        Dial(
            "quality",
            _grid(0, 0.49, 0.01) + _grid(0.5, 1.95, 0.05) + _grid(2, 100, 0.25),
            (
                (0, 0.115),
                (0.25, 0.145),
                (1, 0.168),
                (3, 0.205),
                (10, 0.29),
                (20, 0.395),
                (35, 0.55),
                (50, 0.7),
                (65, 0.85),
                (75, 0.97),
                (80, 1.19),
                (85, 1.48),
                (90, 1.98),
                (95, 2.9),
                (100, 3.9),
            ),  # fmt: skip
        ),
    )

    def save_options(self, settings: dict[str, Setting], pixels: Image) -> dict[str, Any]:
        return {"quality": settings["quality"], "method": settings["method"]}


_RATIOS = tuple(float(f"{24 / rate:.5g}") for rate in np.geomspace(0.02, 12, 1600))


class Jpeg2000(PillowCodec):
    """OpenJPEG told the compression ratio, so that the first guess is nearly right."""

    name, extension = "jpeg2000", "j2k"
    pillow_format, pillow_feature, library = "JPEG2000", "jpg_2000", "OpenJPEG"
    sides_px = (16, 65500)
    defaults = {"ratio": 24.0}
    dials = (
        Dial(
            "ratio",
            _RATIOS,
            tuple((ratio, 24 / ratio) for ratio in _RATIOS),
        ),
    )

    def save_options(self, settings: dict[str, Setting], pixels: Image) -> dict[str, Any]:
        # OpenJPEG refuses more wavelet levels than the short side can be halved.
        resolutions = min(6, 1 + int(math.log2(min(pixels.shape[:2]))))
        return {
            "quality_mode": "rates",
            "quality_layers": [settings["ratio"]],
            "irreversible": True,
            "no_jp2": True,
            # Pillow codes R, G, B apart unless told: 2 to 5 dB lost at equal rate.
            "mct": 1,
            "num_resolutions": resolutions,
        }


class Avif(PillowCodec):
    """libaom by libavif. Only 63 of the 101 qualities differ; the strength of libaom's
    perceptual quantiser modulation is the second dial. Its bytes depend on the thread count."""

    name, extension = "avif", "avif"
    pillow_format, pillow_feature, library = "AVIF", "avif", "libavif"
    sides_px = (1, 65536)
    defaults = {
        "quality": 60, "deltaq_strength": 100, "subsampling": "4:2:0", "tune": "iq",
        "speed": 6, "threads": 1,
    }  # fmt: skip
    # The inverse of libavif's rule, quantiser = ((100 - quality) * 63 + 50) // 100.
    qualities = tuple(round(100 - step * 100 / 63) for step in range(63, 0, -1))
    dials = (
        Dial(
            "quality",
            qualities,
            (
                (0, 0.077),
                (5, 0.083),
                (11, 0.114),
                (21, 0.175),
                (30, 0.263),
                (40, 0.4),
                (51, 0.63),
                (60, 0.92),
                (70, 1.28),
                (79, 1.65),
                (90, 2.5),
                (98, 4.3),
            ),  # fmt: skip
        ),
        Dial(
            "deltaq_strength",
            tuple(range(50, 201)),
            ((50, 0.95), (80, 0.985), (100, 1.0), (140, 1.043), (200, 1.1)),
        ),
    )

    @property
    def version(self) -> str:
        return f"{super().version}, libaom {AvifImagePlugin.get_codec_version('aom')}"

    def save_options(self, settings: dict[str, Setting], pixels: Image) -> dict[str, Any]:
        return {
            "quality": int(settings["quality"]),
            "subsampling": settings["subsampling"],
            "speed": int(settings["speed"]),
            "max_threads": int(settings["threads"]),
            "codec": "aom",
            "advanced": {
                "tune": str(settings["tune"]),
                "deltaq-strength": str(int(settings["deltaq_strength"])),
            },
        }


JPEG = Jpeg()
WEBP = WebP()
JPEG2000 = Jpeg2000()
AVIF = Avif()
