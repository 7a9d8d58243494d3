"""VMAF and PSNR-HVS: the conversion to Y'CbCr, and what libvmaf makes of it."""

from pathlib import Path

import numpy as np
import pytest

from codecs_eval.metrics.libvmaf import Libvmaf, psnr_hvs, vmaf, yuv420
from codecs_eval.metrics.metric import Image
from tests.codecs_eval.metrics.pictures import make_damaged, make_picture


def make(factory: object) -> Libvmaf:
    metric = factory(lambda name: Path(name))  # type: ignore[operator]
    assert isinstance(metric, Libvmaf)
    return metric


# ITU-R BT.709, 8 bit: black, white, and the 100 % primaries of colour bars.
@pytest.mark.parametrize(
    ("rgb", "expected"),
    [
        ((0, 0, 0), (16, 128, 128)),
        ((255, 255, 255), (235, 128, 128)),
        ((255, 0, 0), (63, 102, 240)),
        ((0, 255, 0), (173, 42, 26)),
        ((0, 0, 255), (32, 240, 118)),
    ],
)
def test_colours_become_those_of_bt_709(
    rgb: tuple[int, int, int], expected: tuple[int, int, int]
) -> None:
    frame = np.frombuffer(yuv420(np.full((4, 6, 3), rgb, np.uint8)), np.uint8)
    assert len(frame) == 24 + 6 + 6
    assert [set(part) for part in np.split(frame, (24, 30))] == [{value} for value in expected]


def test_chroma_is_the_mean_of_2x2_and_an_odd_side_repeats() -> None:
    image = np.zeros((3, 3, 3), np.uint8)
    image[0, 0] = image[2, 2] = (0, 0, 255)
    frame = np.frombuffer(yuv420(image), np.uint8)
    assert frame[:9].reshape(3, 3).tolist() == [[32, 16, 16], [16, 16, 16], [16, 16, 32]]
    # Cb of blue is 128 + 112: a quarter of it, none, none, all.
    assert frame[9:13].tolist() == [156, 128, 128, 240]


@pytest.fixture(scope="module")
def picture() -> Image:
    return make_picture(66, 75)


@pytest.mark.parametrize("factory", [vmaf, psnr_hvs])
def test_many_at_once_score_as_one_by_one(factory: object, picture: Image) -> None:
    metric = make(factory)
    changed = [make_damaged(picture, strength) for strength in (30, 2, 10)]
    together = metric.scores(picture, changed)
    assert together == [metric.scores(picture, [image])[0] for image in changed]
    assert together[1] > together[2] > together[0]


def test_identical_images_have_the_value_that_the_table_states(picture: Image) -> None:
    assert make(vmaf).scores(picture, [picture])[0] == pytest.approx(97.4, abs=0.1)
    assert make(psnr_hvs).scores(picture, [picture]) == [100.0]


def test_psnr_hvs_sees_colour_and_vmaf_does_not(picture: Image) -> None:
    # More blue and as much less green in luma: only the chroma changes.
    changed = picture.astype(int) + np.array([0, -3, 30])
    tinted = np.clip(changed, 0, 255).astype(np.uint8)
    assert make(psnr_hvs).scores(picture, [tinted])[0] < 50.0
    assert make(vmaf).scores(picture, [tinted])[0] > 97.0


def test_a_small_image_is_refused() -> None:
    small = make_picture(63, 80)
    with pytest.raises(ValueError, match=r"80x63 px; expected at least 64 px"):
        make(vmaf).scores(small, [small])
