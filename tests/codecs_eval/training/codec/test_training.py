"""A codec's training on two photographs: short, real, and the same after a kill."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from skimage import data
from torch import Tensor

from codecs_eval.codecs.learned.codec import LearnedCodec
from codecs_eval.codecs.learned.saving import load_model
from codecs_eval.codecs.learned.shape import GPU_SHAPE, MODEL_FILE
from codecs_eval.metrics.lpips import default_device
from codecs_eval.training.capacity import has_bf16
from codecs_eval.training.codec.config import PRESETS, TrainCodecConfig
from codecs_eval.training.codec.fitting import CodecFit
from codecs_eval.training.codec.photos import Photos, check_sizes
from codecs_eval.training.codec.training import Material, train_codec

CPU = torch.device("cpu")
SHORT = TrainCodecConfig(
    collection="two", steps=6, batch_size=2, crop_px=64, held_out=1, measure_every=3
)


class Listener:
    """Hears what a training says, and asks it to stop after so many steps."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.points: list[tuple[int, str, float]] = []
        self.lines: list[str] = []
        self._asked, self._stop_after = 0, stop_after

    def progress(self, done: float, total: float, note: str = "") -> None: ...

    def log(self, line: str) -> None:
        self.lines.append(line)

    def metric(self, step: int, name: str, value: float) -> None:
        self.points.append((step, name, value))

    def should_stop(self) -> bool:
        self._asked += 1
        return self._stop_after is not None and self._asked > self._stop_after


