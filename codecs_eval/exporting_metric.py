"""A finished training -> what one takes away: a folder laid out for model hubs, in the run's own.

Made on demand, by a run or a command: scoring and the ONNX file take longer than a small training.
"""

import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pandas as pd
from django.contrib.auth.models import User
from django.utils.text import slugify

from codecs_eval import datasets, runs
from codecs_eval.measuring_trained import has_rounded_trunk
from codecs_eval.models import Run
from codecs_eval.run_kinds import config_of
from codecs_eval.runs import RunReporter
from codecs_eval.scoring import weight_file

FOLDER = "export"
CARD = "README.md"


@dataclass(frozen=True)
class ExportConfig:
    """Which training is exported."""

    training: str = field(metadata={"label": "Training", "help": "Id of a finished training run."})

    def __post_init__(self) -> None:
        try:
            UUID(self.training)
        except ValueError:
            raise ValueError(
                f"Found {self.training!r}; expected the id of a training run as its page shows it."
            ) from None


def training_run(text: str, kind: str = "train_metric") -> Run:
    """The training that `text` names: an id, its first characters, or run:ID.

    Raises ValueError saying what was found.
    """
    name = text.strip().removeprefix("run:").lower()
    found = [
        run
        for run in Run.objects.filter(kind=kind).select_related("dataset")
        if name and str(run.pk).startswith(name)
    ]
    if len(found) != 1:
        raise ValueError(
            f"Found {len(found)} training runs whose id begins with {text!r}; expected one, as "
            "its page shows under “Run id”."
        )
    return found[0]


def trained_run(text: str) -> Run:
    """The same where it is finished; else ValueError."""
    found = training_run(text)
    if found.state != Run.State.DONE:
        raise ValueError(f"Training run {found.pk} is {found.state}; expected done.")
    return found


def create_export(training: Run, user: User | None = None) -> Run:
    """A queued run that makes the export; whoever calls this rings the queue's bell."""
    return runs.create(
        "export_metric",
        ExportConfig(str(training.pk)),
        title=f"Download of {training.title}"[:200],
        dataset=training.dataset,
        user=user,
        is_simulated=training.is_simulated,
    )


def export_folder(training: Run) -> Path:
    return training.folder / FOLDER


def exported_files(training: Run) -> list[str]:
    """Names of the export's files, the card first; empty where none was made yet."""
    config = export_folder(training) / "config.json"
    if not config.is_file():
        return []
    return [CARD, "config.json", *json.loads(config.read_text())["files"]]


def export_name(training: Run) -> str:
    """What the folder inside the zip is called, and the zip."""
    on = slugify(training.dataset.name) if training.dataset else ""
    marked = "-SIMULATED" if training.is_simulated else ""
    return f"lpips-{training.config['backbone']}-{on or 'trained'}-{str(training.pk)[:8]}{marked}"


def export_in_run(run: Run, reporter: RunReporter) -> dict[str, Any]:
    config: ExportConfig = config_of(run.kind, run.config)
    training = trained_run(config.training)
    if training.dataset is None:
        raise ValueError("The training does not say what it was trained on; a card must.")
    return _export(training, reporter)


def _export(training: Run, reporter: RunReporter) -> dict[str, Any]:
    # torch: only where an export is made.
    from codecs_eval.metrics.heads import official_heads
    from codecs_eval.metrics.lpips import LpipsMetric, load_trunk
    from codecs_eval.metrics.trained import load_trained
    from codecs_eval.training.export_scores import export_scores
    from codecs_eval.training.hub_folder import Exported, write_hub_folder
    from codecs_eval.training.reporter import Stopped

    assert training.dataset is not None
    facts_path = training.folder / "config.json"
    if not facts_path.is_file():
        raise ValueError(
            f"The folder of training {training.pk} is not on this machine: {training.folder}."
        )
    facts = json.loads(facts_path.read_text())
    if has_rounded_trunk(training):
        raise ValueError(
            f"Found a trunk whose weights are rounded to 16 bits ({facts['weights']}); expected "
            "torchvision's, with which others would load the heads. Train on these to export."
        )
    dataset = datasets.frozen(training.dataset)
    metric = load_trained(training.folder, weight_file)
    name = facts["backbone"]
    untouched = LpipsMetric("official", load_trunk(name, weight_file), official_heads(name))
    try:
        scores = export_scores(dataset, metric, untouched, _out_of_fold(training), reporter)
    except Stopped:
        raise runs.Cancelled from None
    reporter.progress(1, 1, "writing the files")
    partial = training.folder / f".{FOLDER}.{os.getpid()}"
    shutil.rmtree(partial, ignore_errors=True)
    try:
        names = write_hub_folder(
            partial,
            Exported(
                title=training.title,
                run=str(training.pk),
                metric=metric,
                is_trunk_trained=metric.trunk.sha256 != untouched.trunk.sha256,
                facts=facts,
                scores=scores,
                dataset=dataset,
            ),
        )
        n_bytes = sum((partial / name).stat().st_size for name in names)
        shutil.rmtree(export_folder(training), ignore_errors=True)
        partial.replace(export_folder(training))
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return {
        "training": str(training.pk),
        "name": export_name(training),
        "files": names,
        "n_bytes": n_bytes,
    }


def _out_of_fold(training: Run) -> pd.DataFrame | None:
    path = training.folder / "out_of_fold.parquet"
    if not path.is_file():
        return None
    return pd.read_parquet(path)[["triplet_id", "d_first", "d_second"]]
