"""A COCO instances file of any origin -> images, categories, instances; what is odd is told."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from codecs_eval.downstream import masks
from codecs_eval.downstream.masks import Box, Rle


@dataclass(frozen=True)
class CocoImage:
    """`file_name` as the file has it, folders included; sizes in pixels."""

    id: int
    file_name: str
    width: int
    height: int


@dataclass(frozen=True)
class Instance:
    """One thing in one photo. `area_px` is the file's own, which decides small, medium, large."""

    image_id: int
    category_id: int
    box: Box
    area_px: float
    is_crowd: bool
    mask: Rle | None


@dataclass(frozen=True)
class CocoFile:
    """Ids are the file's: any whole numbers, gaps and zero included. `notes`: what was odd."""

    images: tuple[CocoImage, ...]
    categories: Mapping[int, str]
    instances: tuple[Instance, ...]
    notes: tuple[str, ...]


def read_coco(data: bytes, *, name: str, with_masks: bool = True) -> CocoFile:
    """The whole file. Raises ValueError saying what was found and what was expected."""
    try:
        tree = json.loads(data)
    except ValueError as error:
        raise ValueError(f"{name}: found no JSON ({error}), expected a COCO file") from None
    if not isinstance(tree, dict):
        raise ValueError(f"{name}: found a JSON {type(tree).__name__}, expected an object")
    images = _images(_rows(tree, "images", name), name)
    categories = _categories(_rows(tree, "categories", name), name)
    by_id = {image.id: image for image in images}
    instances: list[Instance] = []
    odd: Counter[str] = Counter()
    for index, row in enumerate(_rows(tree, "annotations", name)):
        where = f"{name}: annotation {row.get('id', f'number {index}')}"
        found = _instance(row, by_id, categories, where, with_masks, odd)
        if found is not None:
            instances.append(found)
    n_empty = len(set(by_id) - {each.image_id for each in instances})
    if n_empty:
        odd["photos without an instance are kept: what is found there is a false find"] = n_empty
    notes = tuple(f"{n} {what}" for what, n in sorted(odd.items()))
    return CocoFile(images, categories, tuple(instances), notes)


def halved(instance: Instance) -> Instance | None:
    """The instance in its photo shrunk by two; None for a mask of which nothing is left."""
    left, top, width, height = instance.box
    mask = None if instance.mask is None else masks.halved(instance.mask)
    if instance.mask is not None and mask is None:
        return None
    box = (left / 2, top / 2, width / 2, height / 2)
    return replace(instance, box=box, area_px=instance.area_px / 4, mask=mask)


def _rows(tree: Mapping[str, Any], key: str, name: str) -> list[dict[str, Any]]:
    rows = tree.get(key)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        found = "nothing" if rows is None else type(rows).__name__
        raise ValueError(
            f"{name}: found {found} under {key!r}, expected a list of objects (images, "
            "categories, annotations)"
        )
    if not rows and key != "annotations":
        raise ValueError(f"{name}: found no {key}, expected at least one")
    return rows


def _whole(row: Mapping[str, Any], key: str, where: str, least: int | None = None) -> int:
    value: Any = row.get(key)
    is_whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not is_whole or (least is not None and value < least):
        wanted = "a whole number" + ("" if least is None else f" from {least}")
        raise ValueError(f"{where}: found {key} {value!r}, expected {wanted}")
    return int(value)


def _text(row: Mapping[str, Any], key: str, where: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{where}: found {key} {value!r}, expected a text")
    return value


def _images(rows: Sequence[Mapping[str, Any]], name: str) -> tuple[CocoImage, ...]:
    images = []
    for index, row in enumerate(rows):
        where = f"{name}: image {row.get('id', f'number {index}')}"
        images.append(
            CocoImage(
                id=_whole(row, "id", where),
                file_name=_text(row, "file_name", where).replace("\\", "/"),
                width=_whole(row, "width", where, 1),
                height=_whole(row, "height", where, 1),
            )
        )
    _refuse_twins([image.id for image in images], f"{name}: images")
    _refuse_twins([image.file_name for image in images], f"{name}: file names")
    return tuple(images)


def _categories(rows: Sequence[Mapping[str, Any]], name: str) -> dict[int, str]:
    where = f"{name}: categories"
    pairs = [(_whole(row, "id", where), _text(row, "name", where)) for row in rows]
    _refuse_twins([each for each, _ in pairs], where)
    return dict(pairs)


def _refuse_twins(values: Sequence[object], where: str) -> None:
    twins = [value for value, n in Counter(values).items() if n > 1]
    if twins:
        raise ValueError(f"{where}: found {twins[0]!r} more than once, expected each once")


def _instance(
    row: Mapping[str, Any],
    images: Mapping[int, CocoImage],
    categories: Mapping[int, str],
    where: str,
    with_masks: bool,
    odd: Counter[str],
) -> Instance | None:
    image_id, category_id = _whole(row, "image_id", where), _whole(row, "category_id", where)
    if image_id not in images:
        raise ValueError(f"{where}: found image_id {image_id}, which no image of the file has")
    if category_id not in categories:
        raise ValueError(f"{where}: found category_id {category_id}, which no category has")
    image = images[image_id]
    needs_mask = with_masks or row.get("bbox") is None
    mask = (
        masks.rle_from_coco(row.get("segmentation"), image.height, image.width, where)
        if needs_mask
        else None
    )
    box = _box(row.get("bbox"), mask, where)
    if box[2] <= 0 or box[3] <= 0:
        odd["instances without width or height were left out"] += 1
        return None
    is_crowd = row.get("iscrowd", 0) in (1, True)
    if is_crowd:
        odd["instances are crowds: what is found on them counts neither way"] += 1
    if with_masks and mask is None:
        odd["instances have no mask: their box stands for it"] += 1
        mask = _box_mask(box, image)
    area = row.get("area")
    if not isinstance(area, int | float) or not math.isfinite(area) or area < 0:
        area = masks.area_of(mask) if mask is not None else box[2] * box[3]
    return Instance(image_id, category_id, box, float(area), is_crowd, mask)


def _box(found: Any, mask: Rle | None, where: str) -> Box:
    if found is None and mask is not None:
        return masks.box_of(mask)
    if (
        not isinstance(found, list)
        or len(found) != 4
        or not all(isinstance(value, int | float) and math.isfinite(value) for value in found)
    ):
        raise ValueError(
            f"{where}: found bbox {found!r}, expected [left, top, width, height] in pixels"
        )
    left, top, width, height = (float(value) for value in found)
    return left, top, width, height


def _box_mask(box: Box, image: CocoImage) -> Rle:
    left, top, width, height = box
    corners = (left, top, left + width, top, left + width, top + height, left, top + height)
    rle = masks.rle_from_coco([list(corners)], image.height, image.width, image.file_name)
    assert rle is not None  # a polygon of four corners is not empty
    return rle
