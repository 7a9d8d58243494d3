"""One file of unknown origin -> 8-bit sRGB pixels; what is hostile or would lose is refused."""

import io
import struct
import threading
import warnings
import zlib
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps

from codecs_eval.codecs.sniffing import (
    ACCEPTED,
    ENDINGS,
    Refused,
    bits_per_channel,
    ending_of,
    kind_of,
    webp_canvas_px,
)
from codecs_eval.codecs.srgb import to_srgb

MIN_SIDE_PX = 64

_LABELS = {"WEBP": "WebP"}
_EIGHT_BIT_MODES = frozenset({"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa"})
_SIXTEEN_BIT_MODES = frozenset({"I;16", "I;16B", "I;16L", "I;16N"})

# What Pillow's parsers let out on hostile bytes; the fuzzing test grows this list.
_BROKEN = (
    OSError,
    SyntaxError,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    struct.error,
    zlib.error,
)

# Warning filters belong to the whole process; and one photo at a time bounds the memory.
_READING = threading.Lock()


@dataclass(frozen=True, eq=False)
class Photo:
    """Pixels (height, width, 3) uint8 sRGB; the format they came in; what it took, in words."""

    image: NDArray[np.uint8]
    original_format: str
    conversions: tuple[str, ...] = field(default=())

    @property
    def is_jpeg_born(self) -> bool:
        return self.original_format == "JPEG"


def read_photo(data: bytes, *, name: str, max_pixels: int, is_flattened: bool = False) -> Photo:
    """Decode the whole of one file; `name` gives the ending and stands in the messages.

    Raises Refused (a ValueError of one sentence) for anything else than one whole, opaque picture
    of PNG, JPEG, WebP, TIFF or AVIF with at least 64 pixels a side and at most `max_pixels`, whose
    8-bit RGB values can be had without loss. EXIF rotation is applied, a profile converted;
    `is_flattened`: transparency becomes white instead of a refusal.
    """
    kind = _kind(data, name)
    if kind == "WEBP":
        _refuse_bomb(webp_canvas_px(data), max_pixels, name)
    with _READING, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            photo = _decode(data, kind, name, max_pixels, is_flattened)
        except Refused:
            raise
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
            raise Refused(
                f"{name}: found a decompression bomb ({error}), expected at most {max_pixels} "
                "pixels; shrink it."
            ) from error
        except _BROKEN as error:
            raise Refused(
                f"{name}: found a {_label(kind)} file that cannot be decoded ({error}), expected "
                "a whole one; copy or export it again."
            ) from error
    doubts = [f"decoder's warning: {each.message}" for each in caught if _is_doubt(each)]
    return replace(photo, conversions=(*photo.conversions, *dict.fromkeys(doubts)))


