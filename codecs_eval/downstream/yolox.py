"""YOLOX-Nano by onnxruntime: one thread, so that the same photo gives the same boxes.

photo -> letterbox 416 -> network -> 3549 x (centre, size, objectness, 80 classes) -> NMS -> finds
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from codecs_eval.downstream.coco_classes import COCO_80
from codecs_eval.downstream.found import Floats, Found, sorted_finds

SIDE_PX = 416
STRIDES = (8, 16, 32)
PADDING = 114
LEAST_SCORE = 0.01
NMS_IOU = 0.45
_CANDIDATES = 1000


class YoloX:
    """An ONNX export of YOLOX (Ge et al. 2021) without its last decoding."""

    labels = COCO_80

    def __init__(self, path: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session: Any = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )

    def find(self, image: NDArray[np.uint8]) -> Found:
        """Finds in one sRGB photo, boxes in its own pixels."""
        squared, scale = letterboxed(image)
        (raw,) = self._session.run(None, {"images": squared})
        boxes, scores = decoded(np.asarray(raw[0], dtype=np.float64))
        kept, classes, best = _suppressed(boxes, scores)
        height, width = image.shape[:2]
        corners = np.clip(boxes[kept] / scale, 0, [width, height, width, height])
        corners[:, 2:] -= corners[:, :2]
        return sorted_finds(corners, best, [self.labels[i] for i in classes])


def yolox_nano(weights: Callable[[str], Path]) -> YoloX:
    return YoloX(weights("yolox-nano"))


def letterboxed(image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
    """(1, 3, 416, 416) BGR in 0..255, the photo top left; and its scale."""
    height, width = image.shape[:2]
    scale = min(SIDE_PX / height, SIDE_PX / width)
    size = (max(1, int(width * scale)), max(1, int(height * scale)))
    # As the authors' cv2.resize: bilinear at the new pixels' centres, no smoothing before.
    resized = Image.fromarray(image).transform(
        size,
        Image.Transform.AFFINE,
        (width / size[0], 0, 0, 0, height / size[1], 0),
        Image.Resampling.BILINEAR,
    )
    square = np.full((SIDE_PX, SIDE_PX, 3), PADDING, dtype=np.uint8)
    square[: size[1], : size[0]] = np.asarray(resized)
    return np.ascontiguousarray(square[None, :, :, ::-1].transpose(0, 3, 1, 2), np.float32), scale


def decoded(raw: Floats) -> tuple[Floats, Floats]:
    """(3549, 85) -> corners (3549, 4) left, top, right, bottom in letterbox pixels, scores
    (3549, 80): objectness x class."""
    grids, strides = [], []
    for stride in STRIDES:
        side = SIDE_PX // stride
        rows, columns = np.mgrid[:side, :side]
        grids.append(np.stack([columns.ravel(), rows.ravel()], axis=1))
        strides.append(np.full((side * side, 1), stride))
    grid, stride_of = np.concatenate(grids), np.concatenate(strides)
    centres = (raw[:, :2] + grid) * stride_of
    sizes = np.exp(raw[:, 2:4]) * stride_of
    corners = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)
    return corners, raw[:, 4:5] * raw[:, 5:]


def _suppressed(
    boxes: Floats, scores: Floats
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Rows, classes and scores that stay: by class, the better of two that overlap."""
    rows, classes = np.nonzero(scores >= LEAST_SCORE)
    best = scores[rows, classes]
    order = np.argsort(-best, kind="stable")[:_CANDIDATES]
    rows, classes, best = rows[order], classes[order], best[order]
    kept: list[int] = []
    alive = np.ones(len(rows), dtype=bool)
    for i in range(len(rows)):
        if not alive[i]:
            continue
        kept.append(i)
        rival = alive & (classes == classes[i])
        rival[: i + 1] = False
        at = np.flatnonzero(rival)
        alive[at[_iou(boxes[rows[i]], boxes[rows[at]]) > NMS_IOU]] = False
    return rows[kept], classes[kept], best[kept]


def _iou(box: Floats, others: Floats) -> Floats:
    """Of one box with others, all as corners."""
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[2:], others[:, 2:])
    common = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(others[:, 2:] - others[:, :2], axis=1)
    iou: Floats = common / (np.prod(box[2:] - box[:2]) + areas - common)
    return iou
