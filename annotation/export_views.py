"""The desk's tab of downloads: judgments as files, and a frozen dataset."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from annotation import exporting, freezing
from annotation.access import for_researchers, for_viewers
from annotation.forms import FreezeForm
from annotation.models import Study
from annotation.pages import study_tab
from codecs_eval import runs, tasks
from codecs_eval.access import researcher


@for_viewers
@require_GET
def export(request: HttpRequest, study: Study) -> HttpResponse:
    return study_tab(
        request,
        study,
        "export",
        columns=exporting.CSV_COLUMNS,
        form=FreezeForm(initial={"name": study.slug}),
    )


@for_viewers
@require_GET
def judgments_csv(request: HttpRequest, study: Study) -> StreamingHttpResponse:
    label = "-simulated" if study.is_simulated else ""
    return StreamingHttpResponse(
        exporting.judgments_csv(study),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="judgments-{study.slug}{label}.csv"'
        },
    )


@for_researchers
@require_POST
def freeze(request: HttpRequest, study: Study) -> HttpResponse:
    form = FreezeForm(request.POST)
    if not form.is_valid():
        messages.error(request, f"Nothing was frozen: {form.errors.as_text()}")
        return redirect("study_export", study.slug)
    config = freezing.FreezeConfig(study=study.slug, **form.cleaned_data)
    run = runs.create(
        "freeze_dataset",
        config,
        title=f"Freeze {config.name}",
        user=researcher(request),
        is_simulated=study.is_simulated,
    )
    transaction.on_commit(lambda: tasks.enqueue(run))
    return redirect(run)