def halved(photo: Photo, *, name: str) -> Photo:
    """Both sides by two, each pixel the mean of 2x2: the blocks of an earlier JPEG fade.

    An odd last row or column is cut off.
    """
    height, width = (side // 2 for side in photo.image.shape[:2])
    _refuse_small(width, height, f"{name} (shrunk by two)")
    even = Image.fromarray(photo.image[: 2 * height, : 2 * width])
    return replace(
        photo,
        image=np.asarray(even.reduce(2)),
        conversions=(*photo.conversions, "shrunk by two (box, mean of 2x2)"),
    )


def _label(kind: str) -> str:
    return _LABELS.get(kind, kind)


def _is_doubt(caught: warnings.WarningMessage) -> bool:
    return issubclass(caught.category, UserWarning)


def _kind(data: bytes, name: str) -> str:
    ending, kind = ending_of(name), kind_of(data)
    if not data:
        raise Refused(f"{name}: found an empty file, expected a picture; copy it again.")
    if kind is None or kind not in ENDINGS.values():
        found = f"a {_label(kind)} file" if kind else "no known kind of image"
        claimed = f" (its ending says {_label(ENDINGS[ending])})" if ending in ENDINGS else ""
        remedy = "save it as PNG without loss" if kind else "leave it out"
        raise Refused(f"{name}: found {found}{claimed}, expected {ACCEPTED}; {remedy}.")
    if ENDINGS.get(ending) != kind:
        expected = _label(ENDINGS[ending]) if ending in ENDINGS else "an image"
        raise Refused(
            f"{name}: found a {_label(kind)} file, expected {expected} as the ending "
            f"{ending or '(none)'} says; rename it to its true ending."
        )
    return kind


def _decode(data: bytes, kind: str, name: str, max_pixels: int, is_flattened: bool) -> Photo:
    with Image.open(io.BytesIO(data), formats=[kind]) as opened:
        _refuse_bomb(opened.width * opened.height, max_pixels, name)
        _refuse_small(opened.width, opened.height, name)
        notes = _frame_notes(opened, name)
        orientation = opened.getexif().get(ExifTags.Base.Orientation, 1)
        if kind == "PNG":
            _check_sums(data)
        picture = ImageOps.exif_transpose(_eight_bit(opened, data, kind, name, notes))
    if orientation in range(2, 9):
        notes.append(f"turned upright (EXIF orientation {orientation})")
    rgb, colour_notes = to_srgb(picture, data, kind, name, is_flattened=is_flattened)
    born = "JPEG" if opened.info.get("compression") == "jpeg" else kind
    if born != kind:
        notes.append(f"JPEG data inside {kind}")
    return Photo(np.array(rgb), born, (*notes, *colour_notes))


def _refuse_bomb(pixels: int, max_pixels: int, name: str) -> None:
    if pixels > max_pixels:
        raise Refused(
            f"{name}: found {pixels:,} pixels by its header, expected at most {max_pixels:,}; "
            "shrink or crop it."
        )


def _refuse_small(width: int, height: int, name: str) -> None:
    if min(width, height) < MIN_SIDE_PX:
        raise Refused(
            f"{name}: found {width}x{height} pixels, expected at least {MIN_SIDE_PX} a side; "
            "use a larger picture."
        )


def _frame_notes(opened: Image.Image, name: str) -> list[str]:
    n_frames = getattr(opened, "n_frames", 1)
    if n_frames == 1:
        return []
    if opened.format == "MPO":
        # Phones append a gain map or a preview; the first picture is the photograph itself.
        return [f"first of {n_frames} pictures in the JPEG"]
    raise Refused(
        f"{name}: found {n_frames} frames or pages, expected one still picture; save the one "
        "that you want as PNG."
    )


def _check_sums(data: bytes) -> None:
    """Pillow's PNG reader passes wrong checksums of pixel data and a missing end."""
    with Image.open(io.BytesIO(data), formats=["PNG"]) as opened:
        opened.verify()


def _eight_bit(
    opened: Image.Image, data: bytes, kind: str, name: str, notes: list[str]
) -> Image.Image:
    bits = bits_per_channel(data, kind)
    if kind == "TIFF":
        bits = max(opened.tag_v2.get(258, (1,)))  # type: ignore[attr-defined]  # BitsPerSample
        _refuse_extra_channels(opened, name)
    if bits == 16 and kind in {"PNG", "TIFF"}:
        return _reduced(opened, data, kind, name, notes)
    if bits > 8 or opened.mode not in _EIGHT_BIT_MODES:
        found = "CMYK" if opened.mode == "CMYK" else f"{bits} bits a channel, mode {opened.mode}"
        raise Refused(
            f"{name}: found {found}, expected 8-bit RGB or greyscale; convert it to 8-bit sRGB."
        )
    opened.load()
    return opened


def _refuse_extra_channels(opened: Image.Image, name: str) -> None:
    n_samples = opened.tag_v2.get(277, 1)  # type: ignore[attr-defined]  # SamplesPerPixel
    if n_samples > len(opened.getbands()):
        raise Refused(
            f"{name}: found {n_samples} channels, expected at most {len(opened.getbands())} of "
            f"mode {opened.mode}; save it without the extra channels."
        )


def _reduced(
    opened: Image.Image, data: bytes, kind: str, name: str, notes: list[str]
) -> Image.Image:
    """16 -> 8 bits where each value is an 8-bit one times 257, so that nothing is lost."""
    # Pillow keeps only the high byte of 16-bit RGB; this decoder gives both.
    import imagecodecs

    if opened.mode not in _EIGHT_BIT_MODES | _SIXTEEN_BIT_MODES or (
        kind == "TIFF" and opened.tag_v2.get(262) not in {1, 2}  # type: ignore[attr-defined]
    ):
        raise Refused(
            f"{name}: found 16 bits a channel, mode {opened.mode}, expected 8-bit RGB or "
            "greyscale; convert it to 8-bit sRGB."
        )
    wide = imagecodecs.png_decode(data) if kind == "PNG" else imagecodecs.tiff_decode(data)
    wide = wide.reshape(*wide.shape[:2], -1)
    if (
        wide.dtype != np.uint16
        or wide.shape[2] not in {1, 2, 3, 4}
        or "transparency" in opened.info
    ):
        raise Refused(
            f"{name}: found {wide.dtype} values in the shape {wide.shape}, expected 8-bit RGB or "
            "greyscale; convert it to 8-bit sRGB."
        )
    narrow = (wide >> 8).astype(np.uint8)
    if not np.array_equal(narrow.astype(np.uint16) * 257, wide):
        raise Refused(
            f"{name}: found 16 bits a channel that are all in use, expected 8 bits; convert it to "
            "8-bit sRGB with the rounding of your choice."
        )
    notes.append("16 -> 8 bits a channel, nothing lost")
    picture = Image.fromarray(narrow[..., 0] if narrow.shape[2] == 1 else narrow)
    picture.info = dict(opened.info)
    orientation = opened.getexif().get(ExifTags.Base.Orientation, 1)
    picture.getexif()[ExifTags.Base.Orientation] = orientation
    return picture