def left_half(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    saliency = np.zeros(image.shape[:2], np.float32)
    saliency[:, : image.shape[1] // 2] = 1
    return saliency


def photos(look: Any = None) -> Photos:
    pixels = [data.astronaut()[:256, :256], data.coffee()[:256, :256]]
    return Photos(["astronaut", "coffee"], lambda index: pixels[index], look)


def material(**values: Any) -> Material:
    return Material(photos(), (data.chelsea()[:128, :128],), ("chelsea",), **values)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("uninterrupted")
    train_codec(material(), SHORT, folder, Listener())
    return folder


def test_a_training_leaves_a_codec_that_codes(uninterrupted: Path) -> None:
    saved = load_model(uninterrupted / MODEL_FILE)
    codec = LearnedCodec("learned-00000000", "Learned", saved)
    photo = data.chelsea()[:128, :128]
    decoded = codec.decode(codec.encode(photo, {"level": 5.0}))
    assert np.abs(decoded.astype(int) - photo).mean() < 6
    assert saved.facts["config"]["steps"] == SHORT.steps
    assert saved.facts["photos"] == ["astronaut", "coffee"]


def test_a_stopped_training_goes_on_to_the_same_weights(
    uninterrupted: Path, tmp_path: Path
) -> None:
    assert train_codec(material(), SHORT, tmp_path, Listener(4)) == {"is_finished": False}
    listener = Listener()
    result = train_codec(material(), SHORT, tmp_path, listener)
    assert listener.lines[0] == "Going on from step 4."
    assert [row["step"] for row in result["curve"]] == [3, 6]
    assert (tmp_path / MODEL_FILE).read_bytes() == (uninterrupted / MODEL_FILE).read_bytes()


def test_the_checkpoint_of_another_training_is_refused(uninterrupted: Path) -> None:
    other = dataclasses.replace(SHORT, seed=1)
    with pytest.raises(ValueError, match="belongs to a training of another configuration"):
        train_codec(material(), other, uninterrupted, Listener())


def test_what_was_measured_are_real_files(uninterrupted: Path, tmp_path: Path) -> None:
    listener = Listener()
    result = train_codec(material(), SHORT, tmp_path, listener)
    told = {(step, name): value for step, name, value in listener.points}
    last = result["curve"][-1]
    assert last["step"] == 6
    codec = LearnedCodec("learned-00000000", "Learned", load_model(tmp_path / MODEL_FILE))
    photo = data.chelsea()[:128, :128]
    for level in last["levels"]:
        data_ = codec.encode(photo, {"level": level["level"]})
        assert 8 * len(data_) / photo[..., 0].size == pytest.approx(level["bpp"])
        assert told[6, f"level {level['level']:g}: bpp"] == level["bpp"]
    assert sorted(path.name for path in (tmp_path / "samples").iterdir()) == [
        "step-0000003.png",
        "step-0000006.png",
    ]


def test_learning_lowers_the_loss_on_what_it_learns_from() -> None:
    config = dataclasses.replace(SHORT, steps=60, batch_size=4)
    fit = CodecFit(config, photos(), CPU)
    batch = photos().batch(dataclasses.replace(config, batch_size=16), 6.0, step=1000)

    def loss() -> float:
        with torch.no_grad():
            coded = fit.mean(batch.pixels, batch.level, batch.quality_map)
            error = (coded.pixels - batch.pixels).square().mean((1, 2, 3))
            bpp = coded.bits / (64 * 64)
            return float((fit.mean.multiplier(batch.level) * error + bpp).mean())

    before = loss()
    for _ in range(60):
        fit.learn()
    assert loss() < 0.9 * before


def test_a_metric_joins_the_loss_from_its_step_on_and_is_ramped() -> None:
    config = dataclasses.replace(SHORT, steps=20, metric="any", metric_from=0.5, metric_weight=10.0)

    def distance(reference: Tensor, decoded: Tensor) -> Tensor:
        return (reference - decoded).abs().mean((1, 2, 3))

    fit = CodecFit(config, photos(), CPU, distance)
    told = [fit.learn() for _ in range(14)]
    assert ["metric" in row for row in told] == [False] * 11 + [True] * 3
    assert fit.distance is not None


def test_half_of_the_crops_learn_with_saliency_and_errors_there_weigh_more() -> None:
    config = dataclasses.replace(SHORT, batch_size=32, saliency="any", saliency_weight=3.0)
    batch = photos(left_half).batch(config, 6.0, step=0)
    is_guided = batch.weight.flatten(1).std(1) > 0
    has_map = batch.quality_map.flatten(1).sum(1) > 0
    plain = (batch.weight == 1).flatten(1).all(1)
    assert 8 <= int(plain.sum()) <= 24
    assert not (has_map & plain).any()
    assert float(batch.weight.max()) == pytest.approx(4 / 2.5)
    assert is_guided.any()


def test_a_batch_is_a_function_of_seed_and_step_alone() -> None:
    first, second = photos().batch(SHORT, 6.0, step=7), photos().batch(SHORT, 6.0, step=7)
    assert torch.equal(first.pixels, second.pixels) and torch.equal(first.level, second.level)
    assert not torch.equal(first.pixels, photos().batch(SHORT, 6.0, step=8).pixels)


def test_a_training_may_begin_at_another(uninterrupted: Path, tmp_path: Path) -> None:
    begun = material(begin=uninterrupted / MODEL_FILE)
    config = dataclasses.replace(SHORT, start="x", steps=1, learning_rate=1e-7, measure_every=9)
    train_codec(
        begun, dataclasses.replace(config, entropy_learning_rate=1e-7), tmp_path, Listener()
    )
    before = load_model(uninterrupted / MODEL_FILE).model.state_dict()
    after = load_model(tmp_path / MODEL_FILE).model.state_dict()
    assert all(torch.allclose(before[name], after[name], atol=1e-5) for name in before)


def test_a_training_of_another_size_cannot_begin_there(uninterrupted: Path, tmp_path: Path) -> None:
    config = dataclasses.replace(SHORT, size="gpu", start="x")
    with pytest.raises(ValueError, match="of another size"):
        train_codec(material(begin=uninterrupted / MODEL_FILE), config, tmp_path, Listener())


@pytest.mark.skipif(
    has_bf16(default_device(), torch.cpu.get_capabilities()), reason="16 bits are at home here"
)
def test_16_bits_are_refused_where_they_would_be_emulated(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="without instructions for it"):
        train_codec(material(), dataclasses.replace(SHORT, bf16=True), tmp_path, Listener())


@pytest.mark.skipif(
    not has_bf16(default_device(), torch.cpu.get_capabilities()), reason="no 16 bits here"
)
def test_16_bits_learn_about_what_32_do() -> None:
    losses = [
        CodecFit(dataclasses.replace(SHORT, bf16=is_bf16), photos(), CPU).learn()["loss"]
        for is_bf16 in (False, True)
    ]
    assert losses[1] == pytest.approx(losses[0], rel=0.05)


def test_a_ladder_of_its_own_makes_the_levels() -> None:
    config = dataclasses.replace(SHORT, ladder_px=[100, 50, 20.0])
    assert config.shape.steps_px == (100, 50, 20.0) and config.shape.top_level == 2
    assert TrainCodecConfig(**config.to_json()) == config
    with pytest.raises(ValueError, match="expected two or more, falling"):
        dataclasses.replace(SHORT, ladder_px=(20.0, 50.0))
    with pytest.raises(ValueError, match="found ladder_px 0.1"):
        dataclasses.replace(SHORT, ladder_px=(20.0, 0.1))


def test_photos_too_small_for_a_crop_are_told() -> None:
    assert check_sizes(["a", "b"], [(64, 200), (32, 300)], 64) == [0]
    with pytest.raises(ValueError, match="the largest 50 px on its shorter side"):
        check_sizes(["a"], [(50, 300)], 64)


def test_the_full_configuration_takes_a_step_and_codes(tmp_path: Path) -> None:
    assert PRESETS["gpu"].shape == GPU_SHAPE
    config = dataclasses.replace(PRESETS["gpu"], crop_px=64, batch_size=1, bf16=False, steps=1)
    fit = CodecFit(config, photos(), CPU)
    assert np.isfinite(fit.learn()["loss"])
    from codecs_eval.training.codec.measuring import codec_of

    photo = data.chelsea()[:64, :70]
    codec = codec_of(fit.mean, tmp_path, None)
    assert codec.decode(codec.encode(photo, {"level": 3.0})).shape == photo.shape
