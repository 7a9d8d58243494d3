import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage import data

from codecs_eval.codecs.learned.codec import LearnedCodec
from codecs_eval.codecs.learned.quality_map import map_of
from codecs_eval.codecs.learned.saving import load_model, model_file
from codecs_eval.codecs.learned.symbols import DamagedStream
from codecs_eval.codecs.learned.tiles import tiles_of
from codecs_eval.codecs.search import RateSearch
from codecs_eval.metrics.psnr import decibels
from tests.codecs_eval.codecs.learned.conftest import sides


def psnr(first: np.ndarray, second: np.ndarray) -> float:
    return decibels(first.astype(float), second.astype(float))


@pytest.mark.parametrize("size", [(1, 1), (1, 70), (33, 65), (64, 64), (97, 31)])
@pytest.mark.parametrize("guided", [0, 1])
def test_any_size_comes_back_in_its_size(
    codec: LearnedCodec, size: tuple[int, int], guided: int
) -> None:
    photo = data.astronaut()[: size[0], : size[1]]
    decoded = codec.decode(codec.encode(photo, {"level": 4.0, "guided": guided}))
    assert decoded.shape == photo.shape
    assert decoded.dtype == np.uint8
    assert psnr(photo, decoded) > 25


def test_a_finer_level_is_closer_and_larger(codec: LearnedCodec) -> None:
    photo = data.coffee()[:256, :256]
    files = [codec.encode(photo, {"level": level, "guided": 0}) for level in (0.0, 2.0, 4.0, 6.0)]
    values = [psnr(photo, codec.decode(file)) for file in files]
    assert [len(file) for file in files] == sorted({len(file) for file in files})
    assert values == sorted(values)


def test_the_rates_of_a_study_are_hit(codec: LearnedCodec) -> None:
    search = RateSearch(codec, data.coffee()[:256, :384])
    for rate in (0.5, 0.8, 1.2):
        found = search.find(rate)
        assert found.state == "hit"
        assert abs(found.bpp / rate - 1) <= 0.02


def test_bits_go_where_the_map_says(codec: LearnedCodec) -> None:
    photo = data.coffee()[:256, :512]
    plain = codec.encoded(photo, {"level": 2.0, "guided": 0})
    guided = codec.encoded(photo, {"level": 2.0, "guided": 1})
    half = guided.bits.shape[1] // 2
    gain = guided.bits.sum(0) / plain.bits.sum(0)
    assert gain[half:].mean() > 1.1 * gain[:half].mean()
    decoded = codec.decode(guided.data)
    right = decoded[:, -128:]
    before = codec.decode(plain.data)
    assert psnr(photo[:, -128:], right) > psnr(photo[:, -128:], before[:, -128:]) + 0.2


def test_the_map_costs_less_than_a_two_hundredth_of_a_bit_per_pixel(codec: LearnedCodec) -> None:
    photo = np.tile(data.coffee(), (2, 2, 1))[:512, :768]
    rng = np.random.default_rng(3)
    worst = LearnedCodec(
        codec.name,
        codec.label,
        _saved_without_tilt(codec),
        lambda image: rng.random(image.shape[:2], np.float32),
    )
    plain = worst.encode(photo, {"level": 2.0, "guided": 0})
    guided = worst.encode(photo, {"level": 2.0, "guided": 1})
    assert 8 * (len(guided) - len(plain)) / (512 * 768) < 0.005


def _saved_without_tilt(codec: LearnedCodec) -> object:
    """The same weights, deaf to the map: what is left of the difference is the map itself."""
    path = Path(torch.hub.tempfile.mkdtemp()) / "codec.safetensors"
    model = codec.model
    path.write_bytes(model_file(model, is_guided=True, facts={}))
    saved = load_model(path)
    with torch.no_grad():
        saved.model.log_tilt.zero_()
        saved.model.log_hyper_tilt.zero_()
    return saved


def test_what_the_bit_map_counts_is_what_the_file_has(codec: LearnedCodec) -> None:
    photo = data.coffee()[:256, :384]
    found = codec.encoded(photo, {"level": 4.0, "guided": 0})
    # The rest is the header, 36 bytes, and the hyper-latent.
    assert 0.8 * 8 * len(found.data) < found.bits.sum() < 8 * len(found.data)


