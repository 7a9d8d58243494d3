"""Judgments in: upload, read the report, confirm; a run stores them."""

from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from annotation.import_formats import FORMATS, is_table, recognised
from annotation.import_forms import AgainForm, ConfirmForm, UploadForm
from annotation.import_report import ImportReport, report_of
from annotation.import_run import REFUSED, ImportConfig, opened, store_upload
from codecs_eval import runs, tasks
from codecs_eval.access import researcher, researchers_only
from codecs_eval.models import Run
from codecs_eval.serving_files import csv_reply

# As many rows as a person waits for; the run that imports reads them all.
ROWS_OF_REPORT = 20_000
TRIPLETS_OF_REPORT = 100


@researchers_only
@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            stored = store_upload(file)
        except ValueError as error:
            form.add_error("file", str(error))
        else:
            query = urlencode({"file": (file.name or "")[:120]})
            return redirect(f"{reverse('import_check', args=[stored])}?{query}")
    return render(
        request,
        "annotation/import.html",
        {"form": form, "formats": FORMATS, "largest_bytes": settings.MAX_UPLOAD_FILE_BYTES},
        status=400 if form.errors else 200,
    )


@researchers_only
@never_cache
@require_http_methods(["GET", "POST"])
def check(request: HttpRequest, upload: str) -> HttpResponse:
    """The report of an uploaded file; POST brings it in as the report read it."""
    again = AgainForm(request.GET)
    read = again.cleaned_data if again.is_valid() else {}
    form = ConfirmForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(_launched(request, upload, read, form.cleaned_data))
        except ValueError as error:
            form.add_error(None, str(error))
    report, problem = _report(upload, read)
    return render(
        request,
        "annotation/import_check.html",
        {
            "upload": upload,
            "file": request.GET.get("file", "")[:120] or upload,
            "again": again,
            "form": form,
            "report": report,
            "format": FORMATS[report.file_format] if report else None,
            "problem": problem,
        },
        status=400 if form.errors or problem else 200,
    )


def _report(upload: str, read: dict[str, Any]) -> tuple[ImportReport | None, str]:
    try:
        ImportConfig(upload)
        with opened(upload) as path:
            return _told(path, read), ""
    except ValueError as error:
        return None, str(error)


def _told(path: Path, read: dict[str, Any]) -> ImportReport:
    file_format = read.get("file_format") or recognised(path)
    rows = ROWS_OF_REPORT if is_table(file_format) else TRIPLETS_OF_REPORT
    return report_of(path, file_format, n_raters=read.get("n_raters") or 0, most=rows)


def _launched(request: HttpRequest, upload: str, read: dict[str, Any], said: dict[str, Any]) -> Run:
    file = request.GET.get("file", "")[:120]
    config = ImportConfig(
        upload=upload,
        file=file,
        file_format=read.get("file_format") or "",
        n_raters=read.get("n_raters") or 0,
        **said,
    )
    run = runs.create(
        "import_judgments",
        config,
        title=f"Import {said['name'] or file or upload[:12]}"[:200],
        user=researcher(request),
    )
    transaction.on_commit(lambda: tasks.enqueue(run))
    messages.success(request, "Queued. The rows stand where this run says when it is done.")
    return run


@researchers_only
@require_GET
def refused_csv(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Every row that an import refused, with its line and reason."""
    run = get_object_or_404(Run, pk=run_id, kind="import_judgments")
    path = run.folder / REFUSED
    if not path.is_file():
        raise Http404(f"Import {run.pk} is {run.state}; it has no list of refused rows yet.")
    return csv_reply(path.read_text(encoding="utf-8"), f"refused-{str(run.pk)[:8]}.csv")
