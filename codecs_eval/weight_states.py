"""Weight files as state dicts; pickles never load anything but numpy arrays.

Whoever calls this has checked the file's SHA-256 first.
"""

import importlib
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codecs_eval.weight_table import WeightEntry

if TYPE_CHECKING:
    import torch

_ARRAY_GLOBALS = {("multiarray", "_reconstruct"), ("numpy", "ndarray"), ("numpy", "dtype")}


class _ArraysOnly(pickle.Unpickler):
    """Opens pickles of numpy arrays and refuses every other global."""

    def find_class(self, module: str, name: str) -> Any:
        # numpy 2 renamed numpy.core; files written before still say the old name.
        known = module.removeprefix("numpy.core.").removeprefix("numpy._core.")
        if (known, name) not in _ARRAY_GLOBALS:
            raise pickle.UnpicklingError(f"refused global {module}.{name} in a weight file")
        owner = "numpy._core.multiarray" if known == "multiarray" else "numpy"
        return getattr(importlib.import_module(owner), name)


def read_state(entry: WeightEntry, path: Path) -> dict[str, "torch.Tensor"]:
    """State dict of the convolutions, keys `{features index}.weight|bias`, float32, OIHW."""
    if path.suffix == ".ckpt":
        return _from_checkpoint(entry, path)
    if path.suffix == ".npz":
        return _from_arrays(entry, path)
    return _from_torchvision(entry, path)


def _from_checkpoint(entry: WeightEntry, path: Path) -> dict[str, "torch.Tensor"]:
    import numpy as np
    import torch

    with path.open("rb") as stream:
        tree = _ArraysOnly(stream).load()
    root = {"alexnet": "AlexNet_0", "vgg16": "VGG16_0"}[entry.name]
    layers = tree.get("params", tree)[root]
    state: dict[str, torch.Tensor] = {}
    for i, index in enumerate(entry.convolutions):
        layer = layers[f"Conv_{i}"]
        kernel = np.ascontiguousarray(np.transpose(layer["kernel"], (3, 2, 0, 1)), np.float32)
        state[f"{index}.weight"] = torch.from_numpy(kernel)
        state[f"{index}.bias"] = torch.from_numpy(np.array(layer["bias"], np.float32))
    return state


def _from_torchvision(entry: WeightEntry, path: Path) -> dict[str, "torch.Tensor"]:
    import torch

    whole = torch.load(path, map_location="cpu", weights_only=True)
    kinds = ("weight", "bias")
    return {
        f"{i}.{kind}": whole[f"features.{i}.{kind}"].contiguous()
        for i in entry.convolutions
        for kind in kinds
    }


def _from_arrays(entry: WeightEntry, path: Path) -> dict[str, "torch.Tensor"]:
    import numpy as np
    import torch

    with np.load(path, allow_pickle=False) as whole:
        return {
            f"{i}.{kind}": torch.from_numpy(whole[f"features.{i}.{kind}"].astype(np.float32))
            for i in entry.convolutions
            for kind in ("weight", "bias")
        }