def test_tiles_leave_no_seam(codec: LearnedCodec, fitted_file: Path) -> None:
    saved = load_model(fitted_file)
    saved.model.shape = dataclasses.replace(saved.model.shape, tile_px=128)
    tiled = LearnedCodec(codec.name, codec.label, saved, sides)
    photo = data.astronaut()[:300, :420]
    whole, parts = (
        decoder.decode(decoder.encode(photo, {"level": 4.0, "guided": 0}))
        for decoder in (codec, tiled)
    )
    # At a tile's border other neighbours predict its symbols: the error is another, not larger.
    assert psnr(photo, parts) == pytest.approx(psnr(photo, whole), abs=0.1)
    error = np.abs(parts.astype(int) - photo).mean((0, 2))
    at_seams = error[[127, 128, 255, 256, 383, 384]].mean()
    assert at_seams < 1.15 * error.mean()


def test_the_transforms_of_tiles_are_those_of_the_whole_photo(
    codec: LearnedCodec, fitted_file: Path
) -> None:
    saved = load_model(fitted_file)
    tiled = dataclasses.replace(saved.model.shape, tile_px=64)
    photo = data.astronaut()[:256, :320]
    pixels = torch.from_numpy(np.ascontiguousarray(photo)).permute(2, 0, 1)[None].float()
    conditions = torch.full((1, 2, 32, 40), 0.5)
    with torch.inference_mode():
        latent = saved.model.analysis(pixels, conditions)
        image = saved.model.synthesis(latent, conditions)
        for tile in tiles_of((8, 10), tiled):
            window = (slice(None), slice(None))
            fine = conditions[(*window, *tile.outer_positions)]
            own = saved.model.analysis(pixels[(*window, *tile.outer_pixels)], fine)
            back = saved.model.synthesis(latent[(*window, *tile.outer_positions)], fine)
            inside = own[(*window, *tile.within_positions)]
            assert torch.allclose(
                inside, latent[(*window, *tile.inner_positions)], atol=1e-2, rtol=1e-4
            )
            pixels_inside = back[(*window, *tile.within_pixels)]
            assert torch.allclose(pixels_inside, image[(*window, *tile.inner_pixels)], atol=1e-2)


@pytest.mark.parametrize("place", [0, 5, 12, 20, 30, 40, 200])
def test_a_changed_byte_is_an_error_and_never_a_picture(codec: LearnedCodec, place: int) -> None:
    stream = bytearray(codec.encode(data.astronaut()[:128, :128], {"level": 3.0}))
    stream[place] ^= 0x10
    with pytest.raises(DamagedStream):
        codec.decode(bytes(stream))


@pytest.mark.parametrize("length", [0, 3, 20, 35, 60, -1])
def test_a_cut_file_is_an_error_that_says_so(codec: LearnedCodec, length: int) -> None:
    stream = codec.encode(data.astronaut()[:128, :128], {"level": 3.0})
    with pytest.raises(DamagedStream, match="cut|begins with"):
        codec.decode(stream[:length])


def test_a_file_of_another_model_is_refused_by_name(codec: LearnedCodec, tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    path.write_bytes(model_file(codec.model, is_guided=True, facts={"other": 1}))
    other = LearnedCodec("learned-11111111", "Other", load_model(path), sides)
    stream = other.encode(data.astronaut()[:64, :64], {"level": 3.0})
    with pytest.raises(DamagedStream, match="found a file of model .* expected one of"):
        codec.decode(stream)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    path = tmp_path / "no.safetensors"
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(ValueError, match="does not say that it is a learned codec"):
        load_model(path)


def test_settings_that_it_has_not_are_refused(codec: LearnedCodec) -> None:
    photo = data.astronaut()[:64, :64]
    with pytest.raises(ValueError, match="level must be 0.0..6.0, found 7.0"):
        codec.encode(photo, {"level": 7.0})
    with pytest.raises(ValueError, match="guided must be 0 or 1"):
        codec.encode(photo, {"guided": 2})


def test_saliency_becomes_cells_of_its_mean() -> None:
    saliency = np.zeros((40, 64), np.float32)
    saliency[:32, 32:] = 1
    assert map_of(saliency).tolist() == [[0, 7], [0, 0]]
    with pytest.raises(ValueError, match="expected 0 to 1"):
        map_of(saliency * 2)
