"""Where photos draw the eye: maps laid over them, and their agreement with given masks."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET, require_http_methods

from codecs_eval import run_lists
from codecs_eval.access import researchers_only
from codecs_eval.mask_agreement import agreements, agreements_csv
from codecs_eval.models import SaliencyMap, SourceImage
from codecs_eval.overlays import overlay
from codecs_eval.run_forms import saliency_form
from codecs_eval.run_views import launched
from codecs_eval.saliency_pages import choices_of, masks_of, shown_photos
from codecs_eval.serving_files import csv_reply

PHOTOS_ON_PAGE = 24


@researchers_only
@require_http_methods(["GET", "POST"])
def saliency(request: HttpRequest, collection: str) -> HttpResponse:
    photos = SourceImage.objects.in_collection(collection)
    page = Paginator(photos, PHOTOS_ON_PAGE).get_page(request.GET.get("page"))
    if not page.paginator.count:
        raise Http404(f"No photo is in a collection called {collection!r}.")
    form = saliency_form(collection, request.POST or None)
    if request.method == "POST" and form.is_valid():
        return launched(request, form)
    runs = list(run_lists.of_collection(collection).filter(kind="saliency")[:5])
    return render(
        request,
        "codecs_eval/saliency.html",
        {
            "collection": collection,
            "page": page,
            "form": form,
            "runs": runs,
            "is_active": any(run.is_active for run in runs),
            **_shown(request, collection, page),
        },
        status=400 if form.errors else 200,
    )


def _shown(request: HttpRequest, collection: str, page: Page) -> dict[str, Any]:
    """The chosen model and masks, the photos of the page with both, the means over all photos."""
    choices = choices_of(collection)
    chosen = next(
        (choice for choice in choices if choice.model == request.GET.get("model")),
        choices[0] if choices else None,
    )
    masks = masks_of(choices, request.GET.get("masks", ""))
    return {
        "choices": choices,
        "chosen": chosen,
        "masks": masks,
        "photos": shown_photos(page.object_list, chosen, masks) if chosen else [],
        "agreements": agreements(collection) if masks else [],
    }


@researchers_only
@require_GET
def saliency_csv(request: HttpRequest, collection: str) -> HttpResponse:
    return csv_reply(agreements_csv(collection), f"{collection}-saliency.csv")


@researchers_only
@require_GET
def saliency_overlay(request: HttpRequest, map_id: int) -> HttpResponse:
    row = get_object_or_404(SaliencyMap.objects.select_related("source"), pk=map_id)
    data = overlay(row, is_large="large" in request.GET)
    response = HttpResponse(data, content_type="image/webp")
    response["Cache-Control"] = "private, max-age=31536000, immutable"
    return response
