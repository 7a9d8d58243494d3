"""The images of a dataset as people saw them, for a trunk in training: never resized or cut."""

import struct
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from codecs_eval.agreement.dataset import FrozenDataset
from codecs_eval.metrics.metric import Image

Size = tuple[int, int]  # height, width

# Decoded pixels kept from one epoch to the next; what does not fit is decoded again.
_MOST_BYTES = 2 << 30


class Crops:
    def __init__(self, dataset: FrozenDataset) -> None:
        self._dataset = dataset
        self._kept: dict[str, Image] = {}
        self._bytes = 0

    def image(self, sha: str) -> Image:
        if sha in self._kept:
            return self._kept[sha]
        image = self._dataset.image(sha)
        if self._bytes + image.nbytes <= _MOST_BYTES:
            self._kept[sha] = image
            self._bytes += image.nbytes
        return image

    def stack(self, shas: Sequence[str]) -> Tensor:
        """uint8 (n, height, width, 3) of images of one size."""
        return torch.from_numpy(np.stack([self.image(sha) for sha in shas]))

    def size(self, sha: str) -> Size:
        """From the PNG's header alone; nothing is decoded."""
        with self._dataset.image_path(sha).open("rb") as file:
            header = file.read(24)
        if header[12:16] != b"IHDR":
            raise ValueError(f"image {sha} begins with {header[:8]!r}; expected a PNG's header")
        width, height = struct.unpack(">II", header[16:24])
        return height, width


def triplet_sizes(crops: Crops, triplets: Sequence[tuple[str, str, str]]) -> list[Size]:
    """Size of each triplet's three images; ValueError where they differ."""
    known = {sha: crops.size(sha) for sha in {sha for triplet in triplets for sha in triplet}}
    for triplet in triplets:
        sizes = {known[sha] for sha in triplet}
        if len(sizes) > 1:
            raise ValueError(
                f"the reference {triplet[0]} has the height and width {known[triplet[0]]}, its "
                f"reconstructions {known[triplet[1]]} and {known[triplet[2]]}; expected one size"
            )
    return [known[triplet[0]] for triplet in triplets]


def equal_size_batches(
    rows: Tensor, sizes: Sequence[Size], batch_size: int, generator: torch.Generator
) -> list[Tensor]:
    """`rows` in random order, in batches of one image size each; `sizes` by row number.

    The last batch of each size may be smaller; batches of different sizes follow at random.
    """
    by_size: dict[Size, list[int]] = {}
    for row in rows[torch.randperm(len(rows), generator=generator)].tolist():
        by_size.setdefault(sizes[row], []).append(row)
    batches = [
        batch for same in by_size.values() for batch in torch.split(torch.tensor(same), batch_size)
    ]
    return [batches[i] for i in torch.randperm(len(batches), generator=generator).tolist()]
