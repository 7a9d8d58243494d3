"""Masks from files: any depth reads the same, names decide, whatever does not fit is said."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from codecs_eval.saliency.coco_masks import marked_photos
from codecs_eval.saliency.masks import mask_files, paired, read_mask

HALF = np.array([[0, 255, 128], [255, 0, 64]], np.uint8)


def save(path: Path, values: Any, mode: str | None = None) -> Path:
    image = Image.fromarray(values)
    (image.convert(mode) if mode else image).save(path)
    return path


@pytest.mark.parametrize(
    ("name", "values", "mode"),
    [
        ("grey.png", HALF, None),
        ("rgb.png", HALF, "RGB"),
        ("opaque.png", HALF, "RGBA"),
        ("palette.png", HALF, "P"),
        ("sixteen.png", HALF.astype(np.uint16) * 257, None),
        ("float.tif", HALF.astype(np.float32) / 255, None),
        ("grey.bmp", HALF, None),
    ],
)
def test_every_depth_gives_the_same_values(
    tmp_path: Path, name: str, values: Any, mode: str | None
) -> None:
    found = read_mask(save(tmp_path / name, values, mode), 2, 3)
    assert found.dtype == np.float32 and found == pytest.approx(HALF / 255, abs=1e-6)


@pytest.mark.parametrize("values", [np.eye(3, dtype=bool), np.eye(3, dtype=np.uint8)])
def test_one_bit_and_labels_0_and_1_mark_fully(tmp_path: Path, values: Any) -> None:
    assert np.array_equal(read_mask(save(tmp_path / "m.png", values), 3, 3), np.eye(3))


def test_another_size_is_refused_with_found_and_expected(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"m\.png: found 3x2 px; expected 30x20 px"):
        read_mask(save(tmp_path / "m.png", HALF), 20, 30)


def test_colour_transparency_and_no_picture_are_refused(tmp_path: Path) -> None:
    colour = np.zeros((2, 3, 3), np.uint8)
    colour[0, 0, 0] = 9
    with pytest.raises(ValueError, match="found colour; expected grey"):
        read_mask(save(tmp_path / "colour.png", colour), 2, 3)
    clear = np.dstack([HALF, HALF, HALF, HALF])
    with pytest.raises(ValueError, match="found transparency"):
        read_mask(save(tmp_path / "clear.png", clear), 2, 3)
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(ValueError, match=r"text\.png cannot be read"):
        read_mask(tmp_path / "text.png", 2, 3)
    with pytest.raises(ValueError, match="found values 0 to 255; expected 0 to 1"):
        read_mask(save(tmp_path / "f.tif", HALF.astype(np.float32)), 2, 3)


def test_names_pair_and_never_the_order(tmp_path: Path) -> None:
    names = {Path("b.png"): "b", Path("z/a.tif"): "a", Path("stray.png"): "stray"}
    found = paired(names, ["a", "b", "c"])
    assert found.pairs == {"a": Path("z/a.tif"), "b": Path("b.png")}
    assert found.photos_without_mask == ("c",) and found.files_without_photo == ("stray.png",)


def test_two_masks_of_one_photo_are_not_chosen_between() -> None:
    with pytest.raises(ValueError, match=r"2 masks for the photo a: a\.png, a\.tif; expected one"):
        paired({Path("a.png"): "a", Path("a.tif"): "a"}, ["a"])


def test_a_folder_gives_its_pictures_only(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no mask"):
        mask_files(tmp_path)
    (tmp_path / "deep").mkdir()
    for name in ("deep/a.PNG", "notes.txt", ".hidden.png"):
        (tmp_path / name).write_bytes(b"")
    assert mask_files(tmp_path) == [tmp_path / "deep/a.PNG"]
    with pytest.raises(ValueError, match="is no folder"):
        mask_files(tmp_path / "nowhere")


def write_instances(folder: Path, *segmentations: Any) -> Path:
    path = folder / "instances.json"
    rows = [
        {"id": at, "image_id": 7, "segmentation": found} for at, found in enumerate(segmentations)
    ]
    images = [
        {"id": 7, "file_name": "a.jpg", "width": 10, "height": 8},
        {"id": 8, "file_name": "empty.jpg", "width": 2, "height": 2},
    ]
    path.write_text(json.dumps({"images": images, "annotations": rows}))
    return path


def test_polygons_of_a_photo_are_joined(tmp_path: Path) -> None:
    square, overlapping, line = [1, 1, 4, 1, 4, 4, 1, 4], [3, 3, 6, 3, 6, 6, 3, 6], [0, 0, 9, 7]
    photo, empty = marked_photos(write_instances(tmp_path, [square], [overlapping, line]))
    mask = photo.mask()
    assert mask.shape == (8, 10) and set(np.unique(mask)) == {0, 1}
    assert mask[2, 2] == mask[5, 5] == mask[3, 3] == 1
    assert mask[0].sum() == mask[:, 8:].sum() == mask[6, 2] == 0
    assert not empty.mask().any()


def test_run_lengths_and_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="run-length mask; expected polygons"):
        marked_photos(write_instances(tmp_path, {"counts": "x", "size": [8, 10]}))
    with pytest.raises(ValueError, match="expected x, y, x, y"):
        marked_photos(write_instances(tmp_path, [[1, 2, 3, 4, 5, 6, 7]]))
    (tmp_path / "other.json").write_text("[]")
    with pytest.raises(ValueError, match="expected JSON with images and annotations"):
        marked_photos(tmp_path / "other.json")
