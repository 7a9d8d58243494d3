"""LPIPS linear heads: one non-negative weight a channel, read and written strictly by name."""

import hashlib
import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from codecs_eval.metrics.trunk import backbone

# lpips 0.1.4, weights/v0.1: the heads that "LPIPS" means in papers.
OFFICIAL_SHA256 = {
    "alex": "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
    "squeeze": "4a5350f23600cb79923ce65bb07cbf57dca461329894153e05a1346bd531cf76",
    "vgg": "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
}


def official_heads(name: str) -> list[Tensor]:
    """The v0.1 heads, from the installed lpips package's files; the package is not imported."""
    backbone(name)
    # find_spec of a top-level package reads no code of it.
    spec = importlib.util.find_spec("lpips")
    if spec is None or not spec.submodule_search_locations:
        raise ValueError("the lpips package is not installed; expected lpips==0.1.4")
    path = Path(spec.submodule_search_locations[0]) / "weights" / "v0.1" / f"{name}.pth"
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != OFFICIAL_SHA256[name]:
        raise ValueError(f"{path} has SHA-256 {found}, expected {OFFICIAL_SHA256[name]}")
    return read_pth(path, name)


def read_pth(path: Path, name: str) -> list[Tensor]:
    """Heads in the layout that lpips.LPIPS(model_path=...) loads: lin{i}.model.1.weight."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    return _from_state(state, _pth_keys(name), name, path)


def write_pth(path: Path, heads: Sequence[Tensor], name: str) -> None:
    check_heads(heads, name)
    keys = _pth_keys(name)
    torch.save({key: _as_conv(head) for key, head in zip(keys, heads, strict=True)}, path)


def read_safetensors(path: Path, name: str) -> list[Tensor]:
    with safe_open(path, framework="pt", device="cpu") as file:
        state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        trained_for = (file.metadata() or {}).get("backbone", name)
    if trained_for != name:
        raise ValueError(f"{path} holds heads for {trained_for!r}; expected {name!r}")
    return _from_state(state, _lin_keys(name), name, path)


def write_safetensors(
    path: Path, heads: Sequence[Tensor], name: str, metadata: Mapping[str, str]
) -> None:
    check_heads(heads, name)
    state = {key: _as_conv(head) for key, head in zip(_lin_keys(name), heads, strict=True)}
    save_file(state, path, metadata={**metadata, "backbone": name})
    # safetensors writes for the owner alone; the other exports follow the umask.
    path.chmod(0o644)


def check_heads(heads: Sequence[Tensor], name: str) -> None:
    """Raise ValueError unless there is one finite non-negative vector per tap of the right size."""
    expected = backbone(name).channels
    found = tuple(head.numel() for head in heads)
    if found != expected:
        raise ValueError(f"found heads of {found} channels; expected {expected} for {name}")
    for i, head in enumerate(heads):
        if not bool(torch.isfinite(head).all()) or float(head.min()) < 0.0:
            lowest = float(head.min())
            raise ValueError(f"head {i} holds {lowest:g}; expected finite weights of at least 0")


def _from_state(
    state: Mapping[str, Tensor], keys: Sequence[str], name: str, path: Path
) -> list[Tensor]:
    # lpips itself loads a file of wrong keys in silence and keeps its random heads.
    if set(state) != set(keys):
        raise ValueError(
            f"{path} holds the keys {', '.join(sorted(state))}; expected {', '.join(keys)}"
        )
    heads = [state[key].detach().to(torch.float32).reshape(-1).clone() for key in keys]
    check_heads(heads, name)
    return heads


def _as_conv(head: Tensor) -> Tensor:
    return head.detach().to("cpu", torch.float32).reshape(1, -1, 1, 1).contiguous().clone()


def _pth_keys(name: str) -> list[str]:
    return [f"lin{i}.model.1.weight" for i in range(len(backbone(name).channels))]


def _lin_keys(name: str) -> list[str]:
    return [f"lin{i}" for i in range(len(backbone(name).channels))]
