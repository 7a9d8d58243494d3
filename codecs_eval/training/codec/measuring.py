"""A codec in training, measured as it will be used: real files of held-out photos."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from codecs_eval.codecs.learned.codec import LearnedCodec, Look
from codecs_eval.codecs.learned.model import LearnedModel
from codecs_eval.codecs.learned.saving import load_model, model_file
from codecs_eval.metrics.psnr import decibels

Pixels = NDArray[np.uint8]
# Sides of what is measured on while training: enough to see a codec by, and quick.
_MEASURED_PX = 384
_SAMPLE_PX = 256


@dataclass(frozen=True)
class LevelPoint:
    """Means over held-out photos: bits per pixel of whole files, and PSNR in dB."""

    level: float
    bpp: float
    psnr_db: float


def whole_levels(model: LearnedModel) -> list[float]:
    return [float(level) for level in range(len(model.shape.steps_px))]


def middle_of(pixels: Pixels, most_px: int = _MEASURED_PX) -> Pixels:
    """The central part, at most so many pixels on a side."""
    row, column = ((side - min(side, most_px)) // 2 for side in pixels.shape[:2])
    return np.ascontiguousarray(pixels[row : row + most_px, column : column + most_px])


def measured_levels(
    model: LearnedModel, photos: Sequence[Pixels], folder: Path, look: Look | None
) -> tuple[list[LevelPoint], list[Pixels]]:
    """Each whole level on the middle of each photo; and the first photo's reconstructions."""
    codec = codec_of(model, folder, look)
    parts = [middle_of(pixels) for pixels in photos]
    points, samples = list[LevelPoint](), list[Pixels]()
    for level in whole_levels(model):
        rates, values = list[float](), list[float]()
        for index, part in enumerate(parts):
            data = codec.encode(part, {"level": level})
            decoded = codec.decode(data)
            rates.append(8 * len(data) / (part.shape[0] * part.shape[1]))
            values.append(decibels(part.astype(np.float64), decoded.astype(np.float64)))
            if index == 0:
                samples.append(decoded)
        points.append(LevelPoint(level, float(np.mean(rates)), float(np.mean(values))))
    return points, samples


def codec_of(model: LearnedModel, folder: Path, look: Look | None) -> LearnedCodec:
    """The codec that the model would be if training ended now."""
    path = folder / "now.safetensors"
    path.write_bytes(model_file(model, is_guided=look is not None, facts={}))
    try:
        saved = load_model(path)
    finally:
        path.unlink()
    saved.model.to(model.log_gain.device)
    return LearnedCodec("learned", "in training", saved, look)


def write_samples(folder: Path, step: int, original: Pixels, samples: Sequence[Pixels]) -> None:
    """The original and each level's reconstruction side by side, at 1:1."""
    folder.mkdir(exist_ok=True)
    row = np.concatenate([middle_of(part, _SAMPLE_PX) for part in (original, *samples)], axis=1)
    PillowImage.fromarray(row).save(folder / f"step-{step:07d}.png")
