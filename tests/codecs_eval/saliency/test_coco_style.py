"""Both models against objects that people outlined, on a few photos of the shared set."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from codecs_eval.saliency.agreement import MapAgreement, agreement
from codecs_eval.saliency.coco_masks import marked_photos
from codecs_eval.saliency.table import SALIENCY, load_saliency
from tests.codecs_eval.metrics.pretrained import weight_source

PHOTOS = {
    "purse-407176_1280.jpg",
    "horses-2904536_1280.jpg",
    "apple-256261_1280.jpg",
    "pizza-2000614_1280.jpg",
}


def test_u2netp_finds_outlined_objects_far_better_than_spectral_residual(
    shared_data: Callable[[str], Path],
) -> None:
    folder = shared_data("coco_style_61")
    photos = [row for row in marked_photos(folder / "instances.json") if row.file_name in PHOTOS]
    assert len(photos) == len(PHOTOS)
    found: dict[str, list[MapAgreement]] = {}
    for name in SALIENCY:
        model = load_saliency(name, weight_source())
        for photo in photos:
            with Image.open(folder / "images" / photo.file_name) as file:
                image = np.asarray(file.convert("RGB"))
            found.setdefault(name, []).append(agreement(model.map(image), photo.mask()))
    u2netp, residual = found["u2netp"], found["spectral-residual"]
    assert max(row.mae for row in u2netp) < 0.1
    assert min(row.f_adaptive or 0 for row in u2netp) > 0.8
    assert all(ours.mae < other.mae for ours, other in zip(u2netp, residual, strict=True))
    # Worth something all the same: no map at all has F 0.
    assert min(row.f_max or 0 for row in residual) > 0.2
