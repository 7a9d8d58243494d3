"""Maps and masks as rows, with their pixels in the store."""

import numpy as np
from numpy.typing import NDArray

from codecs_eval.finding_saliency import store_map
from codecs_eval.models import SaliencyMap, SourceImage
from codecs_eval.saliency.table import SALIENCY


def make_values(source: SourceImage, left: float = 1.0) -> NDArray[np.float32]:
    """`left` on the left half of the photo, 0 on the right."""
    values = np.zeros((source.height, source.width), np.float32)
    values[:, : source.width // 2] = left
    return values


def make_map(
    source: SourceImage,
    model: str = "u2netp",
    values: NDArray[np.float32] | None = None,
    *,
    model_version: str = "",
) -> SaliencyMap:
    """Of the model's present version unless another is said; `imported:NAME` makes a mask."""
    version = SALIENCY[model].version if model in SALIENCY else "1"
    return SaliencyMap.objects.create(
        source=source,
        model=model,
        model_version=model_version or version,
        path=store_map(make_values(source) if values is None else values),
        origin="made for this test",
    )
