"""A study's judged triplets with every metric's distances, on the very crops that people saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from annotation.crop_scores import values_of_crops
from annotation.models import Study, Triplet
from codecs_eval.agreement.judged import Judged, MetricDistances, MetricFacts, join
from codecs_eval.measuring_trained import TRAINED_MARKS, is_trained, photos_learned, trained_run
from codecs_eval.metrics.table import METRICS
from codecs_eval.named_metrics import named_metric
from codecs_eval.runs import RunReporter
from codecs_eval.scoring import weights_key


@dataclass(frozen=True, eq=False)
class MeasuredStudy:
    """A study's judged triplets under every metric that could be had; `notes` tell of the others.

    `triplets`: the columns of a frozen dataset's that scores are cut by. `n_in_part`: judgments
    given on a part of the crop, which say nothing here: the metrics see all of it.
    """

    triplets: pd.DataFrame
    distances: tuple[MetricDistances, ...]
    notes: list[str]
    n_in_part: int
    n_without_pixels: int

    def judged(self, rows: pd.DataFrame) -> Judged | None:
        """These judgments (as `StudyRows.table`) beside the metrics; None where none is left."""
        kept = rows[~rows["is_part"]]
        if not self.triplets.empty:
            kept = kept[kept["triplet"].astype(str).isin(self.triplets["triplet_id"])]
        if self.triplets.empty or kept.empty or not self.distances:
            return None
        return join(self.triplets, _votes(kept), self.distances, _ballots(kept))


def measure_study(
    study: Study, rows: pd.DataFrame, names: Sequence[str], reporter: RunReporter
) -> MeasuredStudy:
    """Distances of the triplets of these judgments under each metric."""
    whole = rows[~rows["is_part"]]
    ids = [int(pk) for pk in whole["triplet"].unique()]
    triplets = list(
        study.triplets.filter(pk__in=ids)
        .exclude(source__path="")
        .exclude(first__path="")
        .exclude(second__path="")
        .select_related("source", "first", "second")
        .order_by("pk")
    )
    distances: list[MetricDistances] = []
    notes = [] if triplets else ["Metrics were left out: no judged triplet has its pixels here."]
    for index, name in enumerate(names if triplets else ()):
        reporter.stop_if_asked()
        try:
            distances.append(_measured(name, index, study, triplets, (len(names), reporter)))
        except (ValueError, RuntimeError) as error:
            # Crops too small, weights that cannot be had: the other metrics stay.
            notes.append(f"{name} was left out: {error}")
    return MeasuredStudy(
        _frame(triplets),
        tuple(distances),
        notes,
        n_in_part=len(rows) - len(whole),
        n_without_pixels=len(ids) - len(triplets),
    )


def _frame(triplets: Sequence[Triplet]) -> pd.DataFrame:
    """The columns of a frozen dataset's triplets that scores are cut by."""
    return pd.DataFrame(
        [
            {
                "triplet_id": str(triplet.pk),
                "source": triplet.source.name,
                **{
                    f"{side}_{column}": getattr(getattr(triplet, side), column)
                    for side in ("first", "second")
                    for column in ("codec", "bpp", "target_bpp")
                },
            }
            for triplet in triplets
        ]
    )


def _ballots(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "triplet_id": rows["triplet"].astype(str),
            "observer": rows["observer"],
            "vote_second": 1 - rows["first_won"],
        }
    )


def _votes(rows: pd.DataFrame) -> pd.DataFrame:
    """Judgments summed per triplet, as `FrozenDataset.votes`."""
    counted = pd.DataFrame(
        {
            "triplet_id": rows["triplet"].astype(str),
            "source": rows["source"],
            "n": 1,
            "k_second": 1 - rows["first_won"],
            "n_not_sure": (rows["first_won"] == 0.5).astype(int),
        }
    )
    return counted.groupby(["triplet_id", "source"], as_index=False).sum()


def _measured(
    name: str,
    index: int,
    study: Study,
    triplets: Sequence[Triplet],
    progress: tuple[int, RunReporter],
) -> MetricDistances:
    look, key = _look_and_key(name, index, triplets)
    found = named_metric(name)
    values = values_of_crops(study, key, found, triplets, (index, *progress))
    return MetricDistances(
        name,
        look["label"],
        found.higher_is_better,
        look["colour"],
        look["marker"],
        pd.DataFrame(
            {
                "triplet_id": [str(triplet.pk) for triplet in triplets],
                "d_first": [values[triplet.first_id, *triplet.box] for triplet in triplets],
                "d_second": [values[triplet.second_id, *triplet.box] for triplet in triplets],
            }
        ),
        MetricFacts(
            version=found.version, definition=found.definition, low=found.low, high=found.high
        ),
    )


def _look_and_key(name: str, index: int, triplets: Sequence[Triplet]) -> tuple[dict[str, str], str]:
    """How a metric is called and drawn, and what its scores are kept under.

    Raises ValueError for a training that saw photos of this study: none is judged on what it
    learned from.
    """
    if not is_trained(name):
        entry = METRICS[name]
        look = {"label": entry.label, "colour": entry.colour, "marker": entry.marker}
        return look, f"{name}-{weights_key(entry)}"
    run = trained_run(name)
    learned = photos_learned(run)
    seen = sorted({t.source.name for t in triplets if t.source.sha256 in learned})
    if seen:
        raise ValueError(
            f"its training saw {len(seen)} photos of this study ({', '.join(seen[:5])}); "
            "expected none. An agreement report with folds judges it fairly."
        )
    colour, marker = TRAINED_MARKS[index % len(TRAINED_MARKS)]
    on = " (on SIMULATED judgments)" if run.is_simulated else ""
    look = {"label": f"{run.title}{on}", "colour": colour, "marker": marker}
    return look, name.replace(":", "-")
