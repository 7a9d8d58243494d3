"""Boxes or coloured classes on a photo: what is there, and what the model found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from codecs_eval.downstream.coco_classes import VOC_20
from codecs_eval.downstream.found import Found
from codecs_eval.downstream.masks import Box, Rle, mask_of

# Okabe-Ito green and vermilion; whole and broken lines besides, for print and for every eye.
TRUE_COLOUR, FOUND_COLOUR = "#009E73", "#D55E00"
_DASH_WIDTHS = 4
_COLOUR_SHARE = 0.55


@dataclass(frozen=True)
class Marked:
    """One box with its words."""

    box: Box
    words: str
    mask: Rle | None = None


def boxed(image: NDArray[np.uint8], truth: Sequence[Marked], found: Found) -> NDArray[np.uint8]:
    """(height, width, 3) with the truth in whole green lines, finds in broken red ones."""
    picture = Image.fromarray(image)
    for marks in (found.masks, [mark.mask for mark in truth if mark.mask is not None]):
        for mask in marks:
            picture = _outlined(
                picture, mask, FOUND_COLOUR if marks is found.masks else TRUE_COLOUR
            )
    draw = ImageDraw.Draw(picture)
    size = max(11, round(min(image.shape[:2]) / 36))
    font = ImageFont.load_default(size)
    # Pages show pictures smaller than they are.
    thick = max(2, round(max(image.shape[:2]) / 320))
    for mark in truth:
        draw.rectangle(_corners(mark.box), outline="white", width=thick + 2)
        draw.rectangle(_corners(mark.box), outline=TRUE_COLOUR, width=thick)
        _words(draw, mark.box, mark.words, TRUE_COLOUR, font, is_below=True)
    # The surest last, on top of the others.
    for i in reversed(range(len(found.labels))):
        left, top, width, height = (float(value) for value in found.boxes[i])
        box = (left, top, width, height)
        _broken(draw, _corners(box), thick)
        words = f"{found.labels[i]} {found.scores[i]:.2f}"
        _words(draw, box, words, FOUND_COLOUR, font, is_below=False)
    return np.asarray(picture)


def coloured(image: NDArray[np.uint8], truth: Sequence[Marked], found: Found) -> NDArray[np.uint8]:
    """(height, width, 3) with each class found in its colour, the truth's edge in green."""
    pixels = image.astype(np.float64)
    for label, mask in zip(found.labels, found.masks, strict=True):
        inside = mask_of(mask)
        pixels[inside] += _COLOUR_SHARE * (np.array(class_colour(label)) - pixels[inside])
    picture = Image.fromarray(pixels.round().astype(np.uint8))
    for mark in truth:
        if mark.mask is not None:
            picture = _outlined(picture, mark.mask, TRUE_COLOUR)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(max(11, round(min(image.shape[:2]) / 36)))
    for mark in truth:
        _words(draw, mark.box, mark.words, TRUE_COLOUR, font, is_below=True)
    for label, box in zip(found.labels, found.boxes, strict=True):
        left, top, width, height = (float(value) for value in box)
        colour = "#{:02x}{:02x}{:02x}".format(*class_colour(label))
        _words(draw, (left, top, width, height), label, colour, font, is_below=False)
    return np.asarray(picture)


def class_colour(label: str) -> tuple[int, int, int]:
    """PASCAL VOC's own (VOClabelcolormap of its development kit): bits of the class's number,
    dealt to red, green and blue from the highest down."""
    number, colour = VOC_20.index(label) + 1, [0, 0, 0]
    for bit in range(7, -1, -1):
        for channel in range(3):
            colour[channel] |= (number >> channel & 1) << bit
        number >>= 3
    return colour[0], colour[1], colour[2]


def _corners(box: Box) -> tuple[float, float, float, float]:
    left, top, width, height = box
    return left, top, left + max(0.0, width - 1), top + max(0.0, height - 1)


def _broken(
    draw: ImageDraw.ImageDraw, corners: tuple[float, float, float, float], thick: int
) -> None:
    left, top, right, bottom = corners
    dash = _DASH_WIDTHS * thick
    sides = (
        ((left, top), (right, top)),
        ((right, top), (right, bottom)),
        ((right, bottom), (left, bottom)),
        ((left, bottom), (left, top)),
    )
    for (x0, y0), (x1, y1) in sides:
        length = max(abs(x1 - x0), abs(y1 - y0), 1.0)
        for start in np.arange(0, length, 2 * dash):
            end = min(start + dash, length)
            ends = [
                (x0 + (x1 - x0) * at / length, y0 + (y1 - y0) * at / length) for at in (start, end)
            ]
            draw.line(ends, fill="white", width=thick + 2)
            draw.line(ends, fill=FOUND_COLOUR, width=thick)


def _words(
    draw: ImageDraw.ImageDraw,
    box: Box,
    words: str,
    colour: str,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    *,
    is_below: bool,
) -> None:
    """A label inside the box: of the truth at its foot, of a find at its head."""
    left, top, _, height = box
    _, _, wide, high = draw.textbbox((0, 0), words, font=font)
    y = top + height - high - 5 if is_below else top + 2
    x = min(max(2.0, left + 2), max(2.0, draw.im.size[0] - wide - 6))
    draw.rectangle((x, y, x + wide + 4, y + high + 3), fill=colour)
    draw.text((x + 2, y + 1), words, fill="white", font=font)


def _outlined(picture: Image.Image, mask: Rle, colour: str) -> Image.Image:
    inside = mask_of(mask)
    padded = np.pad(inside, 1)
    core = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:] & inside
    edge = Image.fromarray((inside & ~core).astype(np.uint8) * 255)
    return Image.composite(Image.new("RGB", picture.size, colour), picture, edge)
