"""Downstream reports: launching one, its page, its photos with boxes, its files."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from codecs_eval import downstream_pages, downstream_pictures
from codecs_eval.access import researchers_only
from codecs_eval.detecting import UNCOMPRESSED, downstream_config
from codecs_eval.downstream.table import model_entry
from codecs_eval.downstream_forms import downstream_form
from codecs_eval.evaluated_photos import is_jpeg_flagged
from codecs_eval.models import Run, SourceImage
from codecs_eval.run_views import launched
from codecs_eval.serving_files import file_reply, is_download, named

# What may be taken from a report's folder, and as what.
FILES = {
    "report.json": "application/json",
    "table.csv": "text/csv; charset=utf-8",
    "table.md": "text/markdown; charset=utf-8",
    "bd_rates.csv": "text/csv; charset=utf-8",
    "photos.csv": "text/csv; charset=utf-8",
    "by_rate.svg": "image/svg+xml",
}


@researchers_only
@require_http_methods(["GET", "POST"])
def downstream_on_collection(request: HttpRequest, collection: str) -> HttpResponse:
    photos = list(SourceImage.objects.in_collection(collection))
    if not photos:
        raise Http404(f"No photo is in a collection called {collection!r}.")
    form = downstream_form(collection, request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        return launched(request, form)
    return render(
        request,
        "codecs_eval/downstream_new.html",
        {
            "collection": collection,
            "form": form,
            "n_photos": len(photos),
            "n_jpeg_born": sum(map(is_jpeg_flagged, photos)),
        },
        status=400 if form.errors else 200,
    )


@researchers_only
@require_GET
def downstream(request: HttpRequest, run_id: UUID) -> HttpResponse:
    run = _report_run(run_id)
    if run.state != Run.State.DONE:
        return redirect(run)
    return render(
        request,
        "codecs_eval/downstream.html",
        {
            "run": run,
            "report": run.result,
            "rows": downstream_pages.rows(run.result),
            "words": downstream_pages.words(run.result),
            "uncompressed": downstream_pages.scores(run.result, run.result["uncompressed"]),
            "conclusion": downstream_pages.conclusion(run.result),
            "files": [name for name in FILES if (run.folder / name).is_file()],
        },
    )


@researchers_only
@require_GET
def downstream_photo(request: HttpRequest, run_id: UUID, source_id: int) -> HttpResponse:
    """One photo, uncompressed and at every rate of one codec (?codec=)."""
    run = _report_run(run_id)
    config = downstream_config(run)
    source = _source_of(config.collection, source_id)
    codec = request.GET.get("codec", config.codecs[0])
    if codec not in config.codecs:
        raise Http404(f"This run has the codecs {', '.join(config.codecs)}; found {codec!r}.")
    rates = sorted(config.rates_bpp)
    found = [downstream_pictures.ladder_row(config, source, codec, rate) for rate in rates]
    labels = {cell["codec"]: cell["label"] for cell in run.result.get("cells", [])}
    return render(
        request,
        "codecs_eval/downstream_photo.html",
        {
            "run": run,
            "source": source,
            "codec": codec,
            "label": labels.get(codec, codec),
            "codecs": [(name, labels.get(name, name)) for name in config.codecs],
            "rows": [row for row in found if row is not None],
            "uncompressed": UNCOMPRESSED,
            "has_truth": bool(config.annotations),
            "is_semantic": model_entry(config.model).task == "semantic",
        },
    )


@researchers_only
@require_GET
def downstream_picture(
    request: HttpRequest, run_id: UUID, source_id: int, codec: str, target_bpp: str
) -> HttpResponse:
    run = _report_run(run_id)
    source = _source_of(downstream_config(run).collection, source_id)
    try:
        data = downstream_pictures.picture(run, source, codec, float(target_bpp))
    except ValueError as error:
        raise Http404(str(error)) from error
    name = f"{_marked(run)}{source.name}-{codec}-{target_bpp}.webp"
    return named(
        HttpResponse(data, content_type="image/webp"), name, as_attachment=is_download(request)
    )


@researchers_only
@require_GET
def downstream_file(request: HttpRequest, run_id: UUID, name: str) -> HttpResponse:
    run = _report_run(run_id)
    path = run.folder / name
    if name not in FILES or not path.is_file():
        raise Http404(f"A report has the files {', '.join(FILES)}; found none called {name!r}.")
    download_name = f"{_marked(run)}{str(run.pk)[:8]}-{name}"
    return file_reply(path, FILES[name], download_name, as_attachment=is_download(request))


def _marked(run: Run) -> str:
    """A file keeps the label once it has left the page."""
    return "SIMULATED-" if run.is_simulated else ""


def _report_run(run_id: UUID) -> Run:
    return get_object_or_404(Run, pk=run_id, kind="downstream")


def _source_of(collection: str, source_id: int) -> SourceImage:
    return get_object_or_404(SourceImage.objects.in_collection(collection), pk=source_id)
