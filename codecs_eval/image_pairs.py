"""Files named on a command line -> pairs of a reference and a reconstruction, nothing guessed."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from codecs_eval.codecs.sniffing import ACCEPTED, ENDINGS

COLUMNS = ("reference", "distorted")
_SHOWN = 5


@dataclass(frozen=True)
class Pair:
    reference: Path
    distorted: Path


def pairs_of(reference: Path, distorted: Path) -> list[Pair]:
    """A reference image with one image or a folder of them, or two folders matched by name.

    In two folders, DISTORTED/a/b/NAME.jpg belongs to the image a/b/NAME or else to the only NAME
    in REFERENCE, whatever their endings. Raises ValueError naming what has no partner.
    """
    for path in (reference, distorted):
        if not path.exists():
            raise ValueError(f"found no {path}; expected an image or a folder of images")
    if reference.is_dir():
        if not distorted.is_dir():
            raise ValueError(f"found a folder {reference} and a file {distorted}; expected folders")
        return _matched(reference, distorted)
    if not distorted.is_dir():
        return [Pair(reference, distorted)]
    others = [path for path in _images(distorted) if not path.samefile(reference)]
    return [Pair(reference, path) for path in others]


def unused_references(reference: Path, pairs: Iterable[Pair]) -> list[Path]:
    """The images of a folder of references that have no reconstruction among `pairs`."""
    if not reference.is_dir():
        return []
    named = {pair.reference for pair in pairs}
    return [path for path in _images(reference) if path not in named]


def pairs_from_csv(path: Path) -> list[Pair]:
    """Rows of a CSV with the columns reference and distorted; paths are from the CSV's folder."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise ValueError(
                    f"{path}: found the columns {reader.fieldnames}; expected {', '.join(COLUMNS)}"
                )
            pairs = [_row_pair(path, reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} cannot be read ({error}); expected a UTF-8 CSV file") from error
    if not pairs:
        raise ValueError(f"{path}: found no rows; expected one a pair")
    return pairs


def _row_pair(path: Path, line: int, row: Mapping[str, str | None]) -> Pair:
    reference, distorted = (row[name] for name in COLUMNS)
    if not reference or not distorted:
        raise ValueError(f"{path}, line {line}: found an empty cell; expected two file names")
    return Pair(path.parent / reference, path.parent / distorted)


def _matched(reference: Path, distorted: Path) -> list[Pair]:
    by_place: dict[str, list[Path]] = defaultdict(list)
    by_name: dict[str, list[Path]] = defaultdict(list)
    for path in _images(reference):
        by_place[_place(path, reference)].append(path)
        by_name[path.stem].append(path)
    pairs: list[Pair] = []
    alone: list[str] = []
    for path in _images(distorted):
        found = by_place.get(_place(path, distorted)) or by_name.get(path.stem, [])
        if len(found) > 1:
            raise ValueError(
                f"{path}: found {len(found)} references, {_listed(map(str, found))}; expected one "
                f"of that name, or name each pair in a file (--pairs)"
            )
        if found:
            pairs.append(Pair(found[0], path))
        else:
            alone.append(str(path.relative_to(distorted)))
    if alone:
        raise ValueError(
            f"found {len(alone)} images without a reference of their name in {reference}: "
            f"{_listed(alone)}; expected one for each, or name the pairs in a file (--pairs)"
        )
    return pairs


def _images(folder: Path) -> list[Path]:
    found = [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in ENDINGS and not path.name.startswith(".") and path.is_file()
    ]
    if not found:
        raise ValueError(f"found no image in {folder}; expected {ACCEPTED} files")
    return found


def _place(path: Path, folder: Path) -> str:
    return path.relative_to(folder).with_suffix("").as_posix()


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return ", ".join(every[:_SHOWN]) + more


def by_reference(pairs: Iterable[Pair]) -> Iterator[tuple[Path, list[Path]]]:
    """Each reference once with all its reconstructions, in the order of first mention."""
    groups: dict[Path, list[Path]] = {}
    for pair in pairs:
        groups.setdefault(pair.reference, []).append(pair.distorted)
    yield from groups.items()
