"""The search for a rate: states, the best of all tried, what is shared between targets."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from codecs_eval.codecs.codec import Codec, Dial, Probe, Settings
from codecs_eval.codecs.search import RateSearch, timed_decode
from codecs_eval.codecs.table import load_codec

Image = NDArray[np.uint8]
Psnr = Callable[[Image, Image], float]
KODAK_RATES = (0.23, 0.37, 0.67, 1.0)
SQUARE = np.zeros((100, 100, 3), np.uint8)


@dataclass
class PaperCodec:
    """A codec of this test: its files are as long as `bpp(settings)` says, for a known answer."""

    bpp: Callable[[Settings], float]
    dials: tuple[Dial, ...]
    defaults: Settings
    asked: list[Settings] = field(default_factory=list)
    name = "paper"
    extension = "bin"
    version = "1"

    def probe(self) -> Probe:
        return Probe(self.name, "Paper", True, self.version, "")

    def encode(self, image: Image, settings: Settings) -> bytes:
        self.asked.append(settings)
        return bytes(round(self.bpp(settings) * image.shape[0] * image.shape[1] / 8))

    def decode(self, data: bytes) -> Image:
        return SQUARE


def make_paper(bpp: Callable[[float], float], count: int = 101) -> PaperCodec:
    """One dial of whole values; `bpp` gives the rate of a value."""
    dial = Dial("value", tuple(range(count)), ((0, 0.05), (count - 1, 5.0)))
    return PaperCodec(lambda settings: bpp(float(settings["value"])), (dial,), {"value": 50})


def steps_of_13_percent(value: float) -> float:
    return float(0.05 * 1.13**value)


def test_a_hit_is_within_the_tolerance_and_its_bytes_are_counted(codec: Codec, face: Image) -> None:
    image = np.ascontiguousarray(face[40:200, 40:200])
    search = RateSearch(codec, image)
    for target in (0.9, 1.5) if codec.name != "vvc" else (1.2,):
        result = search.find(target)
        assert result.bpp == pytest.approx(8 * len(result.data) / (160 * 160))
        assert result.state == "hit" or codec.name == "bpg"
        assert abs(result.bpp / target - 1) <= 0.02 or codec.name == "bpg"
        assert codec.encode(image, result.settings) == result.data
        assert set(result.settings) == set(codec.defaults)
        assert timed_decode(codec, result.data).image.shape == image.shape


def test_a_coarse_dial_gives_the_nearest_and_says_so() -> None:
    codec = make_paper(steps_of_13_percent)
    for target in np.geomspace(0.1, 4, 25):
        search = RateSearch(codec, SQUARE)
        result = search.find(float(target))
        best = min((abs(steps_of_13_percent(v) / target - 1), v) for v in range(101))
        assert result.state == ("hit" if best[0] <= 0.02 else "nearest")
        assert result.settings["value"] == best[1]
        assert result.encodes_tried <= 7


def test_the_best_is_returned_and_not_the_last() -> None:
    codec = make_paper(steps_of_13_percent)
    # 0.2 % below the midpoint in rate: the search must look at both neighbours.
    low, high = steps_of_13_percent(20), steps_of_13_percent(21)
    for target, nearest in ((low * 1.05, 20), (high / 1.05, 21)):
        result = RateSearch(codec, SQUARE).find(target)
        assert result.settings["value"] == nearest
    assert {settings["value"] for settings in codec.asked} >= {20, 21}


def test_beyond_the_ends_of_the_dial_is_unreachable_and_gives_the_end() -> None:
    codec = make_paper(steps_of_13_percent, count=41)
    for target, end in ((0.01, 0), (40.0, 40)):
        search = RateSearch(codec, SQUARE)
        result = search.find(target)
        assert (result.state, result.settings["value"]) == ("unreachable", end)
        assert result.encodes_tried <= 6


def test_a_flat_picture_cannot_be_made_smaller_than_its_header() -> None:
    flat = np.full((64, 64, 3), 90, np.uint8)
    result = RateSearch(load_codec("jpeg"), flat).find(0.23)
    assert result.state == "unreachable"
    assert result.bpp > 0.5


def exponential(factor: float, power: float, value: float) -> float:
    return factor * 0.3 * math.exp(power * (value - 500) / 200)


def test_rates_far_from_the_typical_are_found_all_the_same() -> None:
    for factor, power in ((0.02, 1.0), (30.0, 1.0), (1.0, 3.0), (1.0, 0.3)):
        codec = make_paper(partial(exponential, factor, power), 1001)
        targets = [codec.bpp({"value": value}) for value in (90, 480, 930)]
        for target in targets:
            result = RateSearch(codec, np.zeros((700, 700, 3), np.uint8)).find(target)
            assert result.state == "hit", (factor, power, target, result)
            assert result.encodes_tried <= 10


def test_a_rate_that_does_not_rise_everywhere_is_found_too() -> None:
    def bumpy(value: float) -> float:
        return 0.05 * 1.02**value * (1 + 0.03 * math.sin(value))

    codec = make_paper(bumpy, 201)
    for value in (40, 77, 120, 166):
        result = RateSearch(codec, SQUARE).find(bumpy(value))
        assert result.state == "hit"


def test_single_values_that_cost_more_do_not_hide_the_rate_beside_them() -> None:
    def spiked(value: float) -> float:
        return 0.05 * 1.005**value * (1.08 if value % 7 < 1 else 1.0)

    image = np.zeros((500, 500, 3), np.uint8)
    for value in range(100, 600, 23):
        codec = make_paper(spiked, 901)
        assert RateSearch(codec, image).find(spiked(value)).state == "hit"


def test_what_was_tried_for_one_target_serves_the_next() -> None:
    codec = make_paper(steps_of_13_percent)
    search = RateSearch(codec, SQUARE)
    first = search.find(0.3)
    assert search.find(0.3) == type(first)(
        first.state, first.settings, first.data, first.bpp, 0, first.encode_cpu_ms
    )
    for target in (0.31, 0.6, 1.2, 0.3):
        search.find(target)
    tried = [tuple(settings.items()) for settings in codec.asked]
    assert len(tried) == len(set(tried))


def test_the_second_dial_is_turned_where_the_first_is_coarse() -> None:
    first = Dial("value", tuple(range(41)), ((0, 0.05), (40, 6.0)))
    second = Dial("fine", tuple(range(-10, 11)), ((-10, 0.9), (0, 1.0), (10, 1.1)))
    codec = PaperCodec(
        lambda settings: (
            steps_of_13_percent(float(settings["value"])) * (1 + float(settings["fine"]) / 150)
        ),
        (first, second),
        {"value": 20, "fine": 0},
    )
    image = np.zeros((400, 400, 3), np.uint8)
    for target in np.geomspace(0.1, 4, 25):
        result = RateSearch(codec, image).find(float(target))
        assert result.state == "hit"
        assert result.encodes_tried <= 9
    assert any(settings["fine"] != 0 for settings in codec.asked)
    assert RateSearch(codec, image).find(0.01).state == "unreachable"


def test_a_target_or_tolerance_that_is_no_number_above_zero_is_refused(cat: Image) -> None:
    search = RateSearch(load_codec("jpeg"), cat)
    for target in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="expected a target above 0 bpp, found"):
            search.find(target)
    with pytest.raises(ValueError, match="expected a tolerance between 0 and 1, found 0"):
        RateSearch(load_codec("jpeg"), cat, tolerance=0)


def test_a_dial_that_is_out_of_order_is_refused() -> None:
    with pytest.raises(ValueError, match="typical rates must rise"):
        Dial("quality", (1, 2, 3), ((1, 0.5), (3, 0.4)))
    with pytest.raises(ValueError, match="start and end where values do"):
        Dial("quality", (1, 2, 3), ((3, 0.1), (1, 0.4)))


# dB of RGB at the four rates, as measured when the means over all 24 photos agreed with an
# independent bisection (whole JPEG qualities, plain libraries) within 0.1 dB.
KODAK_DB = {
    ("kodim05", "jpeg"): (21.05, 23.00, 25.73, 27.65),
    ("kodim05", "webp"): (23.30, 25.08, 27.78, 30.29),
    ("kodim05", "jpeg2000"): (23.34, 24.92, 27.77, 30.21),
    ("kodim23", "jpeg"): (30.43, 33.11, 36.03, 37.97),
    ("kodim23", "webp"): (33.58, 35.76, 38.19, 39.65),
    ("kodim23", "jpeg2000"): (34.58, 37.00, 40.04, 42.09),
}


@pytest.mark.parametrize(("photo", "name"), KODAK_DB)
def test_kodak_photos_hit_every_rate_with_the_known_quality(
    shared_data: Callable[[str], Path], psnr_db: Psnr, photo: str, name: str
) -> None:
    with PIL.Image.open(shared_data("kodak") / f"{photo}.png") as picture:
        image = np.array(picture.convert("RGB"))
    codec = load_codec(name)
    search = RateSearch(codec, image)
    for target, known_db in zip(KODAK_RATES, KODAK_DB[photo, name], strict=True):
        result = search.find(target)
        assert result.state == "hit"
        assert abs(result.bpp / target - 1) <= 0.02
        assert psnr_db(image, codec.decode(result.data)) == pytest.approx(known_db, abs=0.3)
