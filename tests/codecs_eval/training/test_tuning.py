"""Modes tune and scratch, from a frozen dataset to a metric on disk."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import lpips
import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from codecs_eval.metrics.lpips import load_trunk
from codecs_eval.metrics.trained import load_combined, load_trained
from codecs_eval.training.config import TrainMetricConfig
from codecs_eval.training.metric import train_metric
from codecs_eval.training.processes import Processes
from codecs_eval.training.tuning import NOISE, ORDER, chance
from tests.codecs_eval.metrics.pretrained import as_input
from tests.codecs_eval.training.datasets import Listener
from tests.codecs_eval.training.trainings import (
    Done,
    kill_a_training,
    train_planted,
    without_seconds,
)

Weights = Callable[[str], Path]

CONFIG = TrainMetricConfig(
    mode="tune",
    warm_start=True,
    ridge=0.01,
    learning_rate=1e-3,
    trunk_learning_rate=1e-5,
    epochs_flat=1,
    epochs_decay=1,
    batch_size=10,
    accumulation=2,
    folds=2,
    combine_with=("psnr",),
)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, weight_file: Weights) -> Done:
    # Under 63 px AlexNet's last maps have one point, of which oneDNN's threads sum the gradients in
    # any order where an image passes alone: the last bit would differ from one run to the next.
    return train_planted(tmp_path_factory.mktemp("tuning"), CONFIG, weight_file, size_px=64)


def tensors(folder: Path) -> dict[str, bytes]:
    return {
        f"{name} {key}": value.numpy().tobytes()
        for name in ("heads", "trunk")
        for key, value in load_file(folder / f"{name}.safetensors").items()
    }


def test_a_tuned_metric_loads_like_any_other_and_has_a_trunk_of_its_own(
    done: Done, weight_file: Weights
) -> None:
    metric = load_trained(done.folder, weight_file, "run:1")
    assert metric.trunk.sha256 != load_trunk("alex", weight_file).sha256
    row = done.dataset.triplets.iloc[0]
    reference, first = (done.dataset.image(row[c]) for c in ("source_image", "first_image"))
    module = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    trunk, heads = (load_file(done.folder / f"{n}.safetensors") for n in ("trunk", "heads"))
    module.net.load_state_dict({k: trunk[k.split(".", 1)[1]] for k in module.net.state_dict()})
    for i, head in enumerate(module.lins):
        head.model[1].weight.data = heads[f"lin{i}"]
    with torch.no_grad():
        expected = float(module(as_input(reference), as_input(first)))
    assert metric.scores(reference, [first]) == pytest.approx([expected], rel=1e-5)
    assert not (done.folder / "heads.pth").exists()


def test_the_result_is_that_of_the_metric_which_was_left(done: Done, weight_file: Weights) -> None:
    metric = load_trained(done.folder, weight_file)
    table = done.dataset.triplets.merge(done.dataset.votes(), on=["triplet_id", "source"])
    table = table[table["source"].isin(done.dataset.sources("test"))]
    right, means = [], []
    for row in table.itertuples():
        images = [done.dataset.image(sha) for sha in (row.first_image, row.second_image)]
        first, second = metric.scores(done.dataset.image(row.source_image), images)
        share = row.k_second / row.n
        right.append(share if second < first else 1 - share)
        means += [first, second]
    assert done.result["heldout"]["trained"] == pytest.approx(np.mean(right), abs=1e-6)
    assert done.result["train"]["n_triplets"] + done.result["heldout"]["n_triplets"] == 36
    json.dumps(done.result, allow_nan=False)


def test_folds_hold_out_whole_sources(done: Done) -> None:
    table = pd.read_parquet(done.folder / "out_of_fold.parquet")
    assert {"d_first", "d_second", "combined_logit"} <= set(table.columns)
    merged = table.merge(done.dataset.triplets, on="triplet_id", validate="one_to_one")
    assert len(merged) == 36
    assert merged.groupby("source")["fold"].nunique().eq(1).all()
    assert set(merged["fold"]) == {0, 1}


def test_the_combination_with_psnr_is_told_and_loads(done: Done, weight_file: Weights) -> None:
    told = done.result["combination"]
    assert told["metrics"] == ["trained", "psnr"]
    assert told["cross_validated"]["without"] == pytest.approx(
        done.result["cross_validated"]["trained"]
    )
    assert 0.5 < told["cross_validated"]["with"] <= 1.0
    combined = load_combined(done.folder, weight_file)
    row = done.dataset.triplets.iloc[3]
    reference = done.dataset.image(row["source_image"])
    images = [done.dataset.image(row[c]) for c in ("first_image", "second_image")]
    scores = [metric.scores(reference, images) for metric in combined.metrics]
    expected = [
        told["weights"][0] * d - told["weights"][1] * psnr for d, psnr in zip(*scores, strict=True)
    ]
    assert combined.scores(reference, images) == pytest.approx(expected)


def test_the_progress_tells_how_long_it_will_take(done: Done) -> None:
    assert any("s left" in note for _, note in done.listener.notes)
    shares = [share for share, _ in done.listener.notes]
    assert shares == sorted(shares)
    assert {name for _, name, _ in done.listener.metrics} == {
        "train_loss",
        "heldout_agreement",
        "fold_agreement",
    }


@pytest.mark.parametrize("stop_at", [8, 19])
def test_a_fit_stopped_in_mid_epoch_goes_on_to_the_same_weights(
    stop_at: int, done: Done, weight_file: Weights, tmp_path: Path
) -> None:
    # Six questions are asked by the scores of psnr, then one a step: 2 x 2 in each fold.
    broken = train_metric(
        done.dataset, CONFIG, tmp_path, weight_file, Listener(stop_at=stop_at), done.cache
    )
    assert broken == {"is_finished": False}
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert state["fit"]["step"] > 0
    resumed = train_metric(
        done.dataset, CONFIG, tmp_path, weight_file, Listener(), cache=done.cache
    )
    assert without_seconds(resumed) == without_seconds(done.result)
    assert tensors(tmp_path) == tensors(done.folder)


@pytest.mark.slow
def test_a_killed_process_goes_on_to_the_same_weights(
    done: Done, weight_file: Weights, tmp_path: Path
) -> None:
    def is_within_an_epoch() -> bool:
        if not (tmp_path / "checkpoint.pt").exists():
            return False
        fit = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["fit"]
        return fit is not None and fit["step"] > 0

    kill_a_training(
        *(done, "tests.codecs_eval.training.test_tuning", tmp_path, weight_file),
        is_within_an_epoch,
        pause_s=0.1,
        first="from codecs_eval.training import tuning; tuning._KEEP_EVERY_S = 0.0",
    )
    assert not (tmp_path / "heads.safetensors").exists()
    resumed = train_metric(
        done.dataset, CONFIG, tmp_path, weight_file, Listener(), cache=done.cache
    )
    assert without_seconds(resumed) == without_seconds(done.result)
    assert tensors(tmp_path) == tensors(done.folder)


def test_a_batch_in_parts_is_the_same_step(
    done: Done, weight_file: Weights, tmp_path: Path
) -> None:
    short = dataclasses.replace(CONFIG, folds=0, combine_with=(), epochs_flat=1, epochs_decay=0)
    curves = []
    for parts in (1, 5):
        config = dataclasses.replace(short, accumulation=parts)
        folder = tmp_path / str(parts)
        train_metric(done.dataset, config, folder, weight_file, Listener(), done.cache)
        curves.append(json.loads((folder / "curves.json").read_text())["final"]["train_loss"])
    assert curves[0] == pytest.approx(curves[1], rel=1e-5)


def test_scratch_begins_at_random_and_learns(
    done: Done, weight_file: Weights, tmp_path: Path
) -> None:
    config = TrainMetricConfig(
        mode="scratch",
        backbone="squeeze",
        head="logistic",
        learning_rate=1e-2,
        trunk_learning_rate=1e-3,
        epochs_flat=4,
        epochs_decay=0,
        batch_size=9,
        early_stopping=3,
    )
    result = train_metric(done.dataset, config, tmp_path, weight_file, Listener())
    curve = json.loads((tmp_path / "curves.json").read_text())["final"]
    assert min(curve["train_loss"][1:]) < curve["train_loss"][0]
    kept = result["early_stopping"]["kept_epoch"]
    assert curve["validation_loss"][kept - 1] == min(curve["validation_loss"])
    trunk = load_file(tmp_path / "trunk.safetensors")
    # Heads are clamped by name: SqueezeNet's own 1x1 convolutions keep their signs.
    for key in ("3.squeeze.weight", "12.expand1x1.weight"):
        assert float((trunk[key] < 0).float().mean()) > 0.3
    assert all(
        float(head.min()) >= 0 for head in load_file(tmp_path / "heads.safetensors").values()
    )


def test_a_warm_start_of_a_random_trunk_is_refused() -> None:
    with pytest.raises(ValueError, match="belong to the ImageNet trunk"):
        TrainMetricConfig(mode="scratch", warm_start=True)


def test_noise_and_order_are_drawn_apart() -> None:
    drawn = [
        torch.rand(4, generator=generator).tolist()
        for generator in (
            chance(7, ORDER, 1),
            chance(7, NOISE, 1, 0),
            chance(7, NOISE, 1, 1),
            chance(7, ORDER, 2),
        )
    ]
    assert all(one not in drawn[:number] for number, one in enumerate(drawn))


class Stopping(Processes):
    """Two processes, of which the other one has been asked to stop."""

    def is_any(self, flag: bool) -> bool:
        return True


def test_who_is_stopped_elsewhere_does_not_begin_to_fit(
    done: Done, weight_file: Weights, tmp_path: Path
) -> None:
    listener = Listener()
    result = train_metric(
        *(done.dataset, CONFIG, tmp_path, weight_file, listener, done.cache), processes=Stopping()
    )
    assert result == {"is_finished": False}
    assert not (tmp_path / "checkpoint.pt").exists()


def test_lin_needs_no_second_process(done: Done, weight_file: Weights, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="found 2 processes for mode lin; expected one"):
        train_metric(
            *(done.dataset, TrainMetricConfig(), tmp_path, weight_file, Listener()),
            processes=Processes(0, 2),
        )
