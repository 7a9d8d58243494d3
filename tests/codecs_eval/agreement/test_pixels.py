import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from codecs_eval.agreement import pixels
from codecs_eval.agreement.pixels import decode_rgb, encode_png

NOISE = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)


def _file(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def test_pixels_survive_the_png() -> None:
    data = encode_png(NOISE)
    assert np.array_equal(decode_rgb(data, ("PNG",), "noise"), NOISE)
    assert encode_png(NOISE) == data


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (_file(Image.new("RGBA", (4, 4))), "alpha"),
        (_file(Image.new("I;16", (4, 4))), "mode I;16"),
        (_file(Image.new("CMYK", (4, 4)), "TIFF"), "mode CMYK"),
        (
            _file(
                Image.new("RGB", (4, 4)),
                save_all=True,
                append_images=[Image.new("RGB", (4, 4), "red")],
            ),
            "animation",
        ),
        (encode_png(NOISE)[:-40], "cannot be decoded"),
        (b"not a picture", "not a readable"),
        (_file(Image.fromarray(NOISE), "BMP"), "not a readable PNG / TIFF"),
    ],
)
def test_what_would_lose_or_lie_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        decode_rgb(data, ("PNG", "TIFF"), "odd")


def test_a_bomb_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels, "MAX_IMAGE_PIXELS", 53)
    with pytest.raises(ValueError, match="54 pixels, at most 53"):
        decode_rgb(encode_png(NOISE), ("PNG",), "bomb")


def test_greyscale_becomes_three_equal_channels() -> None:
    grey = NOISE[:, :, 0]
    found = decode_rgb(_file(Image.fromarray(grey)), ("PNG",), "grey")
    assert np.array_equal(found, np.repeat(grey[:, :, None], 3, axis=2))


def test_a_rotated_picture_is_set_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    found = decode_rgb(_file(Image.fromarray(NOISE), exif=exif), ("PNG",), "rotated")
    assert np.array_equal(found, np.rot90(NOISE, -1))


def test_an_srgb_profile_changes_no_pixel() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    found = decode_rgb(_file(Image.fromarray(NOISE), icc_profile=profile), ("PNG",), "srgb")
    assert np.array_equal(found, NOISE)


def test_only_eight_bit_colour_arrays_are_encoded() -> None:
    with pytest.raises(ValueError, match="float64"):
        encode_png(NOISE / 255.0)  # type: ignore[arg-type]
