"""Our LPIPS against the lpips package with the same real weights."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from codecs_eval.metrics.heads import official_heads
from codecs_eval.metrics.lpips import Lpips, LpipsMetric, Reference, load_trunk
from codecs_eval.metrics.pooling import pool
from codecs_eval.metrics.table import load_metric
from tests.codecs_eval.metrics.pictures import make_damaged, make_picture
from tests.codecs_eval.metrics.pretrained import as_input, official_lpips

Weights = Callable[[str], Path]


@pytest.fixture(scope="module")
def alex(weight_file: Weights) -> LpipsMetric:
    trunk = load_trunk("alex", weight_file, torch.device("cpu"))
    return LpipsMetric("lpips-alex", trunk, official_heads("alex"))


@pytest.fixture(scope="module")
def module(alex: LpipsMetric) -> Lpips:
    return Lpips(alex.trunk, official_heads("alex"), input_range=(-1.0, 1.0))


def in_single_precision(distance: float) -> float:
    """What one rounding of both images' unit features changes in the square of their difference.

    The difference is about the root of the distance: |(d + 2 eps)^2 - d^2| is about 4 eps d.
    """
    return 4.0 * float(np.finfo(np.float32).eps) * distance**0.5


@pytest.mark.parametrize("backbone", ["alex", "vgg", "squeeze"])
@pytest.mark.parametrize("size", [(64, 64), (67, 131)])
def test_distances_equal_those_of_the_lpips_package(
    backbone: str, size: tuple[int, int], weight_file: Weights
) -> None:
    picture = make_picture(*size)
    changed = [make_damaged(picture, strength) for strength in (2, 15, 60)]
    found = load_metric(f"lpips-{backbone}", weight_file).scores(picture, changed)
    module = official_lpips(backbone, weight_file)
    images = [as_input(image) for image in (picture, *changed)]
    with torch.no_grad():
        single = [float(module(images[0], image)) for image in images[1:]]
        module.double()
        exact = [float(module(images[0].double(), image.double())) for image in images[1:]]
    # Of the slightest damage single precision knows few digits, the package's no more than ours.
    assert found[1:] == pytest.approx(single[1:], rel=1e-6)
    for value, distance in zip(found, exact, strict=True):
        assert value == pytest.approx(distance, rel=1e-6, abs=in_single_precision(distance))


@pytest.mark.parametrize("backbone", ["alex", "vgg", "squeeze"])
@pytest.mark.parametrize("spatial", [False, True])
def test_the_module_equals_the_lpips_package_also_in_maps_and_layers(
    backbone: str, spatial: bool, weight_file: Weights
) -> None:
    reference, changed = (as_input(make_picture(41, 50, seed)) for seed in (0, 1))
    official = official_lpips(backbone, weight_file)
    official.spatial = spatial
    trunk = load_trunk(backbone, weight_file, torch.device("cpu"))
    ours = Lpips(trunk, official_heads(backbone), input_range=(-1.0, 1.0), spatial=spatial)
    with torch.no_grad():
        whole, layers = official(reference, changed, retPerLayer=True)
        found = ours(reference, changed)
        found_layers = ours.per_layer(reference, changed)
    shape = (1, 41, 50) if spatial else (1,)
    assert found.shape == shape
    torch.testing.assert_close(found, whole.reshape(shape), rtol=1e-6, atol=1e-7 * spatial)
    for index, layer in enumerate(layers):
        torch.testing.assert_close(
            found_layers[:, index], layer.reshape(shape), rtol=2e-6, atol=1e-7
        )


@pytest.mark.parametrize("backbone", ["alex", "vgg", "squeeze"])
@pytest.mark.parametrize("size", [(273, 40), (300, 131), (41, 290)])
def test_tiles_of_a_large_image_give_what_the_whole_gives(
    backbone: str, size: tuple[int, int], weight_file: Weights
) -> None:
    trunk = load_trunk(backbone, weight_file, torch.device("cpu"))
    picture = make_picture(*size)
    changed = [make_damaged(picture, strength) for strength in (5, 40)]
    whole = pool(trunk, picture, changed, with_noise=True)
    tiles = pool(trunk, picture, changed, with_noise=True, tile_px=40 * 80)
    assert whole.noise is not None
    assert tiles.noise is not None
    torch.testing.assert_close(tiles.mean, whole.mean, rtol=1e-5, atol=1e-9)
    torch.testing.assert_close(tiles.noise, whole.noise, rtol=1e-5, atol=1e-12)


def test_identical_images_are_at_distance_zero(alex: LpipsMetric) -> None:
    picture = make_picture(48, 48)
    assert alex.scores(picture, [picture]) == [0.0]


def test_the_module_equals_the_metric_in_every_input_range(alex: LpipsMetric) -> None:
    picture = make_picture(64, 64)
    changed = make_damaged(picture, 20)
    [expected] = alex.scores(picture, [changed])
    for low, high in ((-1.0, 1.0), (0.0, 1.0), (0.0, 255.0)):
        module = Lpips(alex.trunk, official_heads("alex"), input_range=(low, high))
        a, b = ((as_input(i) + 1) / 2 * (high - low) + low for i in (picture, changed))
        assert float(module(a, b)) == pytest.approx(expected, rel=1e-5)


def test_values_outside_the_stated_range_are_refused(alex: LpipsMetric) -> None:
    module = Lpips(alex.trunk, official_heads("alex"), input_range=(0.0, 1.0))
    inside = torch.full((1, 3, 64, 64), 0.5)
    with pytest.raises(ValueError, match=r"expected 0 to 1"):
        module(inside, inside - 1.0)
    with pytest.raises(ValueError, match=r"expected one of"):
        Lpips(alex.trunk, official_heads("alex"), input_range=(0.0, 2.0))


def test_train_does_not_switch_it_out_of_eval_and_nothing_in_it_learns(alex: LpipsMetric) -> None:
    module = Lpips(alex.trunk, official_heads("alex"), input_range=(-1.0, 1.0)).train()
    assert not any(part.training for part in module.modules())
    assert not any(parameter.requires_grad for parameter in module.parameters())


def test_gradients_reach_the_inputs_and_stay_finite_on_flat_images(alex: LpipsMetric) -> None:
    module = Lpips(alex.trunk, official_heads("alex"), input_range=(-1.0, 1.0))
    flat = torch.zeros(1, 3, 64, 64)
    for image in (flat.clone(), as_input(make_picture(64, 64))):
        changed = image.requires_grad_()
        module(flat, changed).sum().backward()
        assert changed.grad is not None
        assert bool(torch.isfinite(changed.grad).all())
        assert float(changed.grad.abs().max()) > 0.0 or torch.equal(image, flat)


def test_one_reference_serves_many_reconstructions(alex: LpipsMetric) -> None:
    module = Lpips(alex.trunk, official_heads("alex"), input_range=(-1.0, 1.0))
    picture = make_picture(64, 64)
    changed = [make_damaged(picture, strength) for strength in (5, 25)]
    together = module(as_input(picture), torch.cat([as_input(image) for image in changed]))
    assert together.tolist() == pytest.approx(alex.scores(picture, changed), rel=1e-5)


def test_features_of_references_are_kept_for_many_reconstructions(
    module: Lpips, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = [make_picture(64, 96, seed) for seed in (0, 1)]
    references = torch.cat([as_input(picture) for picture in pictures])
    changed = torch.cat([as_input(make_damaged(picture, 25)) for picture in pictures])
    kept = module.reference(references)
    assert isinstance(kept, Reference)
    expected = module(references, changed)
    torch.testing.assert_close(module(kept, changed), expected, rtol=1e-6, atol=0.0)
    # In as many passes as their size asks for, each with its own reference.
    monkeypatch.setattr("codecs_eval.metrics.lpips.CPU_BATCH_PX", 64 * 96)
    torch.testing.assert_close(module(kept, changed), expected, rtol=1e-6, atol=0.0)


def test_what_does_not_fit_is_refused_with_found_and_expected(
    alex: LpipsMetric, module: Lpips, weight_file: Weights
) -> None:
    image = torch.zeros(3, 3, 64, 64)
    kept = module.reference(image[:2])
    with pytest.raises(ValueError, match=r"\(2, 3, 64, 64\) for .* \(3, 3, 64, 64\); expected"):
        module(kept, image)
    with pytest.raises(ValueError, match=r"\(2, 3, 64, 64\) for .* \(2, 3, 64, 65\); expected"):
        module(kept, torch.zeros(2, 3, 64, 65))
    with pytest.raises(ValueError, match=r"found torch.uint8 of shape .*; expected floats"):
        module(image.to(torch.uint8), image)
    with pytest.raises(ValueError, match=r"found 0 images .*; expected one or more"):
        module(image[:1], image[:0])
    with pytest.raises(ValueError, match=r"found values from nan"):
        module(image, torch.full_like(image, float("nan")))
    other = Lpips(
        load_trunk("alex", weight_file, torch.device("cpu")),
        official_heads("alex"),
        input_range=(-1.0, 1.0),
    )
    with pytest.raises(ValueError, match=r"a reference of another trunk; expected"):
        other(kept, image[:2])


def test_an_image_below_the_smallest_size_is_refused(alex: LpipsMetric) -> None:
    small = np.zeros((30, 64, 3), np.uint8)
    with pytest.raises(ValueError, match=r"64x30 px; expected at least 31 px"):
        alex.scores(small, [small])
    least = make_picture(31, 31)
    assert alex.scores(least, [make_damaged(least, 30)])[0] > 0.0
