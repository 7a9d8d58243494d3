"""Masks that people or other programs made: grey files of any depth, paired with photos by name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image as Pictures
from PIL import UnidentifiedImageError

from codecs_eval.saliency.saliency import Map

ENDINGS = (".png", ".tif", ".tiff", ".bmp", ".webp", ".jpg", ".jpeg", ".pgm")
FORMATS = ("PNG", "TIFF", "BMP", "WEBP", "JPEG", "PPM")
# What 1.0 is in a file of that mode.
FULL_SCALE = {"1": 1, "L": 255, "I;16": 65535, "I;16B": 65535, "I;16L": 65535, "F": 1}


@dataclass(frozen=True)
class Pairing:
    """`pairs`: photo -> its mask file. What stands alone on either side is named, not dropped."""

    pairs: Mapping[str, Path]
    photos_without_mask: tuple[str, ...]
    files_without_photo: tuple[str, ...]


def mask_files(folder: Path) -> list[Path]:
    """Image files of a folder and its subfolders. Raises ValueError where there are none."""
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder; expected one that holds masks")
    files = [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in ENDINGS and path.is_file() and not path.name.startswith(".")
    ]
    if not files:
        raise ValueError(f"{folder} holds no mask; expected files ending in {', '.join(ENDINGS)}")
    return files


def paired(names: Mapping[Path, str], photos: Iterable[str]) -> Pairing:
    """`names`: mask file -> the name that a photo of that file name has here.

    Raises ValueError where two files have one photo's name: which one is meant is not guessed.
    """
    by_name: dict[str, list[Path]] = {}
    for path, name in names.items():
        by_name.setdefault(name, []).append(path)
    wanted = list(photos)
    pairs: dict[str, Path] = {}
    for photo in wanted:
        found = by_name.pop(photo, [])
        if len(found) > 1:
            raise ValueError(
                f"found {len(found)} masks for the photo {photo}: "
                f"{', '.join(path.name for path in found)}; expected one"
            )
        if found:
            pairs[photo] = found[0]
    return Pairing(
        pairs,
        tuple(photo for photo in wanted if photo not in pairs),
        tuple(path.name for paths in by_name.values() for path in paths),
    )


def read_mask(path: Path, height: int, width: int) -> Map:
    """float32 (height, width) in [0, 1]. Raises ValueError saying what was found and expected."""
    try:
        with Pictures.open(path, formats=FORMATS) as file:
            # Before any pixel is decoded: a wrong size costs nothing.
            if file.size != (width, height):
                raise ValueError(
                    f"{path.name}: found {file.width}x{file.height} px; expected {width}x{height} "
                    f"px as the photo has"
                )
            return _scaled(_grey(file, path.name), path.name)
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise ValueError(f"{path.name} cannot be read ({error}); expected a grey image") from error


def _grey(file: Pictures.Image, name: str) -> Pictures.Image:
    """The same values with one channel; refuses colour and transparency."""
    if file.mode in FULL_SCALE:
        return file
    if file.mode not in {"P", "RGB", "LA", "RGBA", "PA"}:
        raise ValueError(f"{name}: found a picture of mode {file.mode}; expected a grey one")
    values = np.asarray(file.convert("RGBA"))
    if (values[..., 3] != 255).any():
        raise ValueError(f"{name}: found transparency; expected an opaque grey mask")
    if (values[..., :3] != values[..., :1]).any():
        raise ValueError(f"{name}: found colour; expected grey, 0 for what is not marked")
    return Pictures.fromarray(np.ascontiguousarray(values[..., 0]))


def _scaled(grey: Pictures.Image, name: str) -> Map:
    values = np.asarray(grey).astype(np.float64)
    full = float(FULL_SCALE[grey.mode])
    # Programs write labels as 0 and 1 in files of more bits: read as a mask, not as nearly black.
    if grey.mode != "F" and values.max() == 1:
        full = 1.0
    values = values / full
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > 1:
        raise ValueError(
            f"{name}: found values {values.min():g} to {values.max():g}; expected 0 to 1"
        )
    return values.astype(np.float32)
