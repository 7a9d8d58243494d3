"""Small COCO files and finds, every value said by the test that needs it."""

import json
from typing import Any

import numpy as np

from codecs_eval.downstream.ap import Photo
from codecs_eval.downstream.coco import Instance
from codecs_eval.downstream.found import Found, sorted_finds


def make_coco(**values: Any) -> bytes:
    """Two photos of 100x80, one apple in the first one."""
    tree = {
        "images": [
            {"id": 0, "file_name": "a.png", "width": 100, "height": 80},
            {"id": 7, "file_name": "b.png", "width": 100, "height": 80},
        ],
        "categories": [{"id": 0, "name": "Apple"}],
        "annotations": [make_row()],
        **values,
    }
    return json.dumps(tree).encode()


def make_row(**values: Any) -> dict[str, Any]:
    square = [10, 20, 50, 20, 50, 50, 10, 50]
    return {
        "id": 0,
        "image_id": 0,
        "category_id": 0,
        "bbox": [10, 20, 40, 30],
        "area": 1200,
        "iscrowd": 0,
        "segmentation": [square],
        **values,
    }


def make_instance(
    left: float, category_id: int = 1, *, size: float = 50, is_crowd: bool = False
) -> Instance:
    return Instance(0, category_id, (left, 0, size, size), size * size, is_crowd, None)


def make_photo(number: int, *truth: Instance) -> Photo:
    return Photo(number, f"photo-{number}", 640, 480, truth)


def make_found(*finds: tuple[float, float, str], size: float = 50) -> Found:
    """Finds as (left, score, label): squares at the top."""
    boxes = np.array([[left, 0, size, size] for left, _, _ in finds], dtype=np.float64)
    scores = np.array([score for _, score, _ in finds], dtype=np.float64)
    return sorted_finds(boxes.reshape(-1, 4), scores, [label for _, _, label in finds])
