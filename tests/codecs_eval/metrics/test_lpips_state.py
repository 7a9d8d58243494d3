"""What we write is what lpips, torchmetrics and piq compute with, tensor by tensor."""

from pathlib import Path

import lpips
import piq
import pytest
import torch
import torchvision
from torch import Tensor, nn
from torchmetrics.functional.image.lpips import _LPIPS

from codecs_eval.metrics.lpips import Lpips
from codecs_eval.metrics.lpips_state import lpips_state, write_lpips_pth
from codecs_eval.metrics.trunk import Trunk
from tests.codecs_eval.metrics.test_onnx_export import make_metric

NAMES = ["alex", "squeeze", "vgg"]


def make_images(n: int = 2) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(9)
    reference = torch.rand(n, 3, 64, 48, generator=generator) * 2 - 1
    noise = torch.rand(reference.shape, generator=generator) - 0.5
    return reference, (reference + 0.4 * noise).clamp(-1, 1)


def assert_same(found: Tensor, trunk: Trunk, heads: list[Tensor]) -> None:
    ours = Lpips(trunk, heads, input_range=(-1.0, 1.0))(*make_images())
    torch.testing.assert_close(found.detach().reshape(-1), ours, rtol=1e-5, atol=0.0)


def assert_loaded(module: nn.Module, state: dict[str, Tensor]) -> None:
    """Every tensor of the file is in the module, bit for bit, and no other head is."""
    inside = module.state_dict()
    assert all(torch.equal(inside[key], tensor) for key, tensor in state.items())
    heads = {key for key in inside if key.startswith("lin") and not key.startswith("lins")}
    assert heads == {key for key in state if key.startswith("lin")}


@pytest.mark.parametrize("name", NAMES)
def test_lpips_loads_a_trained_trunk_with_its_heads(name: str, tmp_path: Path) -> None:
    trunk, heads = make_metric(name)
    path = tmp_path / "lpips.pth"
    write_lpips_pth(path, trunk, heads, with_trunk=True)
    module = lpips.LPIPS(net=name, pnet_rand=True, model_path=str(path), verbose=False)
    assert_loaded(module, torch.load(path, weights_only=True))
    assert_same(module(*make_images()), trunk, heads)


@pytest.mark.parametrize("name", NAMES)
def test_lpips_loads_heads_alone_beside_its_own_trunk(name: str, tmp_path: Path) -> None:
    trunk, heads = make_metric(name)
    path = tmp_path / "lpips.pth"
    write_lpips_pth(path, trunk, heads, with_trunk=False)
    module = lpips.LPIPS(net=name, pnet_rand=True, model_path=str(path), verbose=False)
    state = torch.load(path, weights_only=True)
    assert set(state) == {f"lin{i}.model.1.weight" for i in range(len(heads))}
    assert_loaded(module, state)
    # Where a user has torchvision's trunk, the test shares ours.
    module.load_state_dict(lpips_state(trunk, heads, with_trunk=True), strict=False)
    assert_same(module(*make_images()), trunk, heads)


@pytest.mark.parametrize("name", ["alex", "vgg"])
def test_torchmetrics_loads_the_same_file(name: str, tmp_path: Path) -> None:
    trunk, heads = make_metric(name)
    path = tmp_path / "lpips.pth"
    write_lpips_pth(path, trunk, heads, with_trunk=True)
    # `metric.net` of LearnedPerceptualImagePatchSimilarity, without its download.
    network = _LPIPS(pretrained=False, net=name, pnet_rand=True, eval_mode=True)
    state = torch.load(path, weights_only=True)
    found = network.load_state_dict(state, strict=False)
    assert found.unexpected_keys == []
    assert all(key.startswith(("lins.", "scaling_layer.")) for key in found.missing_keys)
    assert_loaded(network, state)
    assert_same(network(*make_images()), trunk, heads)


def test_torchmetrics_loads_the_heads_for_squeezenet() -> None:
    trunk, heads = make_metric("squeeze")
    network = _LPIPS(pretrained=False, net="squeeze", pnet_rand=True, eval_mode=True)
    state = lpips_state(trunk, heads, with_trunk=False)
    assert network.load_state_dict(state, strict=False).unexpected_keys == []
    assert_loaded(network, state)


def test_piq_computes_with_the_same_heads() -> None:
    trunk, heads = make_metric("vgg")
    features = torchvision.models.vgg16(weights=None).features
    # The trunk ends at its last tap; torchvision's has one pool more, without weights.
    features.load_state_dict(trunk.features.state_dict(), strict=True)
    state = lpips_state(trunk, heads, with_trunk=False)
    loss = piq.ContentLoss(
        feature_extractor=features,
        layers=[str(tap) for tap in trunk.backbone.taps],
        weights=[state[f"lin{i}.model.1.weight"] for i in range(len(heads))],
        mean=[-0.030, -0.088, -0.188],
        std=[0.458, 0.448, 0.450],
        normalize_features=True,
        reduction="none",
    )
    assert_same(loss(*make_images()), trunk, heads)


def test_heads_of_another_backbone_are_refused() -> None:
    trunk, _ = make_metric("alex")
    _, heads = make_metric("vgg")
    with pytest.raises(ValueError, match=r"expected \(64, 192, 384, 256, 256\) for alex"):
        lpips_state(trunk, heads, with_trunk=False)
