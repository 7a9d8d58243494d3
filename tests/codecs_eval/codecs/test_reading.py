import io
import random
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms, ImageOps

from codecs_eval.codecs.reading import Photo, halved, read_photo
from codecs_eval.codecs.sniffing import Refused
from tests.codecs_eval.photo_files import (
    ADOBE_RGB_TO_XYZ,
    SRGB_TO_XYZ,
    Pixels,
    exif,
    grey_profile,
    noise,
    png_bomb,
    rgb_profile,
    saved,
    smooth,
    with_png_chunk,
)

ENDINGS = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp", "TIFF": "tif", "AVIF": "avif"}

BEST: dict[str, dict[str, Any]] = {"WEBP": {"lossless": True}, "AVIF": {"quality": 100}}


def read(data: bytes, name: str = "photo.png", max_pixels: int = 1_000_000) -> Photo:
    return read_photo(data, name=name, max_pixels=max_pixels)


def reason(data: bytes, name: str = "photo.png", max_pixels: int = 1_000_000) -> str:
    with pytest.raises(Refused) as refusal:
        read(data, name, max_pixels)
    text = str(refusal.value)
    assert text.startswith(f"{name}")
    assert text.endswith(".")
    assert "expected" in text
    return text


def srgb_levels(light: np.ndarray) -> np.ndarray:
    """IEC 61966-2-1, light clipped to 0..1."""
    light = np.clip(light, 0, 1)
    coded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return 255 * coded


@pytest.mark.parametrize(
    ("format", "options"),
    [
        ("PNG", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("WEBP", {"lossless": True}),
    ],
)
def test_a_lossless_file_gives_its_very_pixels(format: str, options: dict[str, Any]) -> None:
    image = noise()
    photo = read(saved(image, format, **options), f"a.{ENDINGS[format]}")
    assert np.array_equal(photo.image, image)
    assert (photo.original_format, photo.conversions) == (format, ())


@pytest.mark.parametrize(("format", "off_by"), [("JPEG", 6), ("AVIF", 12), ("WEBP", 16)])
def test_a_lossy_file_is_read_as_what_it_is(format: str, off_by: int) -> None:
    photo = read(saved(smooth(), format, quality=95), f"a.{ENDINGS[format]}")
    assert photo.image.shape == smooth().shape
    assert np.abs(photo.image.astype(int) - smooth()).max() <= off_by
    assert photo.original_format == format
    assert photo.is_jpeg_born == (format == "JPEG")


def test_a_jpeg_inside_a_tiff_is_jpeg_born() -> None:
    photo = read(saved(smooth(), "TIFF", compression="jpeg"), "a.tif")
    assert photo.is_jpeg_born
    assert photo.conversions == ("JPEG data inside TIFF",)


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("format", ENDINGS)
def test_a_photo_is_turned_as_its_exif_data_says(format: str, orientation: int) -> None:
    lossless = BEST.get(format, {})
    plain = read(saved(smooth(), format, **lossless), f"a.{ENDINGS[format]}")
    tagged = Image.fromarray(plain.image)
    tagged.getexif()[ExifTags.Base.Orientation] = orientation
    expected = np.asarray(ImageOps.exif_transpose(tagged))
    photo = read(
        saved(smooth(), format, exif=exif(orientation=orientation), **lossless),
        f"a.{ENDINGS[format]}",
    )
    assert f"turned upright (EXIF orientation {orientation})" in photo.conversions
    assert np.array_equal(photo.image, expected)
    assert not np.array_equal(photo.image, plain.image)


@pytest.mark.parametrize("shape", [(70, 90), (70, 90, 3)])
@pytest.mark.parametrize("kind", ["png", "tif"])
def test_sixteen_bits_that_hold_eight_are_taken_without_loss(
    kind: str, shape: tuple[int, ...]
) -> None:
    narrow = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint16)
    photo = read(wide_file(kind, narrow * 257), f"a.{kind}")
    expected = narrow if len(shape) == 3 else np.repeat(narrow[..., None], 3, axis=2)
    assert np.array_equal(photo.image, expected)
    assert "16 -> 8 bits a channel, nothing lost" in photo.conversions


@pytest.mark.parametrize("shape", [(70, 90), (70, 90, 3)])
@pytest.mark.parametrize("kind", ["png", "tif"])
def test_sixteen_bits_that_are_in_use_are_refused(kind: str, shape: tuple[int, ...]) -> None:
    wide = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint16) * 257
    wide[3, 5] = wide[3, 5] ^ 1
    assert "16 bits a channel that are all in use" in reason(wide_file(kind, wide), f"a.{kind}")


