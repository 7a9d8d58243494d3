"""COCO's average precision by faster-coco-eval: the numbers that papers print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from faster_coco_eval import COCO, COCOeval_faster

from codecs_eval.downstream.coco import Instance
from codecs_eval.downstream.found import Found

# In the order of COCO's own twelve numbers; None where no instance has that size.
NUMBERS = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large")
AREAS_PX = {"small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}


@dataclass(frozen=True)
class Photo:
    """One photo as it was shown to the model: its truth, of the evaluated categories alone."""

    id: int
    name: str
    width: int
    height: int
    truth: tuple[Instance, ...]


def coco_scores(
    photos: Sequence[Photo],
    found: Sequence[Found],
    by_label: Mapping[str, int],
    *,
    by_mask: bool = False,
) -> dict[str, float | None]:
    """AP over IoU .50:.95, AP50, AP75, and AP of small, medium and large things, each 0..1.

    `found` in the order of `photos`; finds of classes outside `by_label` are left out.
    """
    finds = _finds(photos, found, by_label, by_mask)
    truth = COCO(_truth(photos, by_label, by_mask))
    if not finds:
        # The reader of results refuses an empty list: nothing found scores nothing.
        return {name: 0.0 if _has(photos, name) else None for name in NUMBERS}
    evaluation = COCOeval_faster(
        truth, truth.loadRes(finds), "segm" if by_mask else "bbox", print_function=_quiet
    )
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    values = [float(value) for value in evaluation.stats[:6]]
    return {name: None if value < 0 else value for name, value in zip(NUMBERS, values, strict=True)}


def instances_by_size(photos: Sequence[Photo]) -> dict[str, int]:
    """How many instances are small, medium and large by the file's own areas, crowds left out."""
    areas = [each.area_px for photo in photos for each in photo.truth if not each.is_crowd]
    # A size on a border belongs to both, in COCO's evaluation as here.
    return {
        name: sum(low <= area <= high for area in areas) for name, (low, high) in AREAS_PX.items()
    }


def _has(photos: Sequence[Photo], number: str) -> bool:
    counts = instances_by_size(photos)
    size = number.removeprefix("ap_")
    return bool(counts[size]) if size in counts else any(counts.values())


def _truth(photos: Sequence[Photo], by_label: Mapping[str, int], by_mask: bool) -> dict[str, Any]:
    annotations: list[dict[str, Any]] = []
    for photo in photos:
        for each in photo.truth:
            row: dict[str, Any] = {
                # From 1: some evaluations take the id 0 for "no match".
                "id": len(annotations) + 1,
                "image_id": photo.id,
                "category_id": each.category_id,
                "bbox": list(each.box),
                "area": each.area_px,
                "iscrowd": int(each.is_crowd),
            }
            if by_mask and each.mask is not None:
                row["segmentation"] = each.mask.to_coco()
            annotations.append(row)
    return {
        "images": [
            {"id": p.id, "file_name": p.name, "width": p.width, "height": p.height} for p in photos
        ],
        "categories": [{"id": number, "name": name} for name, number in by_label.items()],
        "annotations": annotations,
    }


def _finds(
    photos: Sequence[Photo], found: Sequence[Found], by_label: Mapping[str, int], by_mask: bool
) -> list[dict[str, Any]]:
    finds = []
    for photo, each in zip(photos, found, strict=True):
        for i, label in enumerate(each.labels):
            if label in by_label:
                row: dict[str, Any] = {
                    "image_id": photo.id,
                    "category_id": by_label[label],
                    "score": float(each.scores[i]),
                }
                if by_mask:
                    row["segmentation"] = each.masks[i].to_coco()
                else:
                    row["bbox"] = each.boxes[i].tolist()
                finds.append(row)
    return finds


def _quiet(*words: object) -> None:
    """A library that prints is not heard."""
