"""The form of a study's results: which metrics stand beside people, and against which codec."""

from collections.abc import Mapping
from typing import Any

from annotation.models import Study
from annotation.running_results import KIND, create_results
from codecs_eval.measuring_trained import COMBINED, RUN_PREFIX, trained_label
from codecs_eval.metrics.table import METRICS
from codecs_eval.models import Run
from codecs_eval.named_codecs import codec_entry
from codecs_eval.run_forms import RunForm
from codecs_eval.run_lists import trained_metrics


class ResultsForm(RunForm):
    """Results about to be computed of one study."""

    def queue(self, study: Study, user: Any) -> Run:
        return create_results(study, self.config, user)


def results_form(study: Study, data: Mapping[str, Any] | None = None) -> ResultsForm:
    codecs = [(name, codec_entry(name).label) for name in study.codecs]
    anchor = study.anchor_codec or next(iter(study.codecs), "")
    own = codec_entry(anchor).label if anchor else "the first codec"
    form = ResultsForm(
        KIND,
        data,
        given={"study": study.slug},
        choices={
            "metrics": [*((entry.name, entry.label) for entry in METRICS.values()), *_trained()],
            "anchor": [("", f"the study’s own: {own}"), *codecs],
        },
    )
    form.fields["metrics"].required = False
    form.fields["metrics"].help_text = (
        "Measured on the crops that were judged: minutes on a CPU, the first time. Without any, "
        "results come in seconds."
    )
    return form


def _trained() -> list[tuple[str, str]]:
    """Trained metrics, alone and with what they were combined with."""
    found = []
    for run in trained_metrics():
        name = f"{RUN_PREFIX}{run.pk}"
        found.append((name, f"{trained_label(run)}: trained on {run.dataset}"))
        if run.config.get("combine_with"):
            label = trained_label(run, with_others=True)
            found.append((f"{name}{COMBINED}", f"{label}: combined"))
    return found
