"""torchvision's detectors, where their weights can be had: a folder of ours, else its own hub."""

from __future__ import annotations

import hashlib
import urllib.error
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_eval.downstream.found import Found, sorted_finds
from codecs_eval.downstream.masks import rle_of
from codecs_eval.weights import WeightsUnavailable

MASK_FROM = 0.5


class TorchvisionDetector:
    """Faster or Mask R-CNN on the CPU; boxes, and masks where the network makes them."""

    def __init__(self, network: Any, categories: list[str]) -> None:
        self._network = network.eval()
        # Of the 91 numbers of COCO 2014 eleven were never given away: they stand as N/A.
        self._categories = categories
        self.labels = tuple(n for n in categories if n not in ("__background__", "N/A"))

    def find(self, image: NDArray[np.uint8]) -> Found:
        import torch

        tensor = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).float() / 255
        with torch.inference_mode():
            (out,) = self._network([tensor])
        known = [i for i, n in enumerate(out["labels"]) if self._categories[int(n)] in self.labels]
        boxes = out["boxes"][known].double().numpy()
        boxes[:, 2:] -= boxes[:, :2]
        masks = None
        if "masks" in out:
            masks = [rle_of(out["masks"][i, 0].numpy() >= MASK_FROM) for i in known]
        names = [self._categories[int(out["labels"][i])] for i in known]
        return sorted_finds(boxes, out["scores"][known].double().numpy(), names, masks)


def faster_rcnn(weights: Callable[[str], Path]) -> TorchvisionDetector:
    from torchvision.models import detection

    chosen = detection.FasterRCNN_ResNet50_FPN_Weights.COCO_V1
    network = detection.fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None)
    return _filled(network, chosen)


def mask_rcnn(weights: Callable[[str], Path]) -> TorchvisionDetector:
    from torchvision.models import detection

    chosen = detection.MaskRCNN_ResNet50_FPN_Weights.COCO_V1
    network = detection.maskrcnn_resnet50_fpn(weights=None, weights_backbone=None)
    return _filled(network, chosen)


def _filled(network: Any, chosen: Any) -> TorchvisionDetector:
    network.load_state_dict(hub_state(chosen.url))
    return TorchvisionDetector(network, list(chosen.meta["categories"]))


def hub_state(url: str) -> dict[str, Any]:
    """A state dict from torchvision's hub, checked against the sum in its name."""
    import torch

    name = url.rpartition("/")[2]
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    path = folder / name
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        try:
            prefix = name.removesuffix(".pth").rpartition("-")[2]
            torch.hub.download_url_to_file(url, str(path), hash_prefix=prefix, progress=False)
        except (urllib.error.URLError, OSError) as error:
            raise WeightsUnavailable(
                f"the weights {name} are missing ({error}): go online once, or put the file from "
                f"{url} into {folder}"
            ) from error
    _refuse_another(path)
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def _refuse_another(path: Path) -> None:
    """torchvision's file names end in the first eight digits of the file's SHA-256."""
    prefix = path.stem.rpartition("-")[2]
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if not found.startswith(prefix):
        raise ValueError(
            f"{path} has SHA-256 {found}, expected one that begins with {prefix}: delete it"
        )
