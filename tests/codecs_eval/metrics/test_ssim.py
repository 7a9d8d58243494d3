"""SSIM and MS-SSIM against scikit-image and piq."""

import numpy as np
import piq
import pytest
import torch
from skimage.metrics import structural_similarity

from codecs_eval.metrics.metric import luma
from codecs_eval.metrics.ssim import MS_SSIM_SMALLEST_PX, MsSsim, Ssim
from tests.codecs_eval.metrics.pictures import make_damaged, make_picture


def test_ssim_equals_scikit_image() -> None:
    picture = make_picture(61, 75)
    changed = [make_damaged(picture, strength) for strength in (3, 20, 60)]
    expected = [
        structural_similarity(
            luma(picture),
            luma(image),
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=255,
        )
        for image in changed
    ]
    assert Ssim().scores(picture, changed) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("strength", [3, 20, 60])
def test_ms_ssim_equals_piq(strength: float) -> None:
    picture = make_picture(176, 192)
    changed = make_damaged(picture, strength)
    tensors = [torch.tensor(i).permute(2, 0, 1)[None].double() for i in (picture, changed)]
    expected = float(piq.multi_scale_ssim(*tensors, data_range=255.0))
    assert MsSsim().scores(picture, [changed]) == pytest.approx([expected], abs=1e-5)


def test_identical_images_score_one() -> None:
    picture = make_picture(161, 163)
    assert Ssim().scores(picture, [picture]) == pytest.approx([1.0], abs=1e-12)
    assert MsSsim().scores(picture, [picture]) == pytest.approx([1.0], abs=1e-12)


def test_an_inverted_picture_scores_at_least_zero() -> None:
    picture = make_picture(170, 170)
    [score] = MsSsim().scores(picture, [255 - picture])
    assert score >= 0.0


def test_ms_ssim_refuses_what_five_scales_do_not_fit() -> None:
    small = np.zeros((MS_SSIM_SMALLEST_PX - 1, 300, 3), np.uint8)
    with pytest.raises(ValueError, match=r"300x160 px; expected at least 161"):
        MsSsim().scores(small, [small])
    exact = make_picture(MS_SSIM_SMALLEST_PX, MS_SSIM_SMALLEST_PX)
    assert MsSsim().scores(exact, [make_damaged(exact, 5)])[0] < 1.0
