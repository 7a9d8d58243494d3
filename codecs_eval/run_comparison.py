"""Several trainings as rows of one table: what they score, and in which settings they differ."""

from typing import Any
from uuid import UUID

from codecs_eval.models import Run, RunMetric
from codecs_eval.run_pages import config_rows

# Each run's name in the table and in the plot.
LETTERS = "ABCDEF"
PARTS = (
    ("heldout", "held out"),
    ("cross_validated", "cross-validated"),
    ("train", "trained on (flatters)"),
)

Points = dict[str, list[tuple[int, float]]]


def compared(runs: list[Run]) -> dict[str, Any]:
    """All that the page shows of two runs or more."""
    settings = _settings(runs)
    return {
        "runs": [
            {"letter": letter, "run": run} for letter, run in zip(LETTERS, runs, strict=False)
        ],
        "scores": _scores(runs),
        "differing": [row for row in settings if row["differs"]],
        "same": [row for row in settings if not row["differs"]],
        "is_one_dataset": len({run.dataset_id for run in runs}) == 1,
        "is_active": any(run.is_active for run in runs),
        "is_any_simulated": any(run.is_simulated for run in runs),
        "n_points": RunMetric.objects.filter(run__in=runs).count(),
    }


def points_by_run(runs: list[Run]) -> dict[UUID, Points]:
    """Each run's curves: name -> (step, value), by step."""
    found: dict[UUID, Points] = {run.pk: {} for run in runs}
    rows = RunMetric.objects.filter(run__in=runs).values_list("run_id", "name", "step", "value")
    for pk, name, step, value in rows:
        found[pk].setdefault(name, []).append((step, value))
    return found


def _scores(runs: list[Run]) -> list[dict[str, Any]]:
    """One row a part and metric, a cell a run; None where the run has no such number (yet)."""
    rows = []
    for part, label in PARTS:
        found = [run.result.get(part) or None for run in runs]
        if not any(found):
            continue
        for metric in ("trained", "untouched"):
            cells = [_cell(one, metric) if one else None for one in found]
            rows.append({"part": label, "metric": metric, "cells": cells})
    return rows


def _cell(part: dict[str, Any], metric: str) -> dict[str, Any]:
    return {"agreement": part[metric], "n_triplets": part["n_triplets"]}


def _settings(runs: list[Run]) -> list[dict[str, Any]]:
    """Each setting that any of the runs has; a run made before a setting existed lacks it."""
    labels: dict[str, str] = {}
    values: list[dict[str, Any]] = []
    for run in runs:
        rows = config_rows(run)
        labels |= {row["name"]: row["label"] for row in rows}
        values.append({row["name"]: row["value"] for row in rows})
    return [
        {
            "label": label,
            "cells": [one.get(name) for one in values],
            "differs": any(one.get(name) != values[0].get(name) for one in values),
        }
        for name, label in labels.items()
    ]
