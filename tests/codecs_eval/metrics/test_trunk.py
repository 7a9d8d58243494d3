"""Trunks with random weights against those of the lpips package, so that no file is needed."""

import lpips
import numpy as np
import pytest
import torch

from codecs_eval.metrics.heads import official_heads
from codecs_eval.metrics.lpips import LpipsMetric
from codecs_eval.metrics.trunk import BACKBONES, Trunk, random_state
from tests.codecs_eval.metrics.pictures import make_damaged, make_picture
from tests.codecs_eval.metrics.pretrained import as_input


def make_trunk(name: str) -> Trunk:
    return Trunk(name, random_state(name, torch.Generator().manual_seed(3)))


def package_with(trunk: Trunk) -> lpips.LPIPS:
    """The lpips package's module with this trunk and the official heads."""
    name = trunk.backbone.name
    module = lpips.LPIPS(net=name, pnet_rand=True, verbose=False)
    state = trunk.features.state_dict()
    module.net.load_state_dict(
        {key: state[key.split(".", 1)[1]] for key in module.net.state_dict()}
    )
    return module


@pytest.mark.parametrize("size", [(64, 64), (67, 90), (33, 64)])
def test_squeezenets_distances_equal_those_of_the_lpips_package(size: tuple[int, int]) -> None:
    trunk = make_trunk("squeeze")
    metric = LpipsMetric("squeeze", trunk, official_heads("squeeze"))
    picture = make_picture(*size)
    changed = [make_damaged(picture, strength) for strength in (5, 40)]
    # In float64: the package in float32 is itself up to 5e-6 off where a distance is small.
    module = package_with(trunk).double()
    with torch.no_grad():
        expected = [
            float(module(as_input(picture).double(), as_input(image).double())) for image in changed
        ]
    assert metric.scores(picture, changed) == pytest.approx(expected, rel=1e-6)


def test_the_smallest_size_is_the_least_that_squeezenet_computes_from() -> None:
    trunk = make_trunk("squeeze")
    least = trunk.backbone.smallest_px
    assert [tap.shape[2] for tap in trunk(torch.zeros(1, 3, least, least))] == [8, 4, 2, 1, 1, 1, 1]
    with pytest.raises(RuntimeError, match="too small"):
        trunk(torch.zeros(1, 3, least - 1, least - 1))


def test_what_a_tile_needs_around_it_is_what_the_deepest_tap_sees() -> None:
    """Changed pixels move only those points of the last map whose halo reaches them."""
    for name, plan in BACKBONES.items():
        trunk = make_trunk(name)
        image = torch.zeros(1, 3, 48, 480).requires_grad_()
        *_, deepest = trunk.taps(image)
        column = deepest.shape[3] // 2
        deepest[0, :, :, column].sum().backward()
        assert image.grad is not None
        seen = image.grad.abs().sum(dim=(0, 1, 2)).nonzero()[:, 0]
        start = plan.strides[-1] * column
        assert start - int(seen.min()) <= plan.halo_px
        assert int(seen.max()) < start + plan.strides[-1] + plan.halo_px


def test_a_random_trunk_comes_from_its_seed_and_keeps_the_spread_of_its_input() -> None:
    for name in BACKBONES:
        one, two = make_trunk(name), make_trunk(name)
        assert one.sha256 == two.sha256
        noise = torch.from_numpy(np.random.default_rng(0).normal(0, 0.5, (1, 3, 96, 96))).float()
        spreads = [float(tap.std()) for tap in one.taps(noise)]
        assert all(0.05 < spread < 20.0 for spread in spreads)


def test_the_known_value_of_torchmetrics_doctest_under_squeezenet(weight_file: object) -> None:
    from codecs_eval.metrics.lpips import Lpips, load_trunk

    trunk = load_trunk("squeeze", weight_file, torch.device("cpu"))  # type: ignore[arg-type]
    module = Lpips(trunk, official_heads("squeeze"), input_range=(-1.0, 1.0))
    # torchmetrics 1.9, learned_perceptual_image_patch_similarity: 0.1008.
    generator = torch.random.fork_rng()
    with generator:
        torch.manual_seed(123)
        images = [(torch.rand(10, 3, 100, 100) * 2) - 1 for _ in range(2)]
    found = float(module(*images).mean())
    assert found == pytest.approx(0.1008, abs=6e-5)
