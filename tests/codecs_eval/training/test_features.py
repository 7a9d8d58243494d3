"""Cached features: the distance is a dot product, and the work is done once."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import lpips
import numpy as np
import pytest
import torch

from codecs_eval.agreement.dataset import FrozenDataset
from codecs_eval.metrics.batch_pooling import pool_batch
from codecs_eval.metrics.heads import official_heads
from codecs_eval.metrics.lpips import load_trunk
from codecs_eval.metrics.lpips_state import lpips_state
from codecs_eval.metrics.pooling import Pooled, pool
from codecs_eval.metrics.trunk import Trunk, random_state
from codecs_eval.training.features import pair_features
from codecs_eval.training.reporter import Stopped
from tests.codecs_eval.metrics.pictures import make_damaged, make_picture
from tests.codecs_eval.metrics.pretrained import as_input, official_lpips
from tests.codecs_eval.training.datasets import STRENGTHS, Listener, make_dataset

Weights = Callable[[str], Path]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> FrozenDataset:
    return make_dataset(tmp_path_factory.mktemp("frozen") / "planted", n_sources=3)


@pytest.fixture(scope="module")
def trunk(weight_file: Weights) -> Trunk:
    return load_trunk("alex", weight_file, torch.device("cpu"))


def test_the_dot_product_is_the_distance_of_the_lpips_package(
    dataset: FrozenDataset, trunk: Trunk, weight_file: Weights, tmp_path: Path
) -> None:
    features = pair_features(dataset, trunk, tmp_path, Listener(), 1.0)
    heads = torch.cat(official_heads("alex")).double().numpy()
    module = official_lpips("alex", weight_file)
    errors = []
    for (reference, image), row in features.rows.items():
        with torch.no_grad():
            expected = module(*(as_input(dataset.image(sha)) for sha in (reference, image)))
        found = features.values[row, 0].astype(float) @ heads
        errors.append(abs(found / float(expected) - 1.0))
    assert np.median(errors) < 1e-6
    assert max(errors) < 1e-5


@pytest.mark.parametrize("name", ["alex", "squeeze", "vgg"])
def test_the_dot_product_is_as_near_the_truth_as_the_package_is(name: str) -> None:
    """Truth: the lpips package in float64. Both round in the trunk; it shows at small distances."""
    trunk = Trunk(name, random_state(name, torch.Generator().manual_seed(1)))
    heads = torch.cat(official_heads(name)).double()
    package = lpips.LPIPS(net=name, pnet_rand=True, verbose=False)
    package.load_state_dict(lpips_state(trunk, official_heads(name), with_trunk=True), strict=False)
    exact = deepcopy(package).double()
    errors: dict[str, list[float]] = {"ours": [], "package": []}
    for seed in range(3):
        picture = make_picture(48, 48, seed=seed)
        images = [make_damaged(picture, strength, seed=seed) for strength in STRENGTHS]
        mean = pool(trunk, picture, images, with_noise=True).mean
        for row, image in zip(mean.double(), images, strict=True):
            pair = as_input(picture), as_input(image)
            with torch.no_grad():
                truth, theirs = float(exact(*(x.double() for x in pair))), float(package(*pair))
            errors["ours"].append(abs(float(row @ heads) / truth - 1.0))
            errors["package"].append(abs(theirs / truth - 1.0))
    for found in errors.values():
        assert np.median(found) < 1e-6
        assert max(found) < 5e-6


def test_the_noise_is_the_variance_of_dropping_half_of_the_map(
    dataset: FrozenDataset, trunk: Trunk, tmp_path: Path
) -> None:
    features = pair_features(dataset, trunk, tmp_path, Listener(), 1.0)
    (reference, image), row = next(iter(features.rows.items()))
    maps = []
    for sha in (reference, image):
        tap = next(trunk.taps(as_input(dataset.image(sha)))).double()
        maps.append(tap / (tap.square().sum(dim=1, keepdim=True).sqrt() + 1e-10))
    element = (maps[0] - maps[1]).square()[0].flatten(1)
    # mean of 2 b s with b in {0, 1}: each element has variance s^2.
    expected = element.square().sum(dim=1) / element.shape[1] ** 2
    np.testing.assert_allclose(features.values[row, 1, :64], expected.numpy(), rtol=1e-4)


def test_each_distinct_pair_is_computed_once_and_kept(
    dataset: FrozenDataset, trunk: Trunk, tmp_path: Path
) -> None:
    first = pair_features(dataset, trunk, tmp_path, Listener(), 1.0)
    assert first.values.shape == (12, 2, 1152)
    again = Listener()
    second = pair_features(dataset, trunk, tmp_path, again, 1.0)
    assert again.notes == []
    assert np.array_equal(first.values, second.values)


def test_a_stopped_build_goes_on_where_it_was_to_the_same_bits(
    trunk: Trunk, tmp_path: Path
) -> None:
    # Some batches of small references: 32 sources of five 40 px images go together.
    dataset = make_dataset(tmp_path / "planted", n_sources=40)
    whole = pair_features(dataset, trunk, tmp_path / "whole", Listener(), 1.0)
    with pytest.raises(Stopped):
        pair_features(dataset, trunk, tmp_path / "broken", Listener(stop_at=2), 1.0)
    [done_list] = (tmp_path / "broken").glob("*.done.json")
    assert 0 < len(json.loads(done_list.read_text())) < 40
    listener = Listener()
    resumed = pair_features(dataset, trunk, tmp_path / "broken", listener, 1.0)
    assert listener.asked == 1
    assert np.array_equal(whole.values, resumed.values)
    assert [path.suffix for path in (tmp_path / "broken").iterdir() if path.suffix != ".lock"] == [
        ".npy"
    ]


@pytest.mark.parametrize("name", ["alex", "squeeze", "vgg"])
def test_small_references_together_have_the_features_of_each_alone(name: str) -> None:
    trunk = Trunk(name, random_state(name, torch.Generator().manual_seed(1)))
    groups = []
    for seed, n in enumerate((1, 3, 2)):
        picture = make_picture(48, 40, seed=seed)
        groups.append((picture, [make_damaged(picture, 5.0 * (k + 1)) for k in range(n)]))
    together = pool_batch(trunk, groups)
    alone = [pool(trunk, reference, images, with_noise=True) for reference, images in groups]
    for found, expected in (
        (together.mean, torch.cat([one.mean for one in alone])),
        (together.noise, torch.cat([one.noise for one in alone])),
    ):
        assert found is not None and found.shape == expected.shape
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-9)
    weights = torch.cat(official_heads(name)).double()
    distances = [pooled.double() @ weights for pooled in (together.mean, expected_mean(alone))]
    # As far as float32 in the trunk is from the truth: another batch, another order of its sums.
    torch.testing.assert_close(*distances, rtol=5e-6, atol=0.0)


def expected_mean(alone: list[Pooled]) -> torch.Tensor:
    return torch.cat([one.mean for one in alone])


def test_another_trunk_has_another_key(
    dataset: FrozenDataset, trunk: Trunk, tmp_path: Path
) -> None:
    state = {key: value.clone() for key, value in trunk.features.state_dict().items()}
    state["0.bias"][0] += 1.0
    other = Trunk("alex", state)
    keys = {pair_features(dataset, t, tmp_path, Listener(), 1.0).key for t in (trunk, other)}
    assert len(keys) == 2
