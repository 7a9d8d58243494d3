"""A photo of a downstream run with boxes or classes: what is there, what was found at which
rate."""

import io
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from codecs_eval import storing
from codecs_eval.detecting import UNCOMPRESSED, DownstreamConfig, downstream_config, kept_finds
from codecs_eval.downstream.ap import Photo
from codecs_eval.downstream.drawing import Marked, boxed, coloured
from codecs_eval.downstream.masks import Rle
from codecs_eval.downstream.table import model_entry
from codecs_eval.downstream.without_truth import SHOWN_FROM
from codecs_eval.models import Reconstruction, Run, SourceImage

FOLDER = "truth"


def keep_truth(folder: Path, photos: list[Photo], names: dict[int, str]) -> None:
    """One small file a photo: a page does not read a whole COCO file for one picture."""
    (folder / FOLDER).mkdir(exist_ok=True)
    for photo in photos:
        rows = [
            {
                "box": each.box,
                "words": names[each.category_id] + (" (crowd)" if each.is_crowd else ""),
                "mask": None if each.mask is None else each.mask.to_coco(),
            }
            for each in photo.truth
        ]
        (folder / FOLDER / f"{photo.id}.json").write_text(json.dumps(rows), encoding="utf-8")


def kept_truth(run: Run, source_id: int) -> list[Marked]:
    path = run.folder / FOLDER / f"{source_id}.json"
    if not path.is_file():
        return []
    return [
        Marked(tuple(row["box"]), row["words"], _rle(row["mask"]))
        for row in json.loads(path.read_text(encoding="utf-8"))
    ]


def ladder_row(
    config: DownstreamConfig, source: SourceImage, codec: str, target_bpp: float
) -> Reconstruction | None:
    """The reconstruction that the report is about; None where there is none."""
    rows = Reconstruction.objects.of_ladder(config.collection, [codec], [target_bpp])
    return rows.filter(source=source, tolerance=config.tolerance).last()


def picture(run: Run, source: SourceImage, codec: str, target_bpp: float) -> bytes:
    """WebP without loss: what the codec did to the pixels is what is shown. Raises ValueError
    where the run has no such picture."""
    config = downstream_config(run)
    if codec == UNCOMPRESSED:
        path, sha256 = source.path, source.sha256
    else:
        row = ladder_row(config, source, codec, target_bpp)
        if row is None:
            raise ValueError(f"Found no {codec} of {source} at {target_bpp:g} bpp.")
        path, sha256 = row.path, row.pixels_sha256
    found = kept_finds(config.model, sha256).above(SHOWN_FROM)
    draw = coloured if model_entry(config.model).task == "semantic" else boxed
    return _webp(draw(storing.read_pixels(path), kept_truth(run, source.pk), found))


def _rle(found: dict[str, object] | None) -> Rle | None:
    if found is None:
        return None
    size: object = found["size"]
    assert isinstance(size, list)
    return Rle(size[0], size[1], str(found["counts"]))


def _webp(image: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "WEBP", lossless=True, quality=20, method=0)
    return buffer.getvalue()
