"""Both saliency models: where they look, on photos whose answer is known."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from codecs_eval.saliency.saliency import Image, Map, Saliency
from codecs_eval.saliency.spectral_residual import residual_map
from codecs_eval.saliency.table import DEFAULT, SALIENCY, load_saliency
from codecs_eval.saliency.u2netp import as_input
from codecs_eval.weights import WEIGHTS
from tests.codecs_eval.metrics.pretrained import weight_source
from tests.codecs_eval.saliency.pictures import make_ball, make_odd_patch


@pytest.fixture(params=list(SALIENCY))
def model(request: pytest.FixtureRequest) -> Saliency:
    return load_saliency(request.param, weight_source())


def no_weights(name: str) -> Path:
    raise AssertionError(f"asked for the weights {name}")


def test_every_entry_of_the_table_says_what_it_is() -> None:
    assert DEFAULT in SALIENCY
    for name, entry in SALIENCY.items():
        assert entry.name == name and entry.definition and set(entry.needs_weights) <= set(WEIGHTS)


def test_an_unknown_model_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'eyes'; expected one of u2netp, spectral-residual"):
        load_saliency("eyes", no_weights)


def test_a_model_is_called_as_its_row_of_the_table(model: Saliency) -> None:
    assert SALIENCY[model.name].version == model.version


@pytest.mark.parametrize("size", [(64, 64), (37, 90), (1, 1), (300, 40)])
def test_a_map_has_the_photo_s_size_and_lies_in_0_to_1(
    model: Saliency, size: tuple[int, int]
) -> None:
    image = np.random.default_rng(1).integers(0, 256, (*size, 3), dtype=np.uint8)
    found = model.map(image)
    assert found.shape == size and found.dtype == np.float32
    assert found.min() >= 0 and found.max() <= 1


def test_the_same_photo_gives_the_same_map(model: Saliency) -> None:
    image, _ = make_ball()
    assert np.array_equal(model.map(image), model.map(image.copy()))


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_plain_surface_gives_numbers_and_no_error(model: Saliency, value: int) -> None:
    assert np.isfinite(model.map(np.full((80, 100, 3), value, np.uint8))).all()


@pytest.mark.parametrize(
    "image", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)]
)
def test_what_is_no_photo_is_refused(model: Saliency, image: Image) -> None:
    with pytest.raises(ValueError, match=r"expected uint8 and \(height, width, 3\)"):
        model.map(image)


def ratio_inside(found: Map, place: np.ndarray) -> float:
    return float(found[place].mean() / max(found[~place].mean(), 1e-6))


def test_u2netp_finds_the_ball_on_the_lawn() -> None:
    image, place = make_ball()
    found = load_saliency("u2netp", weight_source()).map(image)
    overlap = ((found >= 0.5) & place).sum() / ((found >= 0.5) | place).sum()
    assert overlap > 0.9


def test_u2netp_reads_red_green_and_blue_in_their_order() -> None:
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 100
    values = as_input(red)
    assert values.shape == (1, 3, 320, 320) and values.dtype == np.float32
    # (1 - 0.485) / 0.229 where the photo's maximum is, (0 - mean) / deviation elsewhere.
    assert values[0, :, 5, 5] == pytest.approx([2.2489, -2.0357, -1.8044], abs=1e-4)


def test_spectral_residual_finds_the_odd_patch_without_weights() -> None:
    image, place = make_odd_patch()
    found = load_saliency("spectral-residual", no_weights).map(image)
    assert place[np.unravel_index(found.argmax(), found.shape)]
    assert ratio_inside(found, place) > 3


def test_spectral_residual_is_the_formula_of_its_paper() -> None:
    """Hou and Zhang's few lines, written out with sums instead of filters."""
    grey = np.random.default_rng(5).random((12, 17))
    spectrum = np.fft.fft2(grey)
    log = np.log(np.abs(spectrum))
    padded = np.pad(log, 1, mode="edge")
    mean = sum(padded[dy : dy + 12, dx : dx + 17] for dy in range(3) for dx in range(3)) / 9
    raw = np.abs(np.fft.ifft2(np.exp(log - mean) * spectrum / np.abs(spectrum))) ** 2
    taps = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 2.5**2))
    taps /= taps.sum()
    wide = np.pad(raw, 5)
    expected = sum(
        taps[dy] * taps[dx] * wide[dy : dy + 12, dx : dx + 17]
        for dy in range(11)
        for dx in range(11)
    )
    assert residual_map(grey) == pytest.approx(expected, rel=1e-9)


def test_a_plain_surface_is_salient_nowhere_by_its_spectrum() -> None:
    found = load_saliency("spectral-residual", no_weights).map(np.full((90, 70, 3), 77, np.uint8))
    assert not found.any()


def test_the_weights_are_asked_for_by_name() -> None:
    asked: list[str] = []
    find: Callable[[str], Path] = weight_source()

    def told(name: str) -> Path:
        asked.append(name)
        return find(name)

    load_saliency("u2netp", told)
    assert asked == ["u2netp"]
