"""A finished training as a metric of a report: on which sources it may stand, and under which name.

run:ID is the trained metric alone, run:ID+combined with the metrics that it was combined with.
"""

import json
from uuid import UUID

import pandas as pd
from scipy.special import expit

from codecs_eval import datasets
from codecs_eval.agreement.dataset import FrozenDataset, Part
from codecs_eval.agreement.judged import MetricDistances, MetricFacts
from codecs_eval.metrics.table import METRICS
from codecs_eval.models import Dataset, Run
from codecs_eval.runs import RunReporter
from codecs_eval.scoring import ROUNDED, weight_file
from codecs_eval.training.config import SMALL_DATA_FLATTERS, has_chosen_settings
from codecs_eval.triplet_scores import scores_of
from codecs_eval.weights import is_rounded

RUN_PREFIX = "run:"
COMBINED = "+combined"
# Beside the table's own colours.
TRAINED_MARKS = (("#000000", "*"), ("#6e6e6e", "X"), ("#000000", "P"), ("#6e6e6e", "D"))


def is_trained(name: str) -> bool:
    return name.startswith(RUN_PREFIX)


def is_combined(name: str) -> bool:
    return name.endswith(COMBINED)


def trained_run(name: str) -> Run:
    """The finished training of `run:ID` or `run:ID+combined`; ValueError saying what is wrong."""
    text = name.removeprefix(RUN_PREFIX).removesuffix(COMBINED)
    try:
        found = Run.objects.filter(pk=UUID(text), kind="train_metric").first()
    except ValueError:
        found = None
    if found is None:
        raise ValueError(f"No training run {text!r}; expected run:ID as its page shows.")
    if found.state != Run.State.DONE:
        raise ValueError(f"Training run {text} is {found.state}; expected done.")
    if is_combined(name) and not found.config.get("combine_with"):
        raise ValueError(f"Training run {text} was trained alone; expected one with combine_with.")
    return found


def trained_label(run: Run, more: str = "", *, with_others: bool = False) -> str:
    """Backbone, what it is combined with, mode and the id's beginning: trainings look unlike."""
    names = [run.config["backbone"], *(run.config["combine_with"] if with_others else ())]
    said = [" + ".join(names), run.config.get("mode", "lin"), str(run.pk)[:4], more]
    return ", ".join(part for part in said if part)


def baselines_of(name: str, run: Run) -> tuple[str, ...]:
    """What a training is always compared with: its untouched backbone; combined, itself alone."""
    untouched = f"lpips-{run.config['backbone']}"
    return (name.removesuffix(COMBINED), untouched) if is_combined(name) else (untouched,)


def measured_training(
    name: str,
    index: int,
    row: Dataset,
    dataset: FrozenDataset,
    part: Part,
    reporter: RunReporter,
) -> tuple[MetricDistances, list[str]]:
    """Its distances on sources that it has not seen, and remarks for the head of the report."""
    run = trained_run(name)
    is_crossed = run.dataset_id == row.pk and part == "all"
    if is_crossed:
        values = _out_of_fold(run, name)
    else:
        _refuse_seen_photos(run, dataset, part)
        values = _scored(run, name, row, dataset, reporter)
    label = trained_label(
        run, f"{run.config['folds']}-fold" if is_crossed else "", with_others=is_combined(name)
    )
    if run.is_simulated and not row.is_simulated:
        label += " (on SIMULATED)"
    colour, marker = TRAINED_MARKS[index % len(TRAINED_MARKS)]
    facts = MetricFacts(
        version=str(run.pk),
        definition=f"LPIPS ({run.config['backbone']}), {run.config.get('mode', 'lin')}, trained by "
        f"run {run.pk}" + ("; combined: a logit, lower is closer" if is_combined(name) else ""),
        low=None if is_combined(name) else 0.0,
        note="; ".join(_notes(run, name, is_crossed)),
        baselines=baselines_of(name, run),
    )
    remarks = [f"{label}: {SMALL_DATA_FLATTERS}."] if has_chosen_settings(run.config) else []
    return MetricDistances(name, label, False, colour, marker, values, facts), remarks


def has_rounded_trunk(run: Run) -> bool:
    """Whether its heads stand on a trunk of fewer bits than everybody else's, not on its own."""
    path = run.folder / "config.json"
    facts = json.loads(path.read_text()) if path.is_file() else {}
    if facts.get("trunk_file") or "weights_sha256" not in facts:
        return False
    return is_rounded(facts["weights"], facts["weights_sha256"])


def _notes(run: Run, name: str, is_crossed: bool) -> list[str]:
    notes = [ROUNDED] if has_rounded_trunk(run) else []
    if is_crossed:
        notes.append("cross-validated: every source is scored by a fit without it")
    if is_combined(name):
        found = run.result["combination"]
        labels = ["trained", *(METRICS[other].label for other in found["metrics"][1:])]
        weights = zip(labels, found["weights"], strict=True)
        told = ", ".join(f"{label} {weight:.4g}" for label, weight in weights)
        refit = "; fitted anew without each fold" if is_crossed else ""
        notes.append(f"weights of the differences, fitted on {found['fitted_on']}: {told}{refit}")
    return notes


def _out_of_fold(run: Run, name: str) -> pd.DataFrame:
    path = run.folder / "out_of_fold.parquet"
    if not path.exists():
        raise ValueError(
            "it was trained on sources of this dataset; on all sources it would be judged on what "
            "it learned. Train with folds (--folds 5), or report on the held-out sources."
        )
    found = pd.read_parquet(path)
    if not is_combined(name):
        return found[["triplet_id", "d_first", "d_second"]]
    # A logit above 0 says that the second is closer, as a larger first distance does.
    logit = found["combined_logit"]
    return pd.DataFrame(
        {"triplet_id": found["triplet_id"], "d_first": logit, "d_second": 0.0}
    ).assign(p_second=expit(logit))


def _scored(
    run: Run, name: str, row: Dataset, dataset: FrozenDataset, reporter: RunReporter
) -> pd.DataFrame:
    # torch: only where a run is scored.
    from codecs_eval.metrics.trained import load_combined, load_trained

    if not is_combined(name):
        return scores_of(
            row, dataset, f"run-{run.pk}", lambda: load_trained(run.folder, weight_file), reporter
        )
    values = scores_of(
        row,
        dataset,
        f"run-{run.pk}-combined",
        lambda: load_combined(run.folder, weight_file),
        reporter,
    )
    return values.assign(p_second=expit(values["d_first"] - values["d_second"]))


def photos_learned(run: Run) -> set[str]:
    """sha256 of the photos that a training learned from; ValueError where it does not say."""
    if run.dataset is None:
        raise ValueError("it does not say what it was trained on.")
    trained = datasets.frozen(run.dataset)
    learned = trained.triplets["source"].isin(trained.sources("train"))
    return set(trained.triplets.loc[learned, "source_sha256"])


def _refuse_seen_photos(run: Run, dataset: FrozenDataset, part: Part) -> None:
    """A metric is never judged on photos that it learned from, whatever crop or dataset."""
    seen = photos_learned(run)
    asked = dataset.triplets["source"].isin(dataset.sources(part))
    now = dataset.triplets.loc[asked, ["source", "source_sha256"]]
    overlap = sorted(set(now.loc[now["source_sha256"].isin(seen), "source"]))
    if overlap:
        raise ValueError(
            f"its training saw {len(overlap)} of the {now['source'].nunique()} photos of this "
            f"report ({', '.join(overlap[:5])}); expected none."
        )
