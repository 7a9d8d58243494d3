"""The form of a codec's training: photos, loss, saliency, where to begin."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User

from codecs_eval import comparing_codecs, learning_codec, run_lists, runs
from codecs_eval.codecs.table import CODECS
from codecs_eval.measuring_trained import RUN_PREFIX, trained_label
from codecs_eval.metrics.table import METRICS
from codecs_eval.models import Run, SourceImage
from codecs_eval.named_codecs import learned_entry
from codecs_eval.run_forms import Choices, RunForm
from codecs_eval.saliency.table import SALIENCY
from codecs_eval.training.codec.config import PRESETS


class CodecForm(RunForm):
    """A codec about to be trained."""

    def check(self) -> None:
        learning_codec.check_codec_training(self.config)

    def create_run(self, user: User) -> Run:
        return runs.create(
            self.kind,
            self.config,
            title=learning_codec.title_of(self.config),
            user=user,
            is_simulated=learning_codec.is_simulated(self.config),
        )


def codec_form(
    data: Mapping[str, Any] | None = None, preset: str = "", collection: str = ""
) -> CodecForm:
    """Begins at the settings of `preset`."""
    chosen = preset if preset in PRESETS else "cpu"
    form = CodecForm(
        "train_codec",
        data,
        choices={
            "collection": _collections(),
            "metric": _losses(),
            "saliency": [("", "none"), *((name, entry.label) for name, entry in SALIENCY.items())],
            "start": _beginnings(),
        },
        initial={**PRESETS[chosen].to_json(), "collection": collection},
    )
    query = f"&collection={collection}" if collection else ""
    form.presets = [
        {"name": name, "query": query, "is_chosen": data is None and name == chosen}
        for name in PRESETS
    ]
    return form


class ComparisonForm(RunForm):
    """Codecs about to be compared."""

    def check(self) -> None:
        comparing_codecs.check_comparison(self.config)

    def create_run(self, user: User) -> Run:
        return comparing_codecs.create_comparison(self.config, user)


def comparison_form(data: Mapping[str, Any] | None = None) -> ComparisonForm:
    """Trained codecs first: the oldest is what the others are compared with."""
    learned = [learned_entry(run) for run in reversed(run_lists.trained_codecs())]
    return ComparisonForm(
        "compare_codecs",
        data,
        choices={
            "collection": _collections(),
            "codecs": [(entry.name, entry.label) for entry in (*learned, *CODECS.values())],
        },
        initial={"codecs": [entry.name for entry in learned]},
    )


def _collections() -> Choices:
    rows = SourceImage.objects.collections()
    return [(row["collection"], f"{row['collection']} ({row['n_sources']} photos)") for row in rows]


def _losses() -> Choices:
    table = [(name, METRICS[name].label) for name in learning_codec.LOSSES]
    trained = [
        (f"{RUN_PREFIX}{run.pk}", f"{run.title}: {trained_label(run)}" + _marked(run))
        for run in run_lists.trained_metrics()
    ]
    return [("", "none: squared error alone"), *table, *trained]


def _beginnings() -> Choices:
    return [
        ("", "scratch"),
        *((str(run.pk), f"{run.title} ({str(run.pk)[:8]})") for run in run_lists.trained_codecs()),
    ]


def _marked(run: Run) -> str:
    return " (on SIMULATED judgments)" if run.is_simulated else ""
