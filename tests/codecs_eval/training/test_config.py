"""The settings of a training."""

from dataclasses import fields
from typing import Any

import pytest

from codecs_eval.training.config import PRESETS, TrainMetricConfig


def test_the_rate_first_drops_after_the_sixth_epoch_as_the_reference_code_does() -> None:
    rates = [TrainMetricConfig().rate_at(epoch) for epoch in range(1, 11)]
    assert rates == pytest.approx([1e-4] * 6 + [8e-5, 6e-5, 4e-5, 2e-5])


def test_every_field_says_what_it_is_and_what_it_may_be() -> None:
    for entry in fields(TrainMetricConfig):
        assert entry.metadata["label"]
        assert entry.metadata["help"]
        assert "choices" in entry.metadata or "low" in entry.metadata or entry.type is bool


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("backbone", "dino", "expected one of alex, vgg, squeeze"),
        ("combine_with", ("sharpness",), "expected one of psnr"),
        ("combine_with", "psnr", "found combine_with 'p'"),
        ("ridge", -1.0, "found ridge"),
        ("ridge", float("nan"), "found ridge"),
        ("epochs_flat", 2.5, "expected a value of type"),
        ("warm_start", 1, "expected a value of type"),
        ("folds", 1, "expected 0"),
        ("learning_rate", 0.0, "found learning_rate"),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        TrainMetricConfig(**{name: value})


def test_no_epochs_at_all_are_refused() -> None:
    with pytest.raises(ValueError, match="found no epochs"):
        TrainMetricConfig(epochs_flat=0, epochs_decay=0)


def test_a_config_survives_json() -> None:
    for config in PRESETS.values():
        assert TrainMetricConfig(**config.to_json()) == config
