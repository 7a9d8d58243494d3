"""COCO-style instances -> one mask a photo: the union of its polygons."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pictures
from PIL import ImageDraw

from codecs_eval.saliency.saliency import Map


@dataclass(frozen=True)
class MarkedPhoto:
    """A photo of the file with the polygons of all its instances, in pixels x, y, x, y, ..."""

    file_name: str
    height: int
    width: int
    polygons: tuple[tuple[float, ...], ...]

    def mask(self) -> Map:
        """float32 (height, width), 1 inside any polygon."""
        drawn = Pictures.new("L", (self.width, self.height))
        pen = ImageDraw.Draw(drawn)
        for polygon in self.polygons:
            pen.polygon(list(polygon), fill=1)
        return np.asarray(drawn, np.float32)


def marked_photos(instances: Path) -> list[MarkedPhoto]:
    """Every photo of a COCO instances file. Raises ValueError for what is no such file."""
    try:
        whole = json.loads(instances.read_text())
        polygons: dict[Any, list[tuple[float, ...]]] = {row["id"]: [] for row in whole["images"]}
        for row in whole["annotations"]:
            polygons[row["image_id"]] += _polygons(row)
        return [_marked(row, polygons[row["id"]]) for row in whole["images"]]
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(
            f"{instances} cannot be read as COCO instances ({type(error).__name__}: {error}); "
            f"expected JSON with images and annotations"
        ) from error


def _marked(row: Mapping[str, Any], polygons: list[tuple[float, ...]]) -> MarkedPhoto:
    return MarkedPhoto(row["file_name"], int(row["height"]), int(row["width"]), tuple(polygons))


def _polygons(annotation: Mapping[str, Any]) -> list[tuple[float, ...]]:
    """Those of at least three points: fewer enclose nothing, and such rows exist."""
    found = annotation["segmentation"]
    if not isinstance(found, list):
        raise ValueError(
            f"annotation {annotation['id']} has a run-length mask; expected polygons: export it "
            f"as a folder of masks instead"
        )
    if any(len(polygon) % 2 for polygon in found):
        raise ValueError(
            f"annotation {annotation['id']} has a polygon of {[len(each) for each in found]} "
            f"numbers; expected x, y, x, y, ..."
        )
    return [tuple(float(number) for number in polygon) for polygon in found if len(polygon) >= 6]