def wide_file(kind: str, wide: np.ndarray) -> bytes:
    encode = imagecodecs.png_encode if kind == "png" else imagecodecs.tiff_encode
    return bytes(encode(wide.astype(np.uint16)))


def test_a_deep_photo_is_turned_upright_too() -> None:
    narrow = noise()
    wide = imagecodecs.png_encode(narrow.astype(np.uint16) * 257)
    photo = read(with_png_chunk(bytes(wide), b"eXIf", exif(orientation=6).tobytes()[6:]))
    assert np.array_equal(photo.image, np.rot90(narrow, -1))


def test_an_avif_of_ten_bits_is_refused() -> None:
    deep = imagecodecs.avif_encode(noise().astype(np.uint16) * 4, bitspersample=10)
    assert "10 bits a channel" in reason(bytes(deep), "a.avif")


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_cmyk_is_refused(format: str) -> None:
    cmyk = Image.fromarray(noise()).convert("CMYK")
    assert "found CMYK" in reason(saved(cmyk, format), f"a.{ENDINGS[format]}")


@pytest.mark.parametrize("mode", ["F", "I", "LAB"])
def test_numbers_that_are_no_eight_bit_colours_are_refused(mode: str) -> None:
    picture = Image.fromarray(noise())
    picture = picture.convert("L").convert(mode) if mode != "LAB" else Image.new(mode, (70, 90))
    assert f"mode {mode}" in reason(saved(picture, "TIFF"), "a.tif")


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_an_opaque_alpha_channel_is_dropped_and_said(format: str) -> None:
    image = smooth()
    solid = np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])
    photo = read(saved(solid, format), f"a.{ENDINGS[format]}")
    assert np.array_equal(photo.image, image)
    assert photo.conversions == ("alpha dropped, fully opaque",)


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF", "AVIF"])
def test_one_clear_pixel_is_enough_to_refuse(format: str) -> None:
    solid = np.dstack([noise(), np.full((70, 90), 255, np.uint8)])
    solid[10:12, 10:12, 3] = 0
    options = BEST.get(format, {})
    assert "transparency" in reason(saved(solid, format, **options), f"a.{ENDINGS[format]}")


def test_a_grey_photo_is_replicated() -> None:
    grey = noise()[..., 0]
    photo = read(saved(grey))
    assert np.array_equal(photo.image, np.repeat(grey[..., None], 3, axis=2))
    assert photo.conversions == ("greyscale -> RGB, replicated",)


def test_black_and_white_becomes_0_and_255() -> None:
    photo = read(saved(Image.fromarray(noise()[..., 0]).convert("1")))
    assert set(np.unique(photo.image)) == {0, 255}
    assert photo.conversions == ("greyscale -> RGB, replicated",)


def test_a_palette_gives_the_colours_that_it_names() -> None:
    palette = Image.fromarray(noise()).quantize(200)
    photo = read(saved(palette))
    assert np.array_equal(photo.image, np.asarray(palette.convert("RGB")))
    assert photo.conversions == ("palette -> RGB",)


def test_a_clear_palette_colour_matters_only_where_it_is_used() -> None:
    indices = np.random.default_rng(0).integers(0, 9, (70, 90), dtype=np.uint8)
    palette = Image.fromarray(indices, "P")
    palette.putpalette([*range(0, 30)])
    assert "alpha dropped, fully opaque" in read(saved(palette, transparency=9)).conversions
    assert "transparency" in reason(saved(palette, transparency=3))


def test_a_clear_key_colour_matters_only_where_it_is_used() -> None:
    image = smooth()
    assert "alpha dropped, fully opaque" in read(saved(image, transparency=(1, 2, 3))).conversions
    assert "transparency" in reason(saved(image, transparency=tuple(map(int, image[0, 0]))))


def test_a_profile_of_other_colours_is_converted_to_srgb() -> None:
    image = smooth()
    profile = rgb_profile("Wide test colours", ADOBE_RGB_TO_XYZ, 2.2)
    photo = read(saved(image, icc_profile=profile))
    light = (image / 255) ** (563 / 256) @ (np.linalg.inv(SRGB_TO_XYZ) @ ADOBE_RGB_TO_XYZ).T
    assert np.abs(photo.image - srgb_levels(light)).max() <= 1
    assert np.abs(photo.image.astype(int) - image).max() > 30
    assert photo.conversions == (
        "Wide test colours -> sRGB (relative colorimetric, black point compensation)",
    )


