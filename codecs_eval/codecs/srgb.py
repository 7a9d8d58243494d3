"""An upright 8-bit picture of any colour model -> opaque sRGB, without a loss that goes unsaid."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms

from codecs_eval.codecs.sniffing import Refused, coded_colours

INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
INTENT_NAME = "relative colorimetric, black point compensation"

# sRGB's own (IEC 61966-2-1): white, red, green, blue as PNG's cHRM writes them.
_SRGB_CHROMATICITY = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
_SRGB_GAMMA = 1 / 2.2


def to_srgb(
    picture: Image.Image, data: bytes, kind: str, name: str, *, is_flattened: bool = False
) -> tuple[Image.Image, list[str]]:
    """`picture` as mode RGB in sRGB, and the conversions that it took, in words.

    `picture` has 8 bits a channel (modes 1, L, P, RGB and those with alpha); `data` is its file,
    whose colour declarations are honoured or refused.
    """
    notes: list[str] = []
    profile = picture.info.get("icc_profile")
    is_grey = picture.mode in {"1", "L", "LA", "La"}
    if picture.mode in {"P", "PA"}:
        notes.append("palette -> RGB")
    flat = _without_alpha(picture, name, notes, is_flattened)
    if is_grey:
        notes.append("greyscale -> RGB, replicated")
    if profile:
        return _through_profile(flat, profile, is_grey, name, notes), notes
    _refuse_other_colours(picture, data, kind, name)
    return flat, notes


def _without_alpha(
    picture: Image.Image, name: str, notes: list[str], is_flattened: bool
) -> Image.Image:
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    with_alpha = picture.convert("RGBA")
    n_clear = sum(with_alpha.getchannel("A").histogram()[:255])
    if n_clear:
        share = 100 * n_clear / (picture.width * picture.height)
        if is_flattened:
            notes.append(f"flattened on white, {max(share, 0.01):.2f} % transparent")
            white = Image.new("RGBA", with_alpha.size, "white")
            return Image.alpha_composite(white, with_alpha).convert("RGB")
        raise Refused(
            f"{name}: found transparency in {max(share, 0.01):.2f} % of the pixels, expected an "
            "opaque picture; flatten it on a background of your choice."
        )
    notes.append("alpha dropped, fully opaque")
    return with_alpha.convert("RGB")


def _through_profile(
    picture: Image.Image, profile: bytes, is_grey: bool, name: str, notes: list[str]
) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space.strip()
        label = " ".join(ImageCms.getProfileDescription(source).split())[:60] or "unnamed"
    except (OSError, ImageCms.PyCMSError) as error:
        raise Refused(
            f"{name}: found an embedded colour profile that cannot be read ({error}), expected a "
            "valid ICC profile or none; save the picture as sRGB."
        ) from error
    if space != "RGB" and not (space == "GRAY" and is_grey):
        raise Refused(
            f"{name}: found a {space} profile on {'a grey' if is_grey else 'an RGB'} picture, "
            "expected a profile of the picture's own colours; save it as sRGB."
        )
    transform = _transform(source, "L" if space == "GRAY" else "RGB", name)
    convert = _convert_grey if space == "GRAY" else _convert_rgb
    grid = Image.fromarray(_colour_grid(is_grey))
    if np.abs(_levels(convert(grid, transform)) - _levels(grid)).max() <= 1:
        notes.append(f"colour profile dropped, same as sRGB ({label})")
        return picture
    notes.append(f"{label} -> sRGB ({INTENT_NAME})")
    return convert(picture, transform)


def _transform(
    source: ImageCms.ImageCmsProfile, mode: str, name: str
) -> ImageCms.ImageCmsTransform:
    # Little CMS's shortcuts miss dark greys by ten levels; exact, RGB takes twelve times as long.
    care = ImageCms.Flags.NOOPTIMIZE if mode == "L" else ImageCms.Flags.HIGHRESPRECALC
    try:
        return ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            INTENT,
            ImageCms.Flags.BLACKPOINTCOMPENSATION | care,
        )
    except ImageCms.PyCMSError as error:
        raise Refused(
            f"{name}: found an embedded colour profile without a way to sRGB ({error}), expected "
            "an input or display profile; save the picture as sRGB."
        ) from error


def _convert_rgb(picture: Image.Image, transform: ImageCms.ImageCmsTransform) -> Image.Image:
    return transform.apply(picture)


def _convert_grey(picture: Image.Image, transform: ImageCms.ImageCmsTransform) -> Image.Image:
    """`picture` has equal channels: the 256 levels are converted once and looked up."""
    levels = transform.apply(Image.fromarray(np.arange(256, dtype=np.uint8)[None]))
    return Image.fromarray(np.asarray(levels)[0][np.asarray(picture.getchannel(0))])


def _colour_grid(is_grey: bool) -> NDArray[np.uint8]:
    """Colours that a profile must leave within one level to pass for sRGB: (1, n, 3)."""
    if is_grey:
        return np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    levels = np.arange(0, 256, 15, dtype=np.uint8)
    return np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)


def _levels(picture: Image.Image) -> NDArray[np.int16]:
    return np.asarray(picture, dtype=np.int16)


def _refuse_other_colours(picture: Image.Image, data: bytes, kind: str, name: str) -> None:
    """Colours declared by other means than a profile: shown as sRGB they would be wrong."""
    found = _declared_colours(picture, data, kind)
    if found:
        raise Refused(
            f"{name}: found {found} without an ICC profile, expected sRGB; save it as sRGB, or "
            "embed the profile."
        )


def _declared_colours(picture: Image.Image, data: bytes, kind: str) -> str | None:
    coded = coded_colours(data, kind)
    if coded is not None and not (coded[0] in {1, 2} and coded[1] in {1, 2, 6, 13}):
        return f"coded colours with primaries {coded[0]} and transfer {coded[1]} (H.273)"
    if coded is None and kind == "PNG" and "srgb" not in picture.info:
        gamma = picture.info.get("gamma", _SRGB_GAMMA)
        if abs(gamma - _SRGB_GAMMA) > 0.005:
            return f"a gamma of {gamma:g}"
        chromaticity = picture.info.get("chromaticity", _SRGB_CHROMATICITY)
        if not np.allclose(chromaticity, _SRGB_CHROMATICITY, atol=0.005):
            return "primaries other than sRGB's (cHRM)"
    # DCF 2.0: index R03 marks an Adobe RGB photograph, which cameras write without a profile.
    interop = picture.getexif().get_ifd(ExifTags.IFD.Interop)
    if interop.get(ExifTags.Interop.InteropIndex) == "R03":
        return "Adobe RGB declared by its EXIF data"
    return None
