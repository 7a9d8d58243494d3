"""A metric in the layout of the lpips package's own module, trunk and all where it was trained."""

from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from codecs_eval.metrics.heads import check_heads
from codecs_eval.metrics.trunk import Trunk


def lpips_state(trunk: Trunk, heads: Sequence[Tensor], *, with_trunk: bool) -> dict[str, Tensor]:
    """What lpips.LPIPS(net=..., model_path=...) loads: lin{i}.model.1.weight (1, channels, 1, 1).

    `with_trunk` adds net.slice{k}.{index}...: needed where the trunk is not torchvision's.
    Source: lpips 0.1.4, `LPIPS` and `pretrained_networks`.
    """
    check_heads(heads, trunk.backbone.name)
    state = {f"lin{i}.model.1.weight": _plain(head).reshape(1, -1, 1, 1) for i, head in
             enumerate(heads)}  # fmt: skip
    if with_trunk:
        for key, tensor in trunk.features.state_dict().items():
            # A slice ends at each tap; inside it the package keeps torchvision's indices.
            number = 1 + bisect_left(trunk.backbone.taps, int(key.partition(".")[0]))
            state[f"net.slice{number}.{key}"] = _plain(tensor)
    return state


def write_lpips_pth(path: Path, trunk: Trunk, heads: Sequence[Tensor], *, with_trunk: bool) -> None:
    """The state as a file that torch.load(weights_only=True) opens."""
    torch.save(lpips_state(trunk, heads, with_trunk=with_trunk), path)


def _plain(tensor: Tensor) -> Tensor:
    return (
        tensor.detach()
        .to("cpu", torch.float32, memory_format=torch.contiguous_format)
        .clone(memory_format=torch.contiguous_format)
    )
