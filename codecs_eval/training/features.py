"""The frozen trunk's work, done once: one vector per (reference, reconstruction), kept on disk.

images -> trunk -> (mean, noise) per pair -> KEY.npy, memory-mapped, shared by runs
"""

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from codecs_eval.agreement.dataset import FrozenDataset
from codecs_eval.metrics.batch_pooling import Group, batch_px, pool_batch
from codecs_eval.metrics.pooling import Pooled, pool
from codecs_eval.metrics.trunk import PREPROCESSING, Trunk
from codecs_eval.training.crops import Crops
from codecs_eval.training.reporter import Reporter, stop_if_asked

Pair = tuple[str, str]  # sha256 of the reference, sha256 of the reconstruction

_VERSION = "2"
# A build that is killed loses no more than this, or one batch.
_KEEP_EVERY_S = 1.0


@dataclass(frozen=True)
class PairFeatures:
    """`values` (pairs, 2, channels) float32: [:, 0] spatial means, [:, 1] noise variances."""

    key: str
    path: Path
    rows: dict[Pair, int]
    values: NDArray[np.float32]

    def of(self, pairs: list[Pair]) -> NDArray[np.int64]:
        """Row of each pair."""
        return np.array([self.rows[pair] for pair in pairs], dtype=np.int64)


def pair_features(
    dataset: FrozenDataset, trunk: Trunk, cache: Path, report: Reporter, share: float
) -> PairFeatures:
    """Features of all pairs of the dataset's triplets, computed where `cache` lacks them.

    Resumable: a killed run loses a second's work, or one batch: a large reference, several small.
    `share` of the whole run's progress (0..1) is told to `report` as this step's.
    """
    groups = _groups(dataset)
    pairs = [(reference, image) for reference, images in groups.items() for image in images]
    key = features_key(pairs, trunk)
    path = cache / f"{key}.npy"
    cache.mkdir(parents=True, exist_ok=True)
    with _alone(cache / f"{key}.lock", report):
        if not path.exists():
            _build(dataset, trunk, groups, path, report, share)
    # Copy-on-write, so that torch may share the memory without leave to write the file.
    values = np.load(path, mmap_mode="c")
    return PairFeatures(key, path, {pair: row for row, pair in enumerate(pairs)}, values)


def features_key(pairs: list[Pair], trunk: Trunk) -> str:
    """Whatever the vectors depend on: pixels, trunk, taps, preprocessing."""
    facts = [_VERSION, trunk.sha256, trunk.backbone.taps, PREPROCESSING, pairs]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _groups(dataset: FrozenDataset) -> dict[str, list[str]]:
    groups: dict[str, set[str]] = {}
    columns = ["source_image", "first_image", "second_image"]
    for reference, first, second in dataset.triplets[columns].itertuples(index=False):
        groups.setdefault(reference, set()).update((first, second))
    return {reference: sorted(groups[reference]) for reference in sorted(groups)}


def _build(
    dataset: FrozenDataset,
    trunk: Trunk,
    groups: dict[str, list[str]],
    path: Path,
    report: Reporter,
    share: float,
) -> None:
    n_pairs = sum(len(images) for images in groups.values())
    partial, done_list = path.with_suffix(".partial.npy"), path.with_suffix(".done.json")
    done: list[str] = []
    if partial.exists() and done_list.exists():
        done = json.loads(done_list.read_text())
    values = _open_partial(partial, (n_pairs, 2, sum(trunk.backbone.channels)), bool(done))
    report.log(f"features of {n_pairs} pairs with {trunk.backbone.name}; {len(done)} sources done")
    todo = [one for one in _batches(dataset, groups, batch_px(trunk)) if one.names[0] not in done]
    kept_at = time.monotonic()
    try:
        for batch, images in _loaded(dataset, todo):

            def tell(i: int, row: int = batch.row) -> None:
                stop_if_asked(report)
                note = f"features, pair {row + i + 1} of {n_pairs}"
                report.progress(share * (row + i), n_pairs, note)

            pooled = _pooled(trunk, images, tell)
            assert pooled.noise is not None
            end = batch.row + len(pooled.mean)
            values[batch.row : end] = torch.stack([pooled.mean, pooled.noise], 1).numpy()
            done += batch.names
            if time.monotonic() - kept_at > _KEEP_EVERY_S:
                _keep(values, done, done_list)
                kept_at = time.monotonic()
    finally:
        _keep(values, done, done_list)
    del values
    os.replace(partial, path)
    done_list.unlink(missing_ok=True)


@dataclass(frozen=True)
class _Batch:
    """References that go through the trunk together, and the first of their pairs' rows."""

    row: int
    groups: dict[str, list[str]]

    @property
    def names(self) -> list[str]:
        return list(self.groups)


def _batches(
    dataset: FrozenDataset, groups: dict[str, list[str]], most_px: int
) -> Iterator[_Batch]:
    """The references in their order: several of one size and within `most_px`, or one alone.

    They depend on the dataset and the device alone: a resumed build makes the same ones.
    """
    row = n_images = 0
    batch: dict[str, list[str]] = {}
    size_of_batch = (0, 0)
    crops = Crops(dataset)
    for reference, images in groups.items():
        size = crops.size(reference)
        n = 1 + len(images)
        if batch and (size != size_of_batch or (n_images + n) * size[0] * size[1] > most_px):
            yield _Batch(row, batch)
            row += n_images - len(batch)
            batch, n_images = {}, 0
        batch[reference] = images
        size_of_batch, n_images = size, n_images + n
    yield _Batch(row, batch)


def _loaded(
    dataset: FrozenDataset, batches: Sequence[_Batch]
) -> Iterator[tuple[_Batch, list[Group]]]:
    """Each batch with its pixels, which are decoded while the one before passes the trunk."""

    def load(batch: _Batch) -> list[Group]:
        return [
            (dataset.image(reference), [dataset.image(name) for name in names])
            for reference, names in batch.groups.items()
        ]

    with ThreadPoolExecutor(max_workers=1) as loader:
        coming = [loader.submit(load, batch) for batch in batches[:1]]
        for number, batch in enumerate(batches):
            images = coming.pop().result()
            coming += [loader.submit(load, later) for later in batches[number + 1 : number + 2]]
            yield batch, images


def _pooled(trunk: Trunk, images: list[Group], before_pass: Callable[[int], None]) -> Pooled:
    """Rows of one batch; a reference alone may be of any size."""
    if len(images) == 1:
        [(reference, distorted)] = images
        return pool(trunk, reference, distorted, with_noise=True, before_pass=before_pass)
    before_pass(0)
    return pool_batch(trunk, images)


def _open_partial(path: Path, shape: tuple[int, int, int], is_begun: bool) -> np.memmap:
    if is_begun:
        return np.lib.format.open_memmap(path, mode="r+")
    values = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
    # A full disk must show here as an error, not later as a SIGBUS.
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return values


def _keep(values: np.memmap, done: list[str], done_list: Path) -> None:
    values.flush()
    _write_text(done_list, json.dumps(done))


def _write_text(path: Path, text: str) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_text(text)
    temporary.replace(path)


@contextmanager
def _alone(path: Path, report: Reporter) -> Iterator[None]:
    """One process builds a cache file; the others wait. The kernel frees a dead holder's lock."""
    with path.open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                stop_if_asked(report)
                report.progress(0.0, 1.0, "waiting for another run to compute the same features")
                time.sleep(0.5)
        yield
