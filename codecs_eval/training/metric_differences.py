"""Scores of the table's metrics on a dataset's triplets, to be combined with the trained one."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from codecs_eval.agreement.dataset import FrozenDataset
from codecs_eval.metrics.table import load_metric
from codecs_eval.training.combining import Floats
from codecs_eval.training.reporter import Reporter, stop_if_asked


def score_differences(
    dataset: FrozenDataset,
    table: pd.DataFrame,
    names: Sequence[str],
    weights: Callable[[str], Path],
    report: Reporter,
) -> Floats:
    """d_first - d_second (triplets, metrics) in the table's order, turned so that lower is closer.

    May raise Stopped; ValueError where a metric cannot take an image.
    """
    found = np.zeros((len(table), len(names)))
    groups = list(table.reset_index(drop=True).groupby("source_image"))
    for column, name in enumerate(names):
        metric = load_metric(name, weights)
        sign = -1.0 if metric.higher_is_better else 1.0
        report.log(f"scores of {name}")
        for reference, rows in groups:
            stop_if_asked(report)
            shas = sorted({*rows["first_image"], *rows["second_image"]})
            scores = metric.scores(
                dataset.image(str(reference)), [dataset.image(sha) for sha in shas]
            )
            by_sha = dict(zip(shas, scores, strict=True))
            first, second = (rows[side].map(by_sha) for side in ("first_image", "second_image"))
            found[rows.index, column] = sign * (first - second)
    return found
