"""The real weights, for tests that need them; skipped with the reason where they cannot be had."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import lpips
import pytest
import torch

from codecs_eval.weights import WeightsUnavailable, load_backbone_state, obtain

ROOT = Path(__file__).resolve().parents[3]


def weight_source() -> Callable[[str], Path]:
    """TRIAD_WEIGHTS, the weights of the default home, else downloaded once into the test home."""
    local = Path(os.environ.get("TRIAD_WEIGHTS") or ROOT / "var" / "weights")
    home = Path(os.environ.get("TRIAD_HOME") or Path(tempfile.gettempdir()) / "triad-test-home")

    # Weights that only the original address has lie beside the repository, for development.
    beside = ROOT.parent / "shared" / "weights"

    def find(name: str) -> Path:
        folder = beside if name == "squeezenet1_1" and beside.is_dir() else local
        try:
            return obtain(name, home / "weights", folder if folder.is_dir() else None)
        except WeightsUnavailable as error:
            pytest.skip(str(error))

    return find


def official_lpips(
    backbone: str, weights: Callable[[str], Path], model_path: Path | None = None
) -> lpips.LPIPS:
    """The lpips package's own module with the real trunk: the oracle of our distances."""
    path = None if model_path is None else str(model_path)
    module = lpips.LPIPS(net=backbone, pnet_rand=True, model_path=path, verbose=False)
    name = {"alex": "alexnet", "vgg": "vgg16", "squeeze": "squeezenet1_1"}[backbone]
    state = load_backbone_state(name, weights(name))
    # The package keeps torchvision's indices below slice1..slice5.
    module.net.load_state_dict(
        {key: state[key.split(".", 1)[1]] for key in module.net.state_dict()}
    )
    return module


def as_input(image: object) -> torch.Tensor:
    """uint8 (height, width, 3) -> (1, 3, height, width) in -1..1, as lpips.im2tensor does it."""
    return torch.tensor(image).permute(2, 0, 1)[None].float() / 127.5 - 1.0
