"""What every codec of the table promises."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from codecs_eval.codecs.codec import Codec, Dial
from codecs_eval.codecs.table import load_codec
from codecs_eval.codecs.timing import timed_decode, timed_encode

Image = NDArray[np.uint8]
Psnr = Callable[[Image, Image], float]
OUTSIDE = ("hevc", "vvc", "bpg")


def settings_at(dial: Dial, bpp: float) -> dict[str, float]:
    """The dial where an average photo has about this rate."""
    knots = sorted(dial.typical)
    rates = np.interp(dial.values, [knot[0] for knot in knots], [knot[1] for knot in knots])
    return {dial.name: dial.values[int(np.abs(rates - bpp).argmin())]}


def test_a_photo_comes_back_with_its_shape_and_its_look(
    codec: Codec, face: Image, psnr_db: Psnr
) -> None:
    data = codec.encode(face, settings_at(codec.dials[0], 1.5))
    decoded = codec.decode(data)
    assert decoded.shape == face.shape
    assert decoded.dtype == np.uint8
    assert psnr_db(face, decoded) > 27
    assert len(data) < face.size / 6


def test_a_lower_rate_costs_quality(codec: Codec, face: Image, psnr_db: Psnr) -> None:
    streams = [codec.encode(face, settings_at(codec.dials[0], bpp)) for bpp in (0.2, 0.6, 2.0)]
    sizes = [len(stream) for stream in streams]
    qualities = [psnr_db(face, codec.decode(stream)) for stream in streams]
    assert sizes == sorted(sizes) and len(set(sizes)) == 3
    assert qualities == sorted(qualities) and len(set(qualities)) == 3


@pytest.mark.parametrize(("width", "height"), [(127, 95), (128, 95), (127, 96), (17, 16)])
def test_odd_sizes_come_back_exactly(
    codec: Codec, face: Image, psnr_db: Psnr, width: int, height: int
) -> None:
    image = face[20 : 20 + height, 70 : 70 + width]
    decoded = codec.decode(codec.encode(image, settings_at(codec.dials[0], 2.0)))
    assert decoded.shape == image.shape
    # A picture shifted by one pixel or cropped at the wrong side stays below 25 dB.
    assert psnr_db(image, decoded) > 25


def test_the_same_photo_and_settings_give_the_same_bytes_from_any_thread(
    codec: Codec, cat: Image
) -> None:
    settings = settings_at(codec.dials[0], 0.6)
    with ThreadPoolExecutor(3) as pool:
        streams = list(pool.map(lambda _: codec.encode(cat, settings), range(3)))
        images = list(pool.map(codec.decode, streams))
    assert streams == [codec.encode(cat, settings)] * 3
    assert all(np.array_equal(image, images[0]) for image in images)


@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="this system cannot hold a process on one of several cores",
)
def test_the_number_of_cores_does_not_change_the_bytes_of_avif(face: Image) -> None:
    codec, cores = load_codec("avif"), os.sched_getaffinity(0)
    on_all = codec.encode(face, {})
    os.sched_setaffinity(0, {min(cores)})
    try:
        on_one = codec.encode(face, {})
    finally:
        os.sched_setaffinity(0, cores)
    assert on_one == on_all


def test_no_encoder_writes_its_name_into_the_stream(codec: Codec, face: Image) -> None:
    data = codec.encode(face, {}).lower()
    assert [word for word in (b"x265", b"vvenc", b"lavc", b"options:") if word in data] == []


def test_second_dials_move_the_rate_the_way_they_say(codec: Codec, face: Image) -> None:
    for dial in codec.dials[1:]:
        sizes = [
            len(codec.encode(face, {**settings_at(codec.dials[0], 0.6), dial.name: value}))
            for value in (dial.values[0], codec.defaults[dial.name], dial.values[-1])
        ]
        assert sizes[0] < sizes[1] < sizes[2]


def test_the_processor_time_of_encoder_and_decoder_is_counted(codec: Codec, face: Image) -> None:
    encoded = timed_encode(codec, face, {})
    decoded = timed_decode(codec, encoded.data)
    assert 0.1 < encoded.cpu_ms < 20_000
    assert 0.05 < decoded.cpu_ms < 5_000
    if codec.name in OUTSIDE:
        # Starting the program alone takes more; nothing here says that its time was left out.
        assert encoded.cpu_ms > 10


def test_work_in_other_threads_is_not_charged_to_an_encode(face: Image) -> None:
    hevc, jpeg = load_codec("hevc"), load_codec("jpeg")
    if not hevc.probe().is_available:
        pytest.skip(hevc.probe().reason)
    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(lambda: [hevc.encode(face, {}) for _ in range(3)])
        times = []
        while not busy.done():
            times.append(timed_encode(jpeg, face, {}).cpu_ms)
    assert sorted(times)[len(times) // 2] < 20


@pytest.mark.parametrize(
    ("image", "found"),
    [
        (np.zeros((64, 64), np.uint8), r"found uint8 \(64, 64\)"),
        (np.zeros((64, 64, 4), np.uint8), r"found uint8 \(64, 64, 4\)"),
        (np.zeros((64, 64, 3), np.float32), "found float32"),
        (np.zeros((0, 64, 3), np.uint8), "found 64x0"),
    ],
)
def test_what_is_not_an_eight_bit_colour_image_is_refused(
    codec: Codec, image: Image, found: str
) -> None:
    with pytest.raises(ValueError, match=f"expected .*{found}"):
        codec.encode(image, {})


def test_unknown_settings_and_dials_beyond_their_range_are_refused(
    codec: Codec, cat: Image
) -> None:
    with pytest.raises(ValueError, match="unknown settings zeal; expected some of"):
        codec.encode(cat, {"zeal": 3})
    dial = codec.dials[0]
    for value in (max(dial.values) + 1, min(dial.values) - 1, float("nan"), "much"):
        with pytest.raises(ValueError, match=f"{dial.name} must be"):
            codec.encode(cat, {dial.name: value})


@pytest.mark.parametrize("junk", [b"", b"\x00" * 40, b"this is no picture" * 20])
def test_a_stream_that_is_no_picture_is_an_error(codec: Codec, junk: bytes) -> None:
    with pytest.raises((ValueError, RuntimeError)):
        codec.decode(junk)


@pytest.mark.parametrize("share", [0.1, 0.6, 0.98])
def test_a_stream_that_was_cut_is_an_error(codec: Codec, cat: Image, share: float) -> None:
    data = codec.encode(cat, settings_at(codec.dials[0], 1.0))
    with pytest.raises((ValueError, RuntimeError)):
        codec.decode(data[: int(len(data) * share)])


def test_flat_pictures_pass(codec: Codec) -> None:
    flat = np.full((64, 64, 3), (200, 30, 90), np.uint8)
    decoded = codec.decode(codec.encode(flat, settings_at(codec.dials[0], 1.0)))
    assert np.abs(decoded.astype(int) - flat).max() <= 12
