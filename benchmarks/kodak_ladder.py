"""Encodes a folder of photos at several rates; prints each codec's quality, misses and cost.

python -m benchmarks.kodak_ladder FOLDER --codecs jpeg,webp --rates 0.23,0.37 --processes 2
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL.Image

from codecs_eval.codecs.search import RateSearch, timed_decode
from codecs_eval.codecs.table import CODECS, load_codec
from codecs_eval.metrics.table import load_metric


@dataclass(frozen=True)
class Row:
    """One photo by one codec at one rate."""

    photo: str
    codec: str
    target_bpp: float
    bpp: float
    state: str
    psnr_db: float
    encodes: int
    encode_ms: float
    decode_ms: float

    @property
    def miss(self) -> float:
        return abs(self.bpp / self.target_bpp - 1)


def ladder(photo: Path, name: str, rates: Sequence[float], tolerance: float) -> list[Row]:
    """All rates of one photo by one codec, in the order given."""
    with PIL.Image.open(photo) as picture:
        image = np.array(picture.convert("RGB"))
    codec = load_codec(name)
    search, rows = RateSearch(codec, image, tolerance), []
    metric = load_metric("psnr", Path)
    for rate in rates:
        result = search.find(rate)
        decoded = timed_decode(codec, result.data)
        [psnr_db] = metric.scores(image, [decoded.image])
        rows.append(
            Row(
                photo.stem, name, rate, result.bpp, result.state, psnr_db,
                result.encodes_tried, result.encode_cpu_ms, decoded.cpu_ms,
            )
        )  # fmt: skip
    return rows


def summary(rows: Sequence[Row], name: str, rates: Sequence[float]) -> Iterator[str]:
    """A line for each rate, then a line for each photo that is not a hit."""
    for rate in rates:
        at = [row for row in rows if row.target_bpp == rate]
        misses = [row.miss for row in at]
        states = Counter(row.state for row in at)
        counts = " ".join(f"{state} {states[state]}" for state in sorted(states))
        yield (
            f"{name:9} {rate:5.2f} bpp  {len(at):3} photos"
            f"  {mean(row.psnr_db for row in at):6.2f} dB"
            f"  miss {mean(misses):5.1%} / {max(misses):5.1%}"
            f"  encodes {mean(row.encodes for row in at):4.1f}"
            f"  CPU {mean(row.encode_ms for row in at):6.0f} / "
            f"{mean(row.decode_ms for row in at):4.0f} ms  {counts}"
        )
    for row in rows:
        if row.state != "hit":
            yield (
                f"{'':9} {row.photo}: {row.state} at {row.target_bpp} bpp, "
                f"{row.bpp:.4f} bpp ({row.bpp / row.target_bpp - 1:+.1%})"
            )


def mean(values: Iterator[float] | Sequence[float]) -> float:
    return float(np.mean(list(values)))


def photos_in(folder: Path, names: Sequence[str]) -> list[Path]:
    photos = sorted(path for path in folder.iterdir() if path.suffix == ".png")
    if names:
        photos = [path for path in photos if any(path.stem.endswith(name) for name in names)]
    if not photos:
        raise SystemExit(f"no PNG photos of that name in {folder}")
    return photos


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--codecs", default=",".join(CODECS), help="names, comma between")
    parser.add_argument("--rates", default="0.23,0.37,0.67,1.0", help="bpp, comma between")
    parser.add_argument("--photos", default="", help="ends of file names: 01,05,08 (default: all)")
    parser.add_argument("--tolerance", type=float, default=0.02)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    rates = [float(rate) for rate in options.rates.split(",")]
    photos = photos_in(options.folder, [name for name in options.photos.split(",") if name])
    with ProcessPoolExecutor(options.processes) as pool:
        for name in options.codecs.split(","):
            probe = load_codec(name).probe()
            if not probe.is_available:
                sys.stdout.write(f"{name:9} left out: {probe.reason}\n")
                continue
            started, count = time.monotonic(), len(photos)
            parts = pool.map(
                ladder, photos, [name] * count, [rates] * count, [options.tolerance] * count
            )
            rows = [row for part in parts for row in part]
            sys.stdout.write(f"{probe.version}, {time.monotonic() - started:.0f} s\n")
            sys.stdout.write("\n".join(summary(rows, name, rates)) + "\n\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