def test_a_grey_profile_is_converted_to_srgb() -> None:
    grey = smooth()[..., 0]
    photo = read(saved(grey, icc_profile=grey_profile("Linear grey", 1.0)))
    assert np.abs(photo.image - srgb_levels(grey[..., None] / 255)).max() <= 1
    assert photo.conversions[0] == "greyscale -> RGB, replicated"
    assert photo.conversions[1].startswith("Linear grey -> sRGB")


def test_a_profile_that_is_srgb_leaves_every_pixel_alone() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo = read(saved(noise(), icc_profile=profile))
    assert np.array_equal(photo.image, noise())
    assert photo.conversions == ("colour profile dropped, same as sRGB (sRGB built-in)",)


def test_a_profile_for_another_colour_model_is_refused() -> None:
    profile = grey_profile("Linear grey", 1.0)
    assert "GRAY profile on an RGB picture" in reason(saved(noise(), icc_profile=profile))


def test_a_damaged_profile_is_refused() -> None:
    assert "colour profile that cannot be read" in reason(saved(noise(), icc_profile=b"ICC" * 99))


@pytest.mark.parametrize(
    ("kind", "content", "found"),
    [
        (b"cICP", bytes([9, 16, 0, 1]), "primaries 9 and transfer 16"),
        (b"gAMA", (100_000).to_bytes(4, "big"), "a gamma of 1"),
    ],
)
def test_colours_declared_without_a_profile_are_refused(
    kind: bytes, content: bytes, found: str
) -> None:
    assert found in reason(with_png_chunk(saved(noise()), kind, content))


def test_colours_declared_as_srgb_are_taken() -> None:
    png = with_png_chunk(saved(noise()), b"cICP", bytes([1, 13, 0, 1]))
    assert read(with_png_chunk(png, b"gAMA", (45455).to_bytes(4, "big"))).conversions == ()


def test_a_camera_s_adobe_rgb_without_a_profile_is_refused() -> None:
    tags = Image.Exif()
    tags.get_ifd(ExifTags.IFD.Exif)[0xA005] = {1: "R03"}
    assert "Adobe RGB" in reason(saved(smooth(), "JPEG", exif=tags), "a.jpg")


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF", "AVIF"])
def test_an_animation_is_refused(format: str) -> None:
    more = [Image.fromarray(noise(1)), Image.fromarray(noise(2))]
    data = saved(noise(), format, save_all=True, append_images=more)
    assert "found 3 frames or pages" in reason(data, f"a.{ENDINGS[format]}")


def test_a_phone_s_jpeg_with_a_second_picture_gives_the_first() -> None:
    second = [Image.fromarray(noise(3))]
    photo = read(saved(smooth(), "MPO", save_all=True, append_images=second), "a.jpg")
    assert np.abs(photo.image.astype(int) - smooth()).max() < 40
    assert photo.is_jpeg_born
    assert photo.conversions == ("first of 2 pictures in the JPEG",)


@pytest.mark.parametrize(("side", "found"), [(1100, "1,210,000 pixels"), (13_500, "182250000")])
def test_a_bomb_is_refused_by_its_header(side: int, found: str) -> None:
    bomb = png_bomb(side, side)
    assert len(bomb) < side * side / 50
    assert found in reason(bomb)


def test_pillow_s_warning_of_a_bomb_is_a_refusal() -> None:
    assert "90250000 pixels" in reason(png_bomb(9_500, 9_500), max_pixels=10**9)


def test_a_webp_is_measured_before_pillow_reserves_its_canvas() -> None:
    data = bytearray(saved(noise(), "WEBP", lossless=True, exif=exif(orientation=1)))
    assert data[12:16] == b"VP8X"
    data[24:30] = b"\xfe\x3f\x00\xfe\x3f\x00"
    assert "268,402,689 pixels" in reason(bytes(data), "a.webp")


@pytest.mark.parametrize("kept", [0.3, 0.7, 0.95])
@pytest.mark.parametrize("format", ENDINGS)
def test_a_truncated_file_is_refused(format: str, kept: float) -> None:
    data = saved(noise(), format)
    text = reason(data[: int(kept * len(data))], f"a.{ENDINGS[format]}")
    assert "cannot be decoded" in text


