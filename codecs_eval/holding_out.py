"""For an agreement report: what a training would score on codecs and rates that it never met."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings

from codecs_eval.agreement.dataset import FrozenDataset
from codecs_eval.agreement.intervals import Bootstrap
from codecs_eval.agreement.leaving_out import By
from codecs_eval.measuring_trained import trained_label
from codecs_eval.models import Dataset, Run
from codecs_eval.run_kinds import config_of
from codecs_eval.runs import RunReporter
from codecs_eval.scoring import weight_file
from codecs_eval.training.config import PRESETS, SMALL_DATA_FLATTERS, TrainMetricConfig
from codecs_eval.weights import WeightsUnavailable

HOLD_OUT: dict[str, tuple[By, ...]] = {
    "none": (),
    "codecs": ("codec",),
    "rates": ("rate",),
    "both": ("codec", "rate"),
}

SMALL_DATA = "Heads by the small-data recipe"


def held_out(
    row: Dataset,
    dataset: FrozenDataset,
    trained: Sequence[Run],
    by: Sequence[By],
    part: str,
    bootstrap: Bootstrap,
    reporter: RunReporter,
) -> tuple[list[dict[str, Any]], list[str]]:
    """One table a recipe, and notes on those that could not be held out.

    Recipes: those of the `trained` runs on this dataset; where there is none, the one for small
    data.
    """
    own = [run for run in trained if run.dataset_id == row.pk]
    recipes = [(trained_label(run), config_of(run.kind, run.config)) for run in own]
    if not own:
        recipes = [(SMALL_DATA, PRESETS["small_data"])]
    tables: list[dict[str, Any]] = []
    notes = [] if own else [f"{SMALL_DATA}: {SMALL_DATA_FLATTERS}."]
    for label, config in recipes:
        reporter.log(f"{label}: held out by {' and '.join(by)}")
        try:
            tables.append(_table(dataset, label, config, by, part, bootstrap, reporter))
        except (ValueError, WeightsUnavailable) as error:
            notes.append(f"{label} was not held out by {' and '.join(by)}: {error}")
    return tables, notes


def _table(
    dataset: FrozenDataset,
    label: str,
    config: TrainMetricConfig,
    by: Sequence[By],
    part: str,
    bootstrap: Bootstrap,
    reporter: RunReporter,
) -> dict[str, Any]:
    # torch: only where heads are fitted.
    import torch

    from codecs_eval.metrics.heads import official_heads
    from codecs_eval.metrics.lpips import load_trunk
    from codecs_eval.training.features import pair_features
    from codecs_eval.training.fitting import Prior
    from codecs_eval.training.leaving_out import leave_out_heads
    from codecs_eval.training.reporter import Stopped

    try:
        trunk = load_trunk(config.backbone, weight_file)
        features = pair_features(dataset, trunk, settings.TRIAD_HOME / "features", reporter, 1.0)
        prior = Prior(torch.cat(official_heads(config.backbone)), trunk.backbone.channels)
        return leave_out_heads(
            dataset, features, prior, config, by, part, bootstrap, reporter, label
        ).to_json()
    except Stopped:
        reporter.stop_if_asked()
        raise
