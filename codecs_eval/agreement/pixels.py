"""Files of unknown origin -> 8-bit sRGB arrays -> lossless PNG; what would lose is refused."""

import hashlib
import io
import warnings
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

Pixels = NDArray[np.uint8]

MAX_IMAGE_PIXELS = 100_000_000

# Modes whose conversion to 8-bit RGB keeps every value; the rest (CMYK, 16-bit, float) would not.
_LOSSLESS_MODES = frozenset({"RGB", "L", "P", "1"})


def decode_rgb(data: bytes, formats: Sequence[str], name: str) -> Pixels:
    """Decode one image file to (height, width, 3) uint8 sRGB.

    `formats` are Pillow's names of the formats that may be tried; `name` stands in the messages.
    EXIF rotation is applied and an embedded profile is converted to sRGB. Raises ValueError for
    anything else than one whole, opaque, 8-bit picture of at most MAX_IMAGE_PIXELS pixels.
    """
    try:
        with warnings.catch_warnings():
            # Pillow tells of bombs and of broken metadata by warnings; neither may pass unseen.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            warnings.simplefilter("error", UserWarning)
            with Image.open(io.BytesIO(data), formats=tuple(formats)) as opened:
                _refuse_unfit(opened, name)
                opened.load()
                return np.asarray(_to_srgb(ImageOps.exif_transpose(opened)), dtype=np.uint8)
    except UnidentifiedImageError:
        raise ValueError(f"{name}: not a readable {' / '.join(formats)} file") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, UserWarning) as error:
        raise ValueError(f"{name}: {error}") from error
    except (OSError, SyntaxError, EOFError, ImageCms.PyCMSError) as error:
        raise ValueError(f"{name}: cannot be decoded ({error})") from error


def pixels_sha256(image: Pixels) -> str:
    """SHA-256 over "WIDTHxHEIGHT" and the RGB bytes: the same pixels, whatever the file."""
    height, width = image.shape[:2]
    return hashlib.sha256(
        f"{width}x{height}".encode() + np.ascontiguousarray(image).tobytes()
    ).hexdigest()


def encode_png(image: Pixels) -> bytes:
    """Encode (height, width, 3) uint8 as an RGB PNG without metadata; same pixels, same bytes."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(
            f"expected a uint8 array (height, width, 3), found {image.dtype} {image.shape}"
        )
    buffer = io.BytesIO()
    # Run lengths only: photos take a quarter of the default's time for files a few percent larger.
    Image.fromarray(image).save(buffer, "PNG", compress_type=zlib.Z_RLE)
    return buffer.getvalue()


def _refuse_unfit(opened: Image.Image, name: str) -> None:
    pixels = opened.width * opened.height
    if pixels > MAX_IMAGE_PIXELS:
        raise ValueError(f"{name}: {pixels} pixels, at most {MAX_IMAGE_PIXELS} are accepted")
    if getattr(opened, "n_frames", 1) != 1:
        raise ValueError(f"{name}: an animation, expected one picture")
    if opened.mode in ("RGBA", "LA", "PA") or "transparency" in opened.info:
        raise ValueError(f"{name}: has an alpha channel, expected an opaque picture")
    if opened.mode not in _LOSSLESS_MODES:
        raise ValueError(f"{name}: mode {opened.mode}, expected 8-bit RGB or greyscale")


def _to_srgb(picture: Image.Image) -> Image.Image:
    profile = picture.info.get("icc_profile")
    if profile is None:
        return picture.convert("RGB")
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    base = picture if picture.mode in ("RGB", "L") else picture.convert("RGB")
    converted = ImageCms.profileToProfile(
        base, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    if converted is None:
        raise ImageCms.PyCMSError("the colour profile gives no conversion to sRGB")
    return converted
