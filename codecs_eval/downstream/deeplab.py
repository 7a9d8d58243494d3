"""DeepLabv3 (Chen et al. 2017): every pixel's class, of PASCAL VOC's twenty or the background.

photo -> 513 px on its longer side -> network -> a class a pixel -> the photo's size -> finds
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from codecs_eval.downstream.coco_classes import VOC_20
from codecs_eval.downstream.found import Found
from codecs_eval.downstream.pixels import found_of
from codecs_eval.downstream.torchvision_models import hub_state

SIDE_PX = 513


class DeepLabTflite:
    """TensorFlow's export, whose answer is the number of a class a pixel."""

    labels = VOC_20

    def __init__(self, interpreter: Any) -> None:
        interpreter.allocate_tensors()
        self._interpreter = interpreter
        self._input = interpreter.get_input_details()[0]["index"]
        self._output = interpreter.get_output_details()[0]["index"]

    def find(self, image: NDArray[np.uint8]) -> Found:
        squared, (width, height) = squared_photo(image)
        self._interpreter.set_tensor(self._input, squared)
        self._interpreter.invoke()
        classes = self._interpreter.get_tensor(self._output)[0, :height, :width]
        size = (image.shape[1], image.shape[0])
        full = Image.fromarray(classes.astype(np.uint8)).resize(size, Image.Resampling.NEAREST)
        return found_of(np.asarray(full), self.labels)


class DeepLabTorchvision:
    labels = VOC_20

    def __init__(self, network: Any, preprocess: Callable[[Any], Any]) -> None:
        self._network = network.eval()
        self._preprocess = preprocess

    def find(self, image: NDArray[np.uint8]) -> Found:
        import torch

        tensor = self._preprocess(torch.from_numpy(np.array(image)).permute(2, 0, 1))
        with torch.inference_mode():
            scores = self._network(tensor[None])["out"]
            full = torch.nn.functional.interpolate(
                scores, size=image.shape[:2], mode="bilinear", align_corners=False
            )
        return found_of(full[0].argmax(0).numpy(), self.labels)


def squared_photo(image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], tuple[int, int]]:
    """(1, 513, 513, 3) RGB in -1..1, the photo top left and mid-grey beside it; its size there.

    As the authors' demo does it: Lanczos, padded with the mean pixel 127.5, which is 0.
    """
    height, width = image.shape[:2]
    scale = SIDE_PX / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    resized = Image.fromarray(image).resize(size, Image.Resampling.LANCZOS)
    squared = np.zeros((1, SIDE_PX, SIDE_PX, 3), dtype=np.float32)
    squared[0, : size[1], : size[0]] = np.asarray(resized, dtype=np.float32) / 127.5 - 1
    return squared, size


def mobilenet_v2_tflite(weights: Callable[[str], Path]) -> DeepLabTflite:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise RuntimeError(
            "this DeepLab needs a package that is not installed: pip install ai-edge-litert==2.3.0"
        ) from error
    path = weights("deeplabv3-mnv2")
    return DeepLabTflite(Interpreter(str(path), num_threads=1))


def mobilenet_v3(weights: Callable[[str], Path]) -> DeepLabTorchvision:
    from torchvision.models import segmentation

    chosen = segmentation.DeepLabV3_MobileNet_V3_Large_Weights.COCO_WITH_VOC_LABELS_V1
    state = hub_state(chosen.url)
    network = segmentation.deeplabv3_mobilenet_v3_large(
        weights=None, weights_backbone=None, num_classes=1 + len(VOC_20), aux_loss=True
    )
    network.load_state_dict(state)
    return DeepLabTorchvision(network, chosen.transforms())
