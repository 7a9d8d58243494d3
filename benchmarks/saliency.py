"""Saliency models against the objects outlined in a COCO-style set: MAE, F, with intervals.

python -m benchmarks.saliency --photos FOLDER --instances FILE

Photos with transparency, which an import would refuse, are laid on white, so that every photo of
the set counts. Two rows that look at no photo give the scale: a Gaussian in the centre (its
deviation a quarter of each side), and calling everything salient.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image as Pictures

from codecs_eval.saliency.agreement import (
    MapAgreement,
    MeanOverPhotos,
    agreement,
    mean_over_photos,
)
from codecs_eval.saliency.coco_masks import marked_photos
from codecs_eval.saliency.saliency import Image, Map, stretched
from codecs_eval.saliency.table import SALIENCY, load_saliency
from codecs_eval.weights import obtain

CENTRE = "*Gaussian in the centre*"
Look = Callable[[Image], Map]


@dataclass(frozen=True)
class Looked:
    label: str
    look: Look


def models(weights: Path) -> Iterator[Looked]:
    for entry in SALIENCY.values():
        model = load_saliency(entry.name, lambda name: obtain(name, weights))
        yield Looked(entry.label, model.map)
    yield Looked(CENTRE, centre)
    yield Looked("*everything*", lambda image: np.ones(image.shape[:2], np.float32))


def centre(image: Image) -> Map:
    """exp(-r^2 / 2), r in quarters of the sides, stretched; float32 (height, width)."""
    height, width = image.shape[:2]
    y = (np.arange(height) + 0.5 - height / 2) / (height / 4)
    x = (np.arange(width) + 0.5 - width / 2) / (width / 4)
    return stretched(np.exp(-(y[:, None] ** 2 + x[None] ** 2) / 2))


def on_white(path: Path) -> Image:
    """uint8 (height, width, 3)."""
    with Pictures.open(path) as file:
        whole = file.convert("RGBA")
        return np.asarray(
            Pictures.alpha_composite(Pictures.new("RGBA", whole.size, "white"), whole)
        )[..., :3]


def line(label: str, rows: list[MapAgreement]) -> str:
    means = [
        mean_over_photos([getattr(row, name) for row in rows])
        for name in ("mae", "f_adaptive", "f_max")
    ]
    return f"| {label} | {' | '.join(cell(mean) for mean in means)} |"


def cell(mean: MeanOverPhotos | None) -> str:
    assert mean is not None and mean.low is not None and mean.high is not None
    return f"{mean.mean:.3f} | {mean.low:.3f} to {mean.high:.3f} | {mean.n}"


def beside_centre(label: str, rows: list[MapAgreement], centred: list[MapAgreement]) -> str:
    """F minus the centre's F, paired by photo."""
    pairs = zip(rows, centred, strict=True)
    differences = [
        None
        if ours.f_adaptive is None or base.f_adaptive is None
        else ours.f_adaptive - base.f_adaptive
        for ours, base in pairs
    ]
    found = mean_over_photos(differences, bounds=(-1, 1))
    assert found is not None and found.low is not None and found.high is not None
    return (
        f"{label}: F is {found.mean:+.3f} beside the centre's "
        f"({found.low:+.3f} to {found.high:+.3f}, n {found.n})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--instances", type=Path, required=True)
    parser.add_argument("--weights", type=Path, default=Path("var/weights"))
    options = parser.parse_args()
    looked = list(models(options.weights))
    rows: dict[str, list[MapAgreement]] = {each.label: [] for each in looked}
    for photo in marked_photos(options.instances):
        image, mask = on_white(options.photos / photo.file_name), photo.mask()
        for each in looked:
            rows[each.label].append(agreement(each.look(image), mask))
    interval = "95 % interval | n"
    print(f"| | MAE | {interval} | F | {interval} | largest F | {interval} |")
    print("|:--|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    for label, found in rows.items():
        print(line(label, found))
    for entry in SALIENCY.values():
        print(beside_centre(entry.label, rows[entry.label], rows[CENTRE]))


if __name__ == "__main__":
    main()
