"""Pooled features of many small references at once: one by one, a trunk's start-up would dominate.

Many small pictures (64x64 crops of a reference each) are the common shape of a 2AFC dataset.
"""

from collections.abc import Sequence

import torch

from codecs_eval.metrics.metric import Image, check_images
from codecs_eval.metrics.pooling import (
    CPU_BATCH_PX,
    TILE_PX,
    Pooled,
    exact_float32,
    to_tensor,
    unit,
)
from codecs_eval.metrics.trunk import Trunk

Group = tuple[Image, Sequence[Image]]  # a reference and its reconstructions


def batch_px(trunk: Trunk) -> int:
    """Pixels of references and reconstructions together that one batch may have."""
    return TILE_PX if trunk.shift.device.type == "cuda" else 2 * CPU_BATCH_PX


def pool_batch(trunk: Trunk, groups: Sequence[Group]) -> Pooled:
    """As `pool` with noise, for several references of one size; rows in the order of `groups`.

    Every image passes the trunk once, all in one pass: keep a batch within `batch_px`.
    """
    for reference, distorted in groups:
        check_images(reference, distorted, trunk.backbone.smallest_px)
    device = trunk.shift.device
    place = [row for row, (_, distorted) in enumerate(groups) for _ in distorted]
    rows = torch.tensor(place, device=device)
    references = [reference for reference, _ in groups]
    images = [image for _, distorted in groups for image in distorted]
    means, noises = [], []
    with torch.no_grad(), exact_float32():
        for tap in trunk.taps(to_tensor([*references, *images], device)):
            original, changed = torch.split(unit(tap), [len(references), len(images)])
            # In place: a fresh map of this size costs more than the arithmetic on it.
            difference = changed.sub_(original[rows]).square_()
            points = difference.shape[2] * difference.shape[3]
            means.append(difference.sum(dim=(2, 3)).double().cpu() / points)
            noises.append(difference.square_().sum(dim=(2, 3)).double().cpu() / points**2)
    return Pooled(torch.cat(means, dim=1).float(), torch.cat(noises, dim=1).float())
