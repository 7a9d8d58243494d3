"""Photos to learn from: random crops, each a function of seed and step alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from codecs_eval.codecs.learned.quality_map import map_of
from codecs_eval.codecs.learned.shape import MAP_STEPS
from codecs_eval.training.codec.config import TrainCodecConfig

Pixels = NDArray[np.uint8]
# Decoded photos and their saliency that are kept at hand.
_PHOTOS_AT_HAND = 512


@dataclass(frozen=True)
class Photo:
    """`pixels` (h, w, 3); `saliency` (h, w) in 0..1 times 255, None where nobody looks."""

    name: str
    pixels: Pixels
    saliency: NDArray[np.uint8] | None


@dataclass(frozen=True)
class CropBatch:
    """`pixels` (n, 3, h, w) in 0..255, `level` (n,), `quality_map` (n, 1, h/32, w/32) in 0..1,
    `weight` (n, 1, h, w): what a pixel's error counts, 1 on average over a photo."""

    pixels: Tensor
    level: Tensor
    quality_map: Tensor
    weight: Tensor

    def to(self, device: torch.device) -> "CropBatch":
        return CropBatch(
            self.pixels.to(device),
            self.level.to(device),
            self.quality_map.to(device),
            self.weight.to(device),
        )


class Photos:
    """`read(i)` gives photo i's pixels, `look` a photo's saliency (h, w) in 0..1."""

    def __init__(
        self,
        names: Sequence[str],
        read: Callable[[int], Pixels],
        look: Callable[[Pixels], NDArray[np.float32]] | None = None,
    ) -> None:
        self.names, self._read, self._look = list(names), read, look
        self.photo = lru_cache(_PHOTOS_AT_HAND)(self._photo)

    def __len__(self) -> int:
        return len(self.names)

    def _photo(self, index: int) -> Photo:
        pixels = self._read(index)
        saliency = None
        if self._look is not None:
            saliency = np.round(self._look(pixels) * 255).astype(np.uint8)
        return Photo(self.names[index], pixels, saliency)

    def batch(self, config: TrainCodecConfig, top_level: float, step: int) -> CropBatch:
        """The crops of a step; the same whatever was drawn before."""
        rng = np.random.default_rng([config.seed, step])
        crops = [self._crop(config, rng) for _ in range(config.batch_size)]
        pixels, maps, weights = (np.stack(parts) for parts in zip(*crops, strict=True))
        return CropBatch(
            torch.from_numpy(pixels).permute(0, 3, 1, 2).float(),
            torch.from_numpy(rng.random(config.batch_size, np.float32) * np.float32(top_level)),
            torch.from_numpy(maps)[:, None],
            torch.from_numpy(weights)[:, None],
        )

    def _crop(
        self, config: TrainCodecConfig, rng: np.random.Generator
    ) -> tuple[Pixels, NDArray[np.float32], NDArray[np.float32]]:
        photo = self.photo(int(rng.integers(len(self))))
        side = config.crop_px
        height, width = photo.pixels.shape[:2]
        row, column = rng.integers(height - side + 1), rng.integers(width - side + 1)
        window = (slice(row, row + side), slice(column, column + side))
        turn = slice(None, None, -1 if rng.random() < 0.5 else 1)
        pixels = photo.pixels[window][:, turn]
        is_guided = rng.random() < 0.5
        if photo.saliency is None or not is_guided:
            cells = side // 32
            plain = np.zeros((cells, cells), np.float32), np.ones((side, side), np.float32)
            return np.ascontiguousarray(pixels), *plain
        saliency = (photo.saliency[window][:, turn] / np.float32(255)).astype(np.float32)
        mean = float(photo.saliency.mean()) / 255
        weight = (1 + config.saliency_weight * saliency) / (1 + config.saliency_weight * mean)
        quality_map = map_of(saliency).astype(np.float32) / np.float32(MAP_STEPS - 1)
        return np.ascontiguousarray(pixels), quality_map, weight.astype(np.float32)


def check_sizes(names: Sequence[str], sizes: Sequence[tuple[int, int]], crop_px: int) -> list[int]:
    """Indexes of photos (height, width) large enough for a crop; ValueError where none is."""
    fitting = [index for index, size in enumerate(sizes) if min(size) >= crop_px]
    if not fitting:
        found = max(min(size) for size in sizes) if sizes else 0
        raise ValueError(
            f"found {len(names)} photos, the largest {found} px on its shorter side; expected some "
            f"of at least {crop_px} px, the crop to learn from"
        )
    return fitting
