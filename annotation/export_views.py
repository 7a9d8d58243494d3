"""The desk's tab of downloads: prepared exports, judgments at once, and a frozen dataset."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST, require_safe

from annotation import describing, exporting, freezing
from annotation.access import for_researchers, for_viewers
from annotation.export_formats import FORMATS, ExportConfig
from annotation.formats.columns import JUDGMENTS, TRIPLETS
from annotation.forms import FreezeForm
from annotation.models import Judgment, Study
from annotation.pages import study_tab
from codecs_eval import runs, tasks
from codecs_eval.access import researcher
from codecs_eval.models import Run
from codecs_eval.serving_files import csv_reply, is_download
from codecs_eval.serving_ranges import ranged_reply

EXPORTS_ON_PAGE = 30
DICTIONARY: describing.Tables = {"judgments.csv": JUDGMENTS, "triplets.csv": TRIPLETS}


@for_viewers
@require_GET
@never_cache
def export(request: HttpRequest, study: Study) -> HttpResponse:
    found = list(exporting.exports_of(study)[:EXPORTS_ON_PAGE])
    return study_tab(
        request,
        study,
        "export",
        formats=FORMATS,
        exports=[_listed(run) for run in found],
        is_active=any(run.is_active for run in found),
        is_preview=study.purpose == Study.Purpose.PREVIEW,
        n_judgments=Judgment.objects.of_study(study).count(),
        n_triplets=study.triplets.count(),
        n_columns=len(JUDGMENTS),
        label=describing.label_of(study),
        form=FreezeForm(initial={"name": study.slug}),
    )


def _listed(run: Run) -> dict[str, Any]:
    return {
        "run": run,
        "unit": FORMATS[run.config["file_format"]].unit,
        "has_file": exporting.export_file(run) is not None,
    }


@for_viewers
@require_POST
def prepare_export(request: HttpRequest, study: Study) -> HttpResponse:
    """Queue what makes an export's file; a viewer may."""
    try:
        exporting.refuse_preview(study)
        config = ExportConfig(
            study=study.slug,
            file_format=request.POST.get("file_format", ""),
            rows=request.POST.get("rows", "all"),
        )
    except ValueError as error:
        messages.error(request, str(error))
        return redirect("study_export", study.slug)
    run = runs.create(
        "export_study",
        config,
        title=f"Export {exporting.export_name(study, config)}"[:200],
        user=researcher(request),
        is_simulated=study.is_simulated,
    )
    transaction.on_commit(lambda: tasks.enqueue(run))
    messages.success(request, "Queued. The file stands below when it is made.")
    return redirect("study_export", study.slug)


@for_viewers
@require_safe
def export_file(request: HttpRequest, study: Study, run_id: UUID) -> HttpResponseBase:
    """A prepared file; a download that broke goes on where it was (Range, If-Range)."""
    run = get_object_or_404(Run, pk=run_id, kind="export_study", config__study=study.slug)
    path = exporting.export_file(run)
    if path is None:
        raise Http404(f"Export {run.pk} is {run.state}; its file is not on this machine.")
    return ranged_reply(
        request, path, name=path.name, content_type="application/zip", sha256=run.result["sha256"]
    )


@for_researchers
@require_POST
def delete_export(request: HttpRequest, study: Study, run_id: UUID) -> HttpResponse:
    run = get_object_or_404(Run, pk=run_id, kind="export_study", config__study=study.slug)
    exporting.delete_file(run)
    messages.success(request, "The file is deleted; the list says that it was made.")
    return redirect("study_export", study.slug)


@for_viewers
@require_GET
def columns(request: HttpRequest, study: Study) -> HttpResponse:
    """The data dictionary, to read or as a file."""
    if is_download(request):
        return csv_reply(describing.dictionary_csv(DICTIONARY), "columns.csv")
    return study_tab(request, study, "columns", tables=DICTIONARY)


@for_viewers
@require_GET
def judgments_csv(request: HttpRequest, study: Study) -> HttpResponseBase:
    try:
        exporting.refuse_preview(study)
    except ValueError as error:
        messages.error(request, str(error))
        return redirect("study_export", study.slug)
    name = f"judgments-{study.slug}{describing.label_of(study)}.csv"
    return StreamingHttpResponse(
        exporting.judgments_csv(study),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
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
    if not researcher(request).is_staff:
        messages.success(request, f"{config.name} is being frozen; a researcher sees the run.")
        return redirect("study_export", study.slug)
    return redirect(run)
