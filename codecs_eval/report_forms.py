"""The form of an agreement report: metrics, trainings, and scores from a person's own file."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.datastructures import MultiValueDict

from codecs_eval.agreement.outside_scores import DIRECTIONS, MAX_NAME_LENGTH
from codecs_eval.measuring_trained import COMBINED, RUN_PREFIX, trained_label
from codecs_eval.metrics.table import METRICS, USUAL
from codecs_eval.models import Dataset, Run
from codecs_eval.outside_metrics import kept_upload
from codecs_eval.run_forms import RunForm
from codecs_eval.run_lists import trained_metrics


class AgreementForm(RunForm):
    """An agreement report, which may take one metric's scores from a file that it is given."""

    FILE_FIELDS = ("scores_file", "scores_name", "scores_better")

    def __init__(self, *args: Any, **facts: Any) -> None:
        # Not typed as the configuration has it: the three fields below make it.
        super().__init__(*args, given={"scores": ()}, **facts)
        self.fields["scores_file"] = forms.FileField(
            label="CSV file",
            required=False,
            help_text="triplet_id, d_first, d_second; or source, reconstruction, value.",
        )
        self.fields["scores_name"] = forms.CharField(
            label="Name of the metric", required=False, max_length=MAX_NAME_LENGTH
        )
        self.fields["scores_better"] = forms.ChoiceField(
            label="Better is", required=False, choices=[(name, name) for name in DIRECTIONS]
        )

    def settings(self, cleaned: Mapping[str, Any]) -> dict[str, Any]:
        settings = {key: cleaned[key] for key in cleaned if key not in self.FILE_FIELDS}
        file, name, better = (cleaned[key] for key in self.FILE_FIELDS)
        if bool(file) != bool(name):
            raise ValueError("Expected a CSV file of scores together with its metric’s name.")
        # The file is read last: a form that is sent back keeps nothing in the store.
        kept = (kept_upload(file.read(), name, DIRECTIONS.get(better, True)),) if file else ()
        return {**settings, "scores": kept}


def agreement_form(
    dataset: Dataset,
    data: Mapping[str, Any] | None = None,
    files: MultiValueDict[str, UploadedFile] | None = None,
) -> RunForm:
    """Ticked at first: what can be had without a download, and every trained metric."""
    trained = [choice for run in trained_metrics() for choice in _trained_choices(run, dataset)]
    known = [(entry.name, entry.label) for entry in METRICS.values()]
    return AgreementForm(
        "agreement",
        data,
        files,
        dataset=dataset,
        choices={
            "metrics": [*known, *trained],
            "reference": [("first", "the first"), ("pairs", "every pair"), *known, *trained],
        },
        initial={"metrics": [*USUAL, *(name for name, _ in trained)]},
        title=f"Agreement on {dataset.name}",
    )


def _trained_choices(run: Run, dataset: Dataset) -> list[tuple[str, str]]:
    """The trained metric alone, and with what it was combined with."""
    on = "this dataset" if run.dataset_id == dataset.pk else str(run.dataset)
    when = f"trained {run.created_at:%Y-%m-%d %H:%M} on {on}"
    name = f"{RUN_PREFIX}{run.pk}"
    choices = [(name, f"{trained_label(run)}: {when}")]
    if run.config.get("combine_with"):
        label = trained_label(run, with_others=True)
        choices.append((f"{name}{COMBINED}", f"{label}: {when}, combined"))
    return choices
