"""Two pictures whose distance an export states: what a rightly loaded metric must find."""

import warnings
from pathlib import Path
from typing import Any

import lpips
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from codecs_eval.metrics.lpips import LpipsMetric
from codecs_eval.metrics.lpips_state import lpips_state

_SIZE_PX = 64
_TOLERANCE = 1e-5


def write_self_test(folder: Path, metric: LpipsMetric) -> dict[str, Any]:
    """Two pictures of nobody's in the new `folder`, and what config.json says of them."""
    folder.mkdir()
    reference, distorted = _pair()
    for name, pixels in (("reference", reference), ("distorted", distorted)):
        Image.fromarray(pixels).save(folder / f"{name}.png")
    return {
        "reference": "self_test/reference.png",
        "distorted": "self_test/distorted.png",
        "distance": metric.scores(reference, [distorted])[0],
        "relative_tolerance": _TOLERANCE,
    }


def check_lpips(path: Path, metric: LpipsMetric, *, is_trunk_inside: bool) -> None:
    """RuntimeError unless the lpips package, given the file, finds the metric's distance.

    The package loads a file with wrong names in silence, on heads that it has drawn at random.
    """
    with warnings.catch_warnings():
        # The package still uses torchvision's old names.
        warnings.simplefilter("ignore", UserWarning)
        module = lpips.LPIPS(
            net=metric.trunk.backbone.name, pnet_rand=True, model_path=str(path), verbose=False
        )
    if not is_trunk_inside:
        # Where a user has torchvision's trunk, this shares ours; the heads stay the file's.
        heads = list(torch.split(metric.weights, list(metric.trunk.backbone.channels)))
        state = lpips_state(metric.trunk, heads, with_trunk=True)
        trunk = {key: value for key, value in state.items() if key.startswith("net.")}
        module.load_state_dict(trunk, strict=False)
    reference, distorted = _pair()
    [expected] = metric.scores(reference, [distorted])
    with torch.no_grad():
        found = float(module(_as_input(reference), _as_input(distorted)))
    if not abs(found - expected) <= _TOLERANCE * expected:
        raise RuntimeError(
            f"lpips loads {path.name} and finds a distance of {found:.7g}; expected "
            f"{expected:.7g}, to {_TOLERANCE:g} relative"
        )


def _pair() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    at = np.arange(_SIZE_PX)
    waves = [
        127.5 + 90.0 * np.sin(at[:, None] / (5.0 + c) + at[None, :] / (11.0 - 2 * c))
        for c in range(3)
    ]
    reference = np.stack(waves, axis=2)
    noise = np.random.default_rng(4).normal(0.0, 18.0, reference.shape)
    return _to_bytes(reference), _to_bytes(reference + noise)


def _to_bytes(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _as_input(image: NDArray[np.uint8]) -> Tensor:
    """(1, 3, height, width) in -1..1."""
    return torch.from_numpy(image.astype(np.float32) / 127.5 - 1.0).permute(2, 0, 1)[None]
