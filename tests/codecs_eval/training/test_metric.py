"""From a frozen dataset to a metric on disk, with the real AlexNet."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from codecs_eval.metrics.table import load_metric
from codecs_eval.metrics.trained import load_trained
from codecs_eval.training.config import TrainMetricConfig
from codecs_eval.training.metric import train_metric
from tests.codecs_eval.metrics.pretrained import as_input, official_lpips
from tests.codecs_eval.training.datasets import Listener
from tests.codecs_eval.training.trainings import (
    Done,
    kill_a_training,
    train_planted,
    without_seconds,
)

Weights = Callable[[str], Path]

CONFIG = TrainMetricConfig(
    warm_start=True, learning_rate=1e-2, epochs_flat=2, epochs_decay=2, batch_size=10, folds=3
)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, weight_file: Weights) -> Done:
    return train_planted(tmp_path_factory.mktemp("training"), CONFIG, weight_file)


def artifacts(folder: Path) -> dict[str, Any]:
    """What a training leaves, as comparable values."""
    return {
        "heads": {
            k: v.numpy().tobytes() for k, v in load_file(folder / "heads.safetensors").items()
        },
        "folds": pd.read_parquet(folder / "out_of_fold.parquet").to_dict("list"),
        "curves": json.loads((folder / "curves.json").read_text()),
    }


def test_the_result_sets_the_trained_metric_beside_the_untouched_one(done: Done) -> None:
    result = done.result
    assert result["is_finished"]
    assert result["is_simulated"]
    assert (result["n_triplets"], result["n_sources"], result["n_judgments"]) == (36, 6, 108)
    assert result["train"]["n_triplets"] + result["heldout"]["n_triplets"] == 36
    assert result["cross_validated"]["n_triplets"] == 36
    for part in ("train", "heldout", "cross_validated"):
        assert 0.5 < result[part]["untouched"] <= 1.0
        assert 0.5 < result[part]["trained"] <= 1.0
    json.dumps(result, allow_nan=False)


def test_the_trained_folder_loads_as_a_metric_and_as_lpips(
    done: Done, weight_file: Weights
) -> None:
    metric = load_trained(done.folder, weight_file, "run:1")
    row = done.dataset.triplets.iloc[0]
    reference, first = (done.dataset.image(row[c]) for c in ("source_image", "first_image"))
    [found] = metric.scores(reference, [first])
    module = official_lpips("alex", weight_file, done.folder / "heads.pth")
    with torch.no_grad():
        expected = float(module(as_input(reference), as_input(first)))
    assert found == pytest.approx(expected, rel=1e-5)
    [untouched] = load_metric("lpips-alex", weight_file).scores(reference, [first])
    assert abs(found / untouched - 1) > 1e-4
    trained = load_file(done.folder / "heads.safetensors")
    for i, head in enumerate(module.lins):
        assert torch.equal(head.model[1].weight.detach(), trained[f"lin{i}"])


def test_out_of_fold_distances_come_from_heads_that_never_saw_the_source(done: Done) -> None:
    table = pd.read_parquet(done.folder / "out_of_fold.parquet")
    assert list(table.columns) == ["triplet_id", "fold", "d_first", "d_second", "is_simulated"]
    assert set(table["is_simulated"]) == {done.dataset.is_simulated}
    merged = table.merge(done.dataset.triplets, on="triplet_id", validate="one_to_one")
    assert len(merged) == 36
    assert merged["d_first"].gt(0).all()
    assert merged.groupby("source")["fold"].nunique().eq(1).all()
    assert set(merged["fold"]) == {0, 1, 2}


def test_the_config_says_what_the_metric_was_made_of(done: Done) -> None:
    facts = json.loads((done.folder / "config.json").read_text())
    assert TrainMetricConfig(**facts["config"]) == CONFIG
    assert facts["is_simulated"] is True
    assert set(facts["split"]["train"]).isdisjoint(facts["split"]["test"])
    assert {"trunk_sha256", "weights_sha256", "backbone"} <= set(facts)
    assert len(facts["dataset"]["manifest_sha256"]) == 64


def test_the_live_curve_has_loss_and_heldout_agreement_for_each_epoch(done: Done) -> None:
    steps = {
        name: [s for s, n, _ in done.listener.metrics if n == name]
        for name in ("train_loss", "heldout_agreement", "fold_agreement")
    }
    assert steps == {
        "train_loss": [1, 2, 3, 4],
        "heldout_agreement": [1, 2, 3, 4],
        "fold_agreement": [1, 2, 3],
    }
    shares = [share for share, _ in done.listener.notes]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_distances_keep_the_official_scale(done: Done, weight_file: Weights) -> None:
    trained = load_trained(done.folder, weight_file)
    official = load_metric("lpips-alex", weight_file)
    means = []
    for metric in (trained, official):
        scores = []
        for reference, group in done.dataset.triplets.groupby("source_image"):
            shas = sorted(set(group["first_image"]) | set(group["second_image"]))
            images = [done.dataset.image(sha) for sha in shas]
            scores += metric.scores(done.dataset.image(str(reference)), images)
        means.append(np.mean(scores))
    assert means[0] == pytest.approx(means[1], rel=1e-4)


@pytest.mark.parametrize("stop_at", [2, 9, 14, 18])
def test_a_stopped_run_resumes_to_the_same_numbers(
    stop_at: int, done: Done, weight_file: Weights, tmp_path: Path
) -> None:
    broken = train_metric(
        done.dataset, CONFIG, tmp_path, weight_file, Listener(stop_at=stop_at), cache=done.cache
    )
    assert broken == {"is_finished": False}
    assert not (tmp_path / "heads.pth").exists()
    resumed = train_metric(
        done.dataset, CONFIG, tmp_path, weight_file, Listener(), cache=done.cache
    )
    assert without_seconds(resumed) == without_seconds(done.result)
    assert artifacts(tmp_path) == artifacts(done.folder)


def test_a_killed_process_resumes_to_the_same_numbers(
    done: Done, weight_file: Weights, tmp_path: Path
) -> None:
    kill_a_training(
        *(done, "tests.codecs_eval.training.test_metric", tmp_path, weight_file),
        (tmp_path / "checkpoint.pt").exists,
        pause_s=0.05,
    )
    assert not (tmp_path / "heads.pth").exists()
    resumed = train_metric(
        done.dataset, CONFIG, tmp_path, weight_file, Listener(), cache=done.cache
    )
    assert without_seconds(resumed) == without_seconds(done.result)
    assert artifacts(tmp_path) == artifacts(done.folder)


def test_another_configuration_does_not_continue_a_checkpoint(
    done: Done, weight_file: Weights
) -> None:
    other = dataclasses.replace(CONFIG, seed=1)
    with pytest.raises(ValueError, match="belongs to a training of another configuration"):
        train_metric(done.dataset, other, done.folder, weight_file, Listener(), cache=done.cache)


def test_a_triplet_without_a_judgment_is_refused_by_name(
    done: Done, weight_file: Weights, tmp_path: Path
) -> None:
    unjudged = done.dataset.triplets["triplet_id"].iloc[4]
    judgments = done.dataset.judgments
    dataset = dataclasses.replace(
        done.dataset, judgments=judgments[judgments["triplet_id"] != unjudged]
    )
    with pytest.raises(ValueError, match=f"1 of 36 triplets have no judgment, such as {unjudged}"):
        train_metric(dataset, CONFIG, tmp_path, weight_file, Listener())


def test_a_metric_is_not_loaded_onto_another_trunk(
    done: Done, weight_file: Weights, tmp_path: Path
) -> None:
    facts = json.loads((done.folder / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**facts, "trunk_sha256": "0" * 64}))
    with pytest.raises(ValueError, match="expected 0000"):
        load_trained(tmp_path, weight_file)
    with pytest.raises(ValueError, match=r"no config\.json"):
        load_trained(tmp_path / "nowhere", weight_file)
