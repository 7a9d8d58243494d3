"""Known answers: agreement with 452 choices by real people."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from codecs_eval.metrics.table import load_metric

ALL_PHOTOS, ALL_ANSWERS = 23, 452
# Percent, photos and the answers on them. SSIMULACRA 2 agrees with 77.9 % of these 452 and with
# 78.7 % of all choices of the study that they are from; it takes 0.14 s an image, so eight photos.
KNOWN = {
    "psnr": (76.1, ALL_PHOTOS, ALL_ANSWERS),
    "psnr-y": (73.7, ALL_PHOTOS, ALL_ANSWERS),
    "ssim": (74.8, ALL_PHOTOS, ALL_ANSWERS),
    "lpips-alex": (74.1, ALL_PHOTOS, ALL_ANSWERS),
    "ssimulacra2": (77.3, 8, 150),
}


def load(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "percent", "n_photos", "n_answers"), [(name, *known) for name, known in KNOWN.items()]
)
def test_agreement_with_people_is_the_known_one(
    name: str,
    percent: float,
    n_photos: int,
    n_answers: int,
    shared_data: Callable[[str], Path],
    weight_file: Callable[[str], Path],
) -> None:
    folder = shared_data("human_jpeg_pairs")
    with (folder / "answers.csv").open() as file:
        answers = list(csv.DictReader(file))
    photos = sorted({row["original"] for row in answers})[:n_photos]
    answers = [row for row in answers if row["original"] in photos]
    assert len(answers) == n_answers
    metric = load_metric(name, weight_file)
    sign = -1.0 if metric.higher_is_better else 1.0
    distance: dict[tuple[str, str], float] = {}
    for original in photos:
        rows = [row for row in answers if row["original"] == original]
        settings = sorted({row[side] for row in rows for side in ("first", "second")})
        images = [load(folder / "stimuli" / setting / f"{original}.jpg") for setting in settings]
        scores = metric.scores(load(folder / "originals" / f"{original}.png"), images)
        distance.update(
            ((original, setting), sign * score)
            for setting, score in zip(settings, scores, strict=True)
        )
    right = 0.0
    for row in answers:
        first, second = (distance[row["original"], row[side]] for side in ("first", "second"))
        nearer = "first" if first < second else "second"
        right += 0.5 if first == second else float(nearer == row["closer"])
    assert 100 * right / len(answers) == pytest.approx(percent, abs=0.5)
