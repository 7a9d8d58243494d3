"""Faces in a photo by MTCNN, an optional task: facenet-pytorch brings its own weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from codecs_eval.downstream.found import Found, sorted_finds


class FaceFinder:
    labels = ("face",)

    def __init__(self, network: Any) -> None:
        self._network = network

    def find(self, image: NDArray[np.uint8]) -> Found:
        corners, scores = self._network.detect(Image.fromarray(image))
        if corners is None:
            return sorted_finds(np.zeros((0, 4)), np.zeros(0), [])
        boxes = np.asarray(corners, dtype=np.float64)
        boxes[:, 2:] -= boxes[:, :2]
        return sorted_finds(boxes, np.asarray(scores, dtype=np.float64), ["face"] * len(boxes))


def mtcnn(weights: Callable[[str], Path]) -> FaceFinder:
    try:
        from facenet_pytorch import MTCNN
    except ImportError as error:
        # With its dependencies it would replace torch and numpy by old ones.
        raise RuntimeError(
            "finding faces needs a package that is not installed: "
            "pip install --no-deps facenet-pytorch==2.6.0"
        ) from error
    return FaceFinder(MTCNN(keep_all=True, device="cpu"))
