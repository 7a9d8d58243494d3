"""Crops as people saw them: sizes from the header, batches of one size."""

from pathlib import Path

import numpy as np
import pytest
import torch

from codecs_eval.training.crops import Crops, equal_size_batches, triplet_sizes
from tests.codecs_eval.training.datasets import make_dataset


def test_an_images_size_and_pixels_are_those_of_its_file(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "planted", n_sources=1, size_px=44)
    crops = Crops(dataset)
    sha = dataset.triplets["first_image"].iloc[0]
    assert crops.size(sha) == (44, 44)
    stacked = crops.stack([sha, sha])
    assert stacked.shape == (2, 44, 44, 3)
    np.testing.assert_array_equal(stacked[1].numpy(), dataset.image(sha))


def test_batches_hold_one_size_each_and_every_triplet_once() -> None:
    sizes = [(40, 40) if row % 3 else (40, 60) for row in range(100)]
    rows = torch.arange(10, 90)
    batches = equal_size_batches(rows, sizes, 7, torch.Generator().manual_seed(0))
    assert sorted(torch.cat(batches).tolist()) == list(range(10, 90))
    for batch in batches:
        assert len(batch) <= 7
        assert len({sizes[row] for row in batch.tolist()}) == 1
    again = equal_size_batches(rows, sizes, 7, torch.Generator().manual_seed(0))
    assert all(torch.equal(a, b) for a, b in zip(batches, again, strict=True))
    # Sizes come mixed, not one after the other.
    order = [sizes[int(batch[0])] for batch in batches]
    assert order != sorted(order)
    assert order != sorted(order, reverse=True)


def test_a_triplet_of_two_sizes_is_refused(tmp_path: Path) -> None:
    small = make_dataset(tmp_path / "small", n_sources=1, size_px=40)
    large = make_dataset(tmp_path / "large", n_sources=1, size_px=48)
    a, b = (set_.triplets["first_image"].iloc[0] for set_ in (small, large))

    class Both(Crops):
        def size(self, sha: str) -> tuple[int, int]:
            return Crops(large if sha == b else small).size(sha)

    with pytest.raises(ValueError, match="expected one size"):
        triplet_sizes(Both(small), [(a, a, b)])
