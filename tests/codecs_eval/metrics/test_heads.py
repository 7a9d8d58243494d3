"""Linear heads on disk: strictly by name, never negative, and what lpips loads is what we wrote."""

from pathlib import Path

import lpips
import pytest
import torch

from codecs_eval.metrics.heads import (
    official_heads,
    read_pth,
    read_safetensors,
    write_pth,
    write_safetensors,
)


def make_heads(seed: int = 0) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.rand(width, generator=generator) for width in (64, 192, 384, 256, 256)]


def test_the_official_heads_are_those_of_the_lpips_package() -> None:
    for backbone in ("alex", "vgg"):
        module = lpips.LPIPS(net=backbone, pnet_rand=True, verbose=False)
        for ours, theirs in zip(official_heads(backbone), module.lins, strict=True):
            assert torch.equal(ours, theirs.model[1].weight.detach().reshape(-1))


def test_exported_heads_are_the_tensors_that_lpips_really_uses(tmp_path: Path) -> None:
    heads = make_heads()
    write_pth(tmp_path / "heads.pth", heads, "alex")
    module = lpips.LPIPS(
        net="alex", pnet_rand=True, model_path=str(tmp_path / "heads.pth"), verbose=False
    )
    for ours, theirs in zip(heads, module.lins, strict=True):
        assert torch.equal(ours, theirs.model[1].weight.detach().reshape(-1))


def test_both_formats_give_back_what_was_written(tmp_path: Path) -> None:
    heads = make_heads()
    write_pth(tmp_path / "heads.pth", heads, "alex")
    write_safetensors(tmp_path / "heads.safetensors", heads, "alex", {"note": "x"})
    for found in (
        read_pth(tmp_path / "heads.pth", "alex"),
        read_safetensors(tmp_path / "heads.safetensors", "alex"),
    ):
        assert all(torch.equal(a, b) for a, b in zip(heads, found, strict=True))


def test_wrong_keys_fail_loudly(tmp_path: Path) -> None:
    state = {f"lin{i}.model.0.weight": h.view(1, -1, 1, 1) for i, h in enumerate(make_heads())}
    torch.save(state, tmp_path / "heads.pth")
    with pytest.raises(ValueError, match=r"lin0\.model\.0\.weight.*expected lin0\.model\.1"):
        read_pth(tmp_path / "heads.pth", "alex")


def test_heads_of_another_backbone_are_refused(tmp_path: Path) -> None:
    write_pth(tmp_path / "heads.pth", make_heads(), "alex")
    with pytest.raises(ValueError, match=r"expected \(64, 128, 256, 512, 512\) for vgg"):
        read_pth(tmp_path / "heads.pth", "vgg")


@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf")])
def test_a_negative_or_unreal_weight_is_refused(tmp_path: Path, value: float) -> None:
    heads = make_heads()
    heads[2][5] = value
    with pytest.raises(ValueError, match=r"head 2 holds"):
        write_pth(tmp_path / "heads.pth", heads, "alex")
