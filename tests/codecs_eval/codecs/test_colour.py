"""The colour rule of the video codecs, and the frames that carry it."""

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from codecs_eval.codecs.colour import from_ycbcr, to_ycbcr
from codecs_eval.codecs.y4m import read_frame, write_frame

Image = NDArray[np.uint8]


def test_ten_bits_bring_every_colour_back(face: Image) -> None:
    assert np.array_equal(from_ycbcr(to_ycbcr(face, 10, False), 10), face)


def test_eight_bits_are_those_of_pillow(face: Image) -> None:
    theirs = np.array(PIL.Image.fromarray(face).convert("YCbCr")).astype(int)
    ours = np.stack(to_ycbcr(face, 8, False), axis=-1).astype(int)
    # Pillow's fixed-point rule differs by one level at most.
    assert np.abs(ours - theirs).max() <= 1


def test_halved_chroma_is_centred_and_keeps_flat_colours() -> None:
    flat = np.full((8, 6, 3), (13, 200, 77), np.uint8)
    planes = to_ycbcr(flat, 10, True)
    assert [plane.shape for plane in planes] == [(8, 6), (4, 3), (4, 3)]
    assert np.abs(from_ycbcr(planes, 10).astype(int) - flat).max() <= 1
    mirrored = to_ycbcr(np.ascontiguousarray(flat[::-1, ::-1]), 10, True)
    for plane, other in zip(planes, mirrored, strict=True):
        assert np.array_equal(plane, other[::-1, ::-1])


@pytest.mark.parametrize(("tag", "bits"), [("444", 8), ("444p10", 10), ("420p10", 10)])
def test_frames_come_back_whole(face: Image, tag: str, bits: int) -> None:
    planes = to_ycbcr(face[:64, :48], bits, tag.startswith("420"))
    data = write_frame(planes, tag)
    for plane, back in zip(planes, read_frame(data, tag), strict=True):
        assert np.array_equal(plane, back)
    with pytest.raises(ValueError, match="cut short"):
        read_frame(data[:-1], tag)
    with pytest.raises(ValueError, match="expected a YUV4MPEG2 frame of kind"):
        read_frame(b"RIFF" + data, tag)
