"""JPEG's quantisation tables against libjpeg's own."""

import io

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from codecs_eval.codecs.quantisation import scaled_tables
from codecs_eval.codecs.table import load_codec

Image = NDArray[np.uint8]


def test_whole_qualities_give_the_very_bytes_of_libjpeg(cat: Image) -> None:
    jpeg = load_codec("jpeg")
    for quality in (1, 3, 10, 30, 49, 50, 75, 95, 100):
        stream = io.BytesIO()
        PIL.Image.fromarray(cat).save(
            stream, "JPEG", quality=quality, subsampling="4:2:0", progressive=True, optimize=True
        )
        assert jpeg.encode(cat, {"quality": quality}) == stream.getvalue()


def test_between_whole_qualities_the_tables_lie_between() -> None:
    for low in (4, 12, 49, 60, 94):
        below, between, above = (np.array(scaled_tables(q)) for q in (low, low + 0.5, low + 1))
        assert (below >= between).all() and (between >= above).all()
        assert below.sum() > between.sum() > above.sum()


def test_a_quality_beyond_the_scale_is_refused() -> None:
    for quality in (0.5, 101):
        with pytest.raises(ValueError, match="expected a quality of 1..100, found"):
            scaled_tables(quality)
