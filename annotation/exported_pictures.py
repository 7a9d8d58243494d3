"""A study's pixels with their votes: the BAPPS layout, and CLIC's O,A,B,T."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np
from django.utils.text import slugify
from numpy.typing import NDArray

from annotation.counted_votes import Votes, judged_triplets, votes_of
from annotation.exported_tables import write_table
from annotation.formats.bundle import Bundle
from annotation.formats.columns import VOTES, names
from annotation.formats.writing import Batch
from annotation.models import Study, Triplet
from codecs_eval import storing
from codecs_eval.models import Reconstruction
from codecs_eval.runs import RunReporter

_ROWS_AT_ONCE = 1_000
Box = tuple[int, int, int, int]


def write_bapps(study: Study, bundle: Bundle, reporter: RunReporter | None) -> int:
    """ref/, p0/, p1/ and judge/ with equal names, and votes.csv; how many triplets.

    judge/NAME.npy is one float32: the share that calls p1 the closer one, as the 2AFC loader of
    Zhang et al. 2018 expects. Raises ValueError where nothing was judged, or has no pixels.
    """
    votes = _votes(study)
    crops = _Crops()
    rows = []
    for at, triplet in enumerate(judged_triplets(study, votes)):
        name = f"{at:06d}"
        shown = {"ref": triplet.source.path, "p0": triplet.first.path, "p1": triplet.second.path}
        for folder, path in shown.items():
            bundle.add(f"{folder}/{name}.png", crops.png(path, triplet.box))
        bundle.add(f"judge/{name}.npy", _npy(votes[triplet.pk].share_second))
        rows.append(_vote_row(name, triplet, votes[triplet.pk], study))
        _tell(reporter, at + 1, len(votes))
    _write_votes(bundle, rows)
    return len(rows)


def write_oabt(study: Study, bundle: Bundle, reporter: RunReporter | None) -> int:
    """originals/PHOTO/, copies/CODEC/, oracle.csv and votes.csv; how many rows oracle.csv has.

    A row a judgment that chose, without a header: O, A, B (paths) and T, which is 0 where A was
    called the closer one and 1 where B was (CLIC 2021, perceptual task). A not_sure has no row.
    """
    votes = _votes(study)
    pictures = _Pictures(bundle)
    rows, lines = [], []
    for at, triplet in enumerate(judged_triplets(study, votes)):
        counted = votes[triplet.pk]
        paths = [
            pictures.original(triplet),
            pictures.copy(triplet, triplet.first),
            pictures.copy(triplet, triplet.second),
        ]
        lines += [[*paths, 0]] * counted.n_first + [[*paths, 1]] * counted.n_second
        rows.append(_vote_row(f"{at:06d}", triplet, counted, study))
        _tell(reporter, at + 1, len(votes))
    bundle.add("oracle.csv", _csv(lines))
    _write_votes(bundle, rows)
    return len(lines)


def _votes(study: Study) -> dict[int, Votes]:
    votes = votes_of(study)
    if not votes:
        raise ValueError(f"Study {study.slug} has no judgment that counts; nothing to export yet.")
    bare = study.triplets.filter(pk__in=list(votes)[:1], source__path="").exists()
    if bare:
        raise ValueError(
            f"Study {study.slug} was imported without its images; expected one whose pixels are "
            "here. Export its tables instead."
        )
    return votes


def _tell(reporter: RunReporter | None, done: int, total: int) -> None:
    if reporter:
        reporter.stop_if_asked()
        reporter.progress(done, total, f"triplet {done:,} of {total:,}")


class _Crops:
    """Pixels cut as people saw them; the photos of the last triplets stay decoded."""

    def __init__(self) -> None:
        self._decoded: dict[str, NDArray[np.uint8]] = {}

    def png(self, path: str, box: Box) -> bytes:
        left, top, right, bottom = box
        return storing.png_of(self._pixels(path)[top:bottom, left:right])

    def _pixels(self, path: str) -> NDArray[np.uint8]:
        if path not in self._decoded:
            if len(self._decoded) >= 8:
                self._decoded.pop(next(iter(self._decoded)))
            self._decoded[path] = storing.read_pixels(path)
        return self._decoded[path]


class _Pictures:
    """Each original and each copy in the export once, under a name that tells what it is."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle, self._crops = bundle, _Crops()
        self._written: set[str] = set()

    def original(self, triplet: Triplet) -> str:
        # A folder for each photo: whoever splits by source keeps its crops together.
        name = f"originals/{_photo(triplet)}/{_box(triplet)}.png"
        return self._add(name, triplet.source.path, triplet.box)

    def copy(self, triplet: Triplet, shown: Reconstruction) -> str:
        codec = slugify(shown.codec.replace(":", "-")) or "codec"
        part = f"{_photo(triplet)}-{_box(triplet)}"
        name = f"copies/{codec}/{part}-{shown.target_bpp:g}bpp-{shown.pk}.png"
        return self._add(name, shown.path, triplet.box)

    def _add(self, name: str, path: str, box: Box) -> str:
        if name not in self._written:
            self._bundle.add(name, self._crops.png(path, box))
            self._written.add(name)
        return name


def _photo(triplet: Triplet) -> str:
    """Its number keeps two apart whose names look alike."""
    name = slugify(triplet.source.name)[:60] or "photo"
    return f"{name}-{triplet.source_id}"


def _box(triplet: Triplet) -> str:
    """The part of the photo that was shown."""
    left, top, right, bottom = triplet.box
    return f"{left}-{top}-{right - left}x{bottom - top}"


def _npy(share: float) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array([share], dtype=np.float32))
    return buffer.getvalue()


def _vote_row(name: str, triplet: Triplet, votes: Votes, study: Study) -> tuple[Any, ...]:
    first, second = triplet.first, triplet.second
    return (
        name, str(triplet.pk), study.is_simulated, triplet.source.name,
        first.codec, first.target_bpp, first.bpp, json.dumps(first.settings, sort_keys=True),
        second.codec, second.target_bpp, second.bpp, json.dumps(second.settings, sort_keys=True),
        triplet.target_bpp,
        votes.n, votes.n_first, votes.n_second, votes.n_not_sure, votes.share_second,
    )  # fmt: skip


def _write_votes(bundle: Bundle, rows: Iterable[tuple[Any, ...]]) -> None:
    with bundle.file("votes.csv") as file:
        write_table(file, "csv", _batches(iter(rows)), VOTES)


def _batches(rows: Iterator[tuple[Any, ...]]) -> Iterator[Batch]:
    while some := list(islice(rows, _ROWS_AT_ONCE)):
        yield dict(zip(names(VOTES), zip(*some, strict=True), strict=True))


def _csv(lines: Iterable[list[Any]]) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerows(lines)
    return buffer.getvalue().encode()
