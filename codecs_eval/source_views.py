"""Sources: photos in, and the ladder of each collection."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET, require_http_methods

from codecs_eval import ingesting, ladders, run_lists
from codecs_eval.access import researchers_only
from codecs_eval.forms import ImportImagesForm
from codecs_eval.models import SourceImage
from codecs_eval.named_codecs import all_entries
from codecs_eval.run_forms import ladder_form, saliency_form
from codecs_eval.run_views import launched
from codecs_eval.serving_files import csv_reply, is_download, svg_reply
from codecs_eval.thumbnails import thumbnail

PHOTOS_ON_PAGE = 200


@researchers_only
@require_http_methods(["GET", "POST"])
def sources(request: HttpRequest) -> HttpResponse:
    form = ImportImagesForm(request.POST or None, request.FILES or None)
    report = None
    if request.method == "POST" and form.is_valid():
        report = ingesting.import_uploads(**form.cleaned_data)
    return render(
        request,
        "codecs_eval/sources.html",
        {
            "collections": ladders.collections(),
            "form": form,
            "report": report,
            "collection": form.cleaned_data["collection"] if report else "",
        },
        status=400 if form.errors else 200,
    )


@researchers_only
@require_http_methods(["GET", "POST"])
def collection(request: HttpRequest, collection: str) -> HttpResponse:
    photos = list(SourceImage.objects.in_collection(collection)[: PHOTOS_ON_PAGE + 1])
    if not photos:
        raise Http404(f"No photo is in a collection called {collection!r}.")
    form = ladder_form(collection, request.POST or None)
    if request.method == "POST" and form.is_valid():
        return launched(request, form)
    runs = list(run_lists.of_collection(collection)[:5])
    return render(
        request,
        "codecs_eval/collection.html",
        {
            "collection": collection,
            "photos": photos[:PHOTOS_ON_PAGE],
            "is_cut": len(photos) > PHOTOS_ON_PAGE,
            "n_photos": SourceImage.objects.in_collection(collection).count(),
            "ladders": ladders.ladders_of(collection),
            "form": form,
            "saliency_form": saliency_form(collection),
            "runs": runs,
            "is_active": any(run.is_active for run in runs),
        },
        status=400 if form.errors else 200,
    )


@researchers_only
@require_GET
def ladder_csv(request: HttpRequest, collection: str) -> HttpResponse:
    return csv_reply(ladders.ladders_csv(collection), f"{collection}-ladder.csv")


@researchers_only
@require_GET
def ladder_svg(request: HttpRequest, collection: str, index: int = 0) -> HttpResponse:
    from codecs_eval.agreement import drawing
    from codecs_eval.desk_plots import rate_distortion

    found = ladders.ladders_of(collection)
    if index >= len(found):
        raise Http404(f"Collection {collection!r} has {len(found)} ladders.")
    cells = found[index]["cells"]
    n_photos = max(cell["n"] for cell in cells)
    title = f"{collection}: mean over up to {n_photos} photos; hollow: not every photo hit its rate"
    figure = rate_distortion(cells, title, all_entries())
    name = f"{collection}-ladder.svg"
    return svg_reply(drawing.svg(figure), name, as_attachment=is_download(request))


@researchers_only
@require_GET
def photo_thumbnail(request: HttpRequest, source_id: int) -> HttpResponse:
    source = get_object_or_404(SourceImage.objects.with_pixels(), pk=source_id)
    response = HttpResponse(thumbnail(source), content_type="image/webp")
    response["Cache-Control"] = "private, max-age=31536000, immutable"
    return response
