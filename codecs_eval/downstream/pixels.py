"""Class maps: pixels right, there and found of every class, and what they come to.

A class map is kept as one find a class, whose masks share no pixel; the rest is background.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codecs_eval.downstream.ap import Photo
from codecs_eval.downstream.found import Floats, Found, sorted_finds
from codecs_eval.downstream.masks import Rle, area_of, box_of, common, joined, mask_of, rle_of


@dataclass(frozen=True, eq=False)
class Reference:
    """What a class map is compared with; pixels in `void` count neither way."""

    masks: Mapping[str, Rle]
    void: Rle


@dataclass(frozen=True, eq=False)
class Pixels:
    """(photos, 1 + classes), the background first: found where they are, there, found."""

    right: Floats
    there: Floats
    found: Floats


def found_of(classes: NDArray[np.integer], labels: Sequence[str]) -> Found:
    """(height, width) numbers, 0 the background and i the i-th label -> one find a class."""
    numbers = [int(number) for number in np.unique(classes) if number > 0]
    masks = [rle_of(classes == number) for number in numbers]
    boxes = np.array([box_of(mask) for mask in masks], dtype=np.float64)
    return sorted_finds(
        boxes, np.ones(len(numbers)), [labels[number - 1] for number in numbers], masks
    )


def of_truth(photo: Photo, by_label: Mapping[str, int]) -> Reference:
    """Instances as classes: where two overlap the smaller one stands in front; crowds are void
    where no instance is."""
    places = {category_id: i for i, category_id in enumerate(by_label.values(), start=1)}
    classes = np.zeros((photo.height, photo.width), dtype=np.int64)
    void = np.zeros(classes.shape, dtype=bool)
    for each in sorted(photo.truth, key=lambda each: -each.area_px):
        if each.mask is None:
            raise ValueError(f"{photo.name}: found an instance without a mask, expected masks")
        if each.is_crowd:
            void |= mask_of(each.mask)
        else:
            classes[mask_of(each.mask)] = places[each.category_id]
    found = found_of(classes, list(by_label))
    return Reference(
        dict(zip(found.labels, found.masks, strict=True)), rle_of(void & ~(classes > 0))
    )


def of_found(found: Found, photo: Photo) -> Reference:
    """The class map of an uncompressed photo as the yardstick: no pixel is left out."""
    void = rle_of(np.zeros((photo.height, photo.width), dtype=bool))
    return Reference(dict(zip(found.labels, found.masks, strict=True)), void)


def counted(
    references: Sequence[Reference], found: Sequence[Found], labels: Sequence[str]
) -> Pixels:
    """Pixels of every photo; those found of classes outside `labels` are background."""
    rows = [_counted(r, f, labels) for r, f in zip(references, found, strict=True)]
    right, there, seen = np.moveaxis(np.array(rows, dtype=np.float64), 2, 0)
    return Pixels(right, there, seen)


def mean_iou(pixels: Pixels, weights: Floats) -> Floats:
    """(resamples,): IoU over photos together, mean over the classes that are there, background
    included, as PASCAL VOC counts it (Everingham et al. 2010)."""
    right, there, found = (weights @ each for each in (pixels.right, pixels.there, pixels.found))
    with np.errstate(invalid="ignore", divide="ignore"):
        iou = np.where(there > 0, right / (there + found - right), 0.0)
        mean: Floats = iou.sum(axis=1) / (there > 0).sum(axis=1)
    return mean


def accuracy(pixels: Pixels, weights: Floats) -> Floats:
    """(resamples,): share of pixels whose class is right."""
    with np.errstate(invalid="ignore"):
        share: Floats = (weights @ pixels.right).sum(axis=1) / (weights @ pixels.there).sum(axis=1)
    return share


def photo_iou(reference: Reference, found: Found, labels: Sequence[str]) -> float:
    """Of one photo; 1 where every pixel is void, for then nothing is wrong."""
    value = float(mean_iou(counted([reference], [found], labels), np.ones((1, 1)))[0])
    return value if np.isfinite(value) else 1.0


def labels_of(*photos: Iterable[Found]) -> list[str]:
    """Every class that was found in any."""
    return sorted({label for found in photos for each in found for label in each.labels})


def _counted(
    reference: Reference, found: Found, labels: Sequence[str]
) -> list[tuple[float, float, float]]:
    void = reference.void
    seen = {
        label: mask
        for label, mask in zip(found.labels, found.masks, strict=True)
        if label in labels
    }
    n_pixels = void.height * void.width - area_of(void)
    rows = [_of_class(reference.masks.get(label), seen.get(label), void) for label in labels]
    things = joined(void, *reference.masks.values(), *seen.values())
    background = (
        void.height * void.width - area_of(things),
        n_pixels - sum(there for _, there, _ in rows),
        n_pixels - sum(found for _, _, found in rows),
    )
    return [background, *rows]


def _of_class(there: Rle | None, seen: Rle | None, void: Rle) -> tuple[float, float, float]:
    n_there = 0.0 if there is None else area_of(there)
    if seen is None:
        return 0.0, n_there, 0.0
    right = 0.0 if there is None else area_of(common(there, seen))
    return right, n_there, area_of(seen) - area_of(common(seen, void))
