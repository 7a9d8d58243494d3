"""U2-Net-p by onnxruntime on the CPU: salient objects.

photo -> 320x320 / its maximum -> ImageNet's mean, deviation -> U2-Net-p -> photo's size, 0..1

Source: Qin, Zhang, Huang, Dehghan, Zaiane, Jagersand: U2-Net, Going Deeper with Nested
U-Structure for Salient Object Detection, Pattern Recognition 106, 2020.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image as Pictures

from codecs_eval.saliency.saliency import Image, Map, check_image, resized, stretched
from codecs_eval.saliency.table import SALIENCY

SIDE_PX = 320
# ImageNet's, of red, green and blue.
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)


class U2NetP:
    name = "u2netp"
    version = SALIENCY["u2netp"].version

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        # One thread: the same sums in the same order on every machine of one kind.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )

    def map(self, image: Image) -> Map:
        """uint8 (height, width, 3) -> float32 (height, width) in [0, 1]."""
        check_image(image)
        # The first of seven outputs is the fused one; the others are its side outputs.
        found = self._session.run(None, {"input.1": as_input(image)})[0]
        return stretched(resized(found[0, 0], *image.shape[:2]))


def as_input(image: Image) -> NDArray[np.float32]:
    """uint8 (height, width, 3) -> float32 (1, 3, 320, 320)."""
    small = Pictures.fromarray(image).resize((SIDE_PX, SIDE_PX), Pictures.Resampling.LANCZOS)
    values = np.asarray(small, np.float32)
    # A black photo stays black instead of becoming a division by 0.
    values = values / max(float(values.max()), 1.0)
    normalised = (values - MEAN) / DEVIATION
    return np.ascontiguousarray(normalised.transpose(2, 0, 1)[None], np.float32)


def u2netp(weights: Callable[[str], Path]) -> U2NetP:
    return U2NetP(weights("u2netp"))
