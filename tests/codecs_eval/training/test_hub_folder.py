"""A trained metric's folder for a hub: the card tells its numbers, the files are what it says."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lpips
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from safetensors import safe_open

from codecs_eval.agreement.dataset import FrozenDataset
from codecs_eval.metrics.heads import read_pth
from codecs_eval.metrics.lpips import LpipsMetric
from codecs_eval.metrics.lpips_state import lpips_state
from codecs_eval.training.config import TrainMetricConfig
from codecs_eval.training.export_scores import export_scores
from codecs_eval.training.hub_folder import Exported, write_hub_folder
from codecs_eval.training.model_card import model_card
from tests.codecs_eval.metrics.pretrained import as_input
from tests.codecs_eval.metrics.test_onnx_export import make_metric
from tests.codecs_eval.training.datasets import Listener, make_dataset


@dataclass(frozen=True)
class Made:
    folder: Path
    names: list[str]
    metric: LpipsMetric
    config: dict[str, Any]
    scores: dict[str, Any]
    card: str


def facts_of(dataset: FrozenDataset) -> dict[str, Any]:
    return {
        "input": "rgb -1..1",
        "config": TrainMetricConfig(ridge=0.25).to_json(),
        "dataset": {"name": dataset.manifest.name, "manifest_sha256": "ab" * 32},
        "split": {
            "seed": 3,
            "train": list(dataset.sources("train")),
            "test": list(dataset.sources("test")),
        },
        "torch": torch.__version__,
    }


def out_of_fold(dataset: FrozenDataset) -> pd.DataFrame:
    """A metric that always finds the first image closer."""
    ids = dataset.triplets["triplet_id"]
    return pd.DataFrame({"triplet_id": ids, "d_first": 0.1, "d_second": 0.2})


def make_export(folder: Path, *, is_simulated: bool, is_trunk_trained: bool) -> Made:
    dataset = make_dataset(folder / "dataset", is_simulated=is_simulated)
    trunk, heads = make_metric("alex")
    metric = LpipsMetric("trained", trunk, heads)
    untouched = LpipsMetric("lpips-alex", trunk, make_metric("alex", seed=4)[1])
    scores = export_scores(dataset, metric, untouched, out_of_fold(dataset), Listener())
    found = Exported(
        title="Metric of Ada's garden",
        run="0a1b",
        metric=metric,
        is_trunk_trained=is_trunk_trained,
        facts=facts_of(dataset),
        scores=scores,
        dataset=dataset,
    )
    names = write_hub_folder(folder / "export", found)
    config = json.loads((folder / "export" / "config.json").read_text())
    card = (folder / "export" / "README.md").read_text()
    return Made(folder / "export", names, metric, config, scores, card)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("simulated")
    return make_export(folder, is_simulated=True, is_trunk_trained=False)


@pytest.fixture(scope="module")
def made_of_people(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("people")
    return make_export(folder, is_simulated=False, is_trunk_trained=True)


def test_every_file_is_named_and_has_its_stated_sum(made: Made) -> None:
    found = {p.relative_to(made.folder).as_posix() for p in made.folder.rglob("*") if p.is_file()}
    assert found == set(made.names)
    for name, stated in made.config["files"].items():
        assert hashlib.sha256((made.folder / name).read_bytes()).hexdigest() == stated
        assert f"`{name}`" in made.card


def test_the_card_says_simulated_first_and_only_where_it_is(
    made: Made, made_of_people: Made
) -> None:
    body = made.card.split("---\n", 2)[2]
    assert body.strip().splitlines()[2].startswith("> **SIMULATED.**")
    assert "simulated observers" in made.card and "agreement with people" not in made.card
    assert "imulated" not in made_of_people.card and "SIMULATED" not in made_of_people.card
    assert "agreement with people" in made_of_people.card


def test_the_card_tells_the_scores_with_intervals_and_both_human_references(made: Made) -> None:
    parts = {part["part"]: part for part in made.scores["parts"]}
    assert set(parts) == {"heldout", "cross_validated"}
    for part in parts.values():
        trained, untouched = part["metrics"]
        assert (trained["name"], untouched["name"]) == ("trained", "untouched")
        for row in (trained, untouched):
            low, high = 100 * row["low"], 100 * row["high"]
            assert f"| {100 * row['agreement']:.1f} | {low:.1f} to {high:.1f} |" in made.card
        for name in ("unbiased", "ideal"):
            assert f"{100 * part['people'][name]['value']:.1f}" in made.card
    assert "two different judgments of one triplet agree (unbiased)" in made.card
    assert "ideal observer" in made.card


def test_the_cross_validated_part_is_scored_by_the_heads_of_the_folds(made: Made) -> None:
    [crossed] = [part for part in made.scores["parts"] if part["part"] == "cross_validated"]
    dataset = make_dataset(made.folder.parent / "again")
    votes = dataset.votes()
    expected = float((votes["n"] - votes["k_second"]).sum() / votes["n"].sum())
    assert crossed["metrics"][0]["agreement"] == pytest.approx(expected)
    assert crossed["counts"]["triplets"] == 36


def test_the_recipes_scores_are_not_passed_off_as_those_of_the_exported_tensors(
    made: Made,
) -> None:
    labels = {part["part"]: part["metrics"][0]["label"] for part in made.scores["parts"]}
    assert labels == {"heldout": "this metric", "cross_validated": "same recipe, out of fold"}
    assert "by heads trained without it" not in made.card
    assert "| same recipe, out of fold less untouched LPIPS, points |" in made.card


def test_the_card_says_which_pictures_set_the_scale(made: Made) -> None:
    assert "the training pictures." not in made.card
    assert "On the pictures of its dataset, held-out ones too, the mean distance is" in made.card


def test_the_card_says_on_what_and_how_it_was_trained(made: Made) -> None:
    for said in (
        "planted (from import:test)",
        "108 of 36 triplets from 6 sources",
        "| Votes per triplet | 3 to 3, median 3 |",
        "| Raters | 3 |",
        "| Codecs | noise |",
        "40 x 40 px",
        "| ridge | 0.25 |",
        "Data (pictures and judgments): CC0",
        "BSD-3-Clause",
        "values in -1 to 1",
        "wholly on one side",
        "## Out of scope",
    ):
        assert said in made.card, said


def test_a_name_with_markdown_in_it_stays_in_its_cell(made: Made) -> None:
    config = json.loads(json.dumps(made.config))
    config["dataset"]["name"] = "a | b\n# c"
    assert "| Dataset | a \\| b # c (from import:test) |" in model_card(config, made.scores)


def test_lpips_gives_the_self_test_distance_with_the_exported_heads(made: Made) -> None:
    module = lpips.LPIPS(
        net="alex", pnet_rand=True, model_path=str(made.folder / "lpips.pth"), verbose=False
    )
    heads = read_pth(made.folder / "lpips.pth", "alex")
    module.load_state_dict(lpips_state(made.metric.trunk, heads, with_trunk=True), strict=False)
    assert self_test_distance(module, made) == pytest.approx(
        made.config["self_test"]["distance"], rel=1e-5
    )


def test_lpips_needs_nothing_more_where_the_trunk_was_trained(made_of_people: Made) -> None:
    made = made_of_people
    module = lpips.LPIPS(
        net="alex", pnet_rand=True, model_path=str(made.folder / "lpips.pth"), verbose=False
    )
    assert self_test_distance(module, made) == pytest.approx(
        made.config["self_test"]["distance"], rel=1e-5
    )
    assert "trunk was trained too" in made.card


def self_test_distance(module: Any, made: Made) -> float:
    pictures = [
        np.asarray(Image.open(made.folder / made.config["self_test"][name]))
        for name in ("reference", "distorted")
    ]
    return float(module(*(as_input(picture) for picture in pictures)).detach())


def test_safetensors_hold_what_was_trained_and_say_what_it_is(
    made: Made, made_of_people: Made
) -> None:
    with safe_open(made.folder / "model.safetensors", framework="pt") as file:
        keys, metadata = set(file.keys()), file.metadata()
    assert keys == {f"lin{i}" for i in range(5)}
    assert metadata["backbone"] == "alex" and metadata["is_simulated"] == "true"
    assert json.loads(metadata["scores"]) == made.scores["parts"]
    with safe_open(made_of_people.folder / "model.safetensors", framework="pt") as file:
        assert "features.0.weight" in set(file.keys())


def test_without_a_held_out_source_the_card_claims_nothing(made: Made) -> None:
    card = model_card(made.config, {**made.scores, "parts": []})
    assert "No source was held out: nothing here says how well it agrees." in card