def test_a_png_without_its_last_chunk_is_refused() -> None:
    assert "cannot be decoded" in reason(saved(noise())[:-12])


def test_a_png_with_one_flipped_bit_is_refused() -> None:
    data = bytearray(saved(noise()))
    data[-40] ^= 1
    assert "cannot be decoded" in reason(bytes(data))


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (saved(noise(), "GIF"), "a.png", ("a GIF file", "ending says PNG")),
        (saved(noise(), "JPEG"), "a.png", ("a JPEG file", "expected PNG")),
        (saved(noise(), "WEBP"), "a.jpg", ("a WebP file", "expected JPEG")),
        (saved(noise()), "a.txt", ("a PNG file", ".txt")),
        (saved(noise()), "a", ("a PNG file", "(none)")),
        (saved(noise(), "BMP"), "a.bmp", ("a BMP file", "expected PNG, JPEG")),
        (b"#!/bin/sh\nrm -rf /\n", "a.png", ("no known kind of image",)),
        (b"PK\x03\x04" + bytes(99), "a.png", ("a ZIP archive",)),
        (b"", "a.png", ("an empty file",)),
        (saved(noise(height=63)), "a.png", ("90x63", "at least 64")),
    ],
)
def test_what_is_no_photo_of_its_name_is_refused(
    data: bytes, name: str, words: tuple[str, ...]
) -> None:
    text = reason(data, name)
    assert all(word in text for word in words), text


def test_the_least_side_is_enough() -> None:
    assert read(saved(noise(height=64, width=64))).image.shape == (64, 64, 3)


def test_what_a_decoder_doubts_is_written_down() -> None:
    with Image.open(io.BytesIO(saved(smooth(), "JPEG", exif=exif(orientation=1)))) as opened:
        data = bytearray(saved(opened.copy(), "JPEG", exif=opened.info["exif"][:-10]))
    photo = read(bytes(data), "a.jpg")
    assert any(note.startswith("decoder's warning") for note in photo.conversions)


def test_a_halved_photo_is_the_mean_of_two_by_two() -> None:
    image = noise(height=131, width=130)
    photo = halved(read(saved(image)), name="photo.png")
    means = image[:130].reshape(65, 2, 65, 2, 3).mean(axis=(1, 3))
    assert photo.image.shape == (65, 65, 3)
    assert np.abs(photo.image - means).max() <= 0.5
    assert photo.conversions == ("shrunk by two (box, mean of 2x2)",)


def test_a_photo_too_small_to_halve_is_refused() -> None:
    with pytest.raises(Refused, match="64x63 pixels, expected at least 64"):
        halved(read(saved(noise(height=127, width=128))), name="photo.png")


def test_hostile_bytes_are_refused_and_never_crash() -> None:
    """Flipped and cut files, seeded: whatever happens inside, it comes out as a refusal."""
    draw = random.Random(1)
    files = {ending: bytearray(saved(smooth(), each)) for each, ending in ENDINGS.items()}
    n_refused = 0
    for _ in range(400):
        ending = draw.choice(sorted(files))
        data = files[ending][: draw.randrange(1, len(files[ending]) * 2)]
        for _ in range(draw.choice([0, 1, 5])):
            data[draw.randrange(min(200, len(data)))] = draw.randrange(256)
        try:
            read(bytes(data), f"a.{ending}")
        except Refused:
            n_refused += 1
    assert n_refused > 150


def test_real_photos_with_alpha_are_judged_by_their_pixels(shared_data: Any) -> None:
    folder: Path = shared_data("coco_style_61") / "images"
    outcomes = set()
    for path in sorted(folder.rglob("*.png"))[:6]:
        with Image.open(path) as opened:
            if opened.mode != "RGBA":
                continue
            is_opaque = opened.getchannel("A").getextrema() == (255, 255)
        try:
            assert is_opaque == (
                "alpha dropped, fully opaque"
                in read(path.read_bytes(), path.name, 10**8).conversions
            )
            outcomes.add("taken")
        except Refused:
            assert not is_opaque
            outcomes.add("refused")
    assert outcomes


def test_kodak_s_photos_come_out_as_they_are(shared_data: Any) -> None:
    path: Path = shared_data("kodak") / "kodim23.png"
    photo = read(path.read_bytes(), path.name)
    with Image.open(path) as opened:
        expected: Pixels = np.asarray(opened)
    assert np.array_equal(photo.image, expected)
    assert photo.conversions == ()
