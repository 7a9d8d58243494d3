"""Heads trained without a codec: on features that are made up, and known to the end."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from codecs_eval.agreement.intervals import Bootstrap
from codecs_eval.training.config import PRESETS, TrainMetricConfig
from codecs_eval.training.features import PairFeatures
from codecs_eval.training.fitting import Prior
from codecs_eval.training.leaving_out import leave_out_heads
from tests.codecs_eval.training.codec_triplets import make_dataset, make_features
from tests.codecs_eval.training.datasets import Listener

CONFIG = replace(PRESETS["small_data"], epochs_flat=30, batch_size=25, learning_rate=0.1, ridge=0.0)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, PairFeatures, Prior]:
    """Four codecs at two rates; people mind channel 0 of six."""
    dataset = make_dataset(tmp_path_factory.mktemp("codecs"), n_sources=8, n_codecs=4)
    features = make_features(dataset, n_channels=6)
    return dataset, features, Prior(torch.full((6,), 1.0), (2, 4))


@pytest.mark.parametrize(("part", "n_folds"), [("test", 1), ("all", 5)])
def test_every_codec_and_rate_has_its_row(made: Any, part: str, n_folds: int) -> None:
    found = leave_out_heads(
        *made, CONFIG, ("codec", "rate"), part, Bootstrap(resamples=200), Listener(), "heads"
    )
    assert found.n_folds == n_folds
    rows = [(row.by, row.label) for row in found.rows]
    assert rows == [
        *(("codec", f"codec{number}") for number in range(4)),
        ("rate", "0.25 bpp"),
        ("rate", "1 bpp"),
    ]
    dataset = made[0]
    n_sources = len(dataset.sources("test" if part == "test" else "all"))
    for row in found.rows:
        assert row.n_sources == n_sources
        assert row.unmet and row.met and row.untouched
        assert row.n_trained_on >= 30
    stored = found.to_json()
    assert stored["config"]["epochs_flat"] == 30
    assert len(stored["rows"]) == 6


def test_training_helps_where_people_mind_what_the_prior_does_not(made: Any) -> None:
    found = leave_out_heads(
        *made, CONFIG, ("codec",), "all", Bootstrap(resamples=200), Listener(), "heads"
    )
    gains = [row.gain.value for row in found.rows if row.gain]
    assert len(gains) == 4
    assert np.mean(gains) > 0.03


def test_the_same_seed_gives_the_same_numbers(made: Any) -> None:
    told = [
        leave_out_heads(
            *made, CONFIG, ("rate",), "test", Bootstrap(resamples=200), Listener(), "heads"
        ).to_json()
        for _ in range(2)
    ]
    assert told[0] == told[1]


def test_a_trunk_that_is_trained_has_no_cached_features(made: Any, tmp_path: Path) -> None:
    tuned = TrainMetricConfig(mode="tune")
    with pytest.raises(ValueError, match="'tune'; expected 'lin'"):
        leave_out_heads(*made, tuned, ("codec",), "all", Bootstrap(), Listener(), "heads")
