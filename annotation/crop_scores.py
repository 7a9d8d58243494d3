"""A metric's value of each reconstruction on the crop that people saw, kept for the next time."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from django.conf import settings

from annotation.models import Study, Triplet
from codecs_eval import storing
from codecs_eval.named_metrics import NamedMetric
from codecs_eval.runs import RunReporter

_KEY = ("reconstruction", "left", "top", "right", "bottom")


def values_of_crops(
    study: Study,
    key: str,
    found: NamedMetric,
    triplets: Sequence[Triplet],
    progress: tuple[int, int, RunReporter],
) -> dict[tuple[int, ...], float]:
    """Each reconstruction's value on each crop of it, by (reconstruction, box); kept for later."""
    path = Path(settings.TRIAD_HOME) / "scores" / f"study-{study.pk}" / f"{key}.parquet"
    known = _kept(path)
    wanted: dict[tuple[str, tuple[int, int, int, int]], dict[int, str]] = {}
    for triplet in triplets:
        cell = wanted.setdefault((triplet.source.path, triplet.box), {})
        for side in (triplet.first, triplet.second):
            if (side.pk, *triplet.box) not in known:
                cell[side.pk] = side.path
    todo = [(place, paths) for place, paths in wanted.items() if paths]
    index, n_metrics, reporter = progress
    for done, ((source, box), paths) in enumerate(todo):
        reporter.stop_if_asked()
        share = (index + done / len(todo)) / n_metrics
        reporter.progress(share, 1, f"measuring {found.label} on the crops")
        crops = [_crop(path, box) for path in paths.values()]
        scores = found.metric.scores(_crop(source, box), crops)
        known |= {(pk, *box): score for pk, score in zip(paths, scores, strict=True)}
    if todo:
        _keep(path, known)
    return known


def _crop(path: str, box: tuple[int, int, int, int]) -> Any:
    left, top, right, bottom = box
    return np.ascontiguousarray(storing.read_pixels(path)[top:bottom, left:right])


def _kept(path: Path) -> dict[tuple[int, ...], float]:
    if not path.exists():
        return {}
    rows = pd.read_parquet(path).itertuples(index=False, name=None)
    return {tuple(int(part) for part in key): float(value) for *key, value in rows}


def _keep(path: Path, known: dict[tuple[int, ...], float]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    rows = [(*key, value) for key, value in known.items()]
    pd.DataFrame(rows, columns=[*_KEY, "value"]).to_parquet(partial, index=False)
    partial.replace(path)
