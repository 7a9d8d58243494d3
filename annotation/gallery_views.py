"""The desk's tab that shows what people saw and how they chose."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_GET, require_POST

from annotation import sharing, triplet_pictures
from annotation.access import for_researchers, for_viewers
from annotation.galleries import Asked, judgment_line, judgments_shown, shown
from annotation.gallery_forms import ORDERS, GalleryForm
from annotation.gallery_orders import VOTE_ORDERS, ordered_keys, place_of
from annotation.models import Study, Triplet
from annotation.pages import study_tab
from codecs_eval.access import researcher

TRIPLETS_A_PAGE = 24
JUDGMENTS_A_PAGE = 100
# How a triplet's page looks, which its neighbours keep.
LOOKS = ("view", "zoom", "gain")


@for_viewers
@require_GET
def gallery(request: HttpRequest, study: Study) -> HttpResponse:
    form = GalleryForm(study, request.GET)
    if not form.is_valid():
        return study_tab(request, study, "gallery", form=form, status=400)
    asked = form.asked()
    page = Paginator(ordered_keys(study, asked), TRIPLETS_A_PAGE).get_page(request.GET.get("page"))
    return study_tab(
        request,
        study,
        "gallery",
        form=form,
        asked=asked,
        page=page,
        cards=shown(study, asked, list(page)),
        order=ORDERS[asked.sort],
        is_by_votes=asked.sort in VOTE_ORDERS,
        n_all=study.triplets.count(),
        query=_query(request, without=("page",)),
    )


def _query(request: HttpRequest, *, without: tuple[str, ...] = ()) -> str:
    """What of the address makes the list: handed on to every link of the page."""
    kept = [(name, value) for name, value in request.GET.items() if value and name not in without]
    return urlencode(kept)


@for_viewers
@require_GET
def triplet(request: HttpRequest, study: Study, triplet_id: int) -> HttpResponse:
    form = GalleryForm(study, request.GET)
    asked = form.asked() if form.is_valid() else Asked(kind="all")
    everything = Asked(with_everybody=asked.with_everybody)
    found = next(iter(shown(study, everything, [triplet_id])), None)
    if found is None:
        raise Http404(f"Study {study.slug} has no triplet {triplet_id}.")
    page = Paginator(judgments_shown(found.triplet), JUDGMENTS_A_PAGE).get_page(
        request.GET.get("page")
    )
    return study_tab(
        request,
        study,
        "triplet",
        found=found,
        asked=asked,
        order=ORDERS[asked.sort],
        place=place_of(study, asked, found.triplet),
        page=page,
        lines=[judgment_line(row, found.triplet.kind) for row in page],
        has_pictures=triplet_pictures.has_pictures(found.triplet),
        pictures=_pictures("gallery_picture", [study.slug, found.triplet.pk]),
        cannot_share=sharing.obstacle(study),
        share_days=sharing.DAYS,
        query=_query(request, without=("page", *LOOKS, "x", "y")),
    )


def _pictures(name: str, args: list[Any]) -> list[dict[str, str]]:
    return [
        {"side": side, "url": reverse(name, args=[*args, side])} for side in triplet_pictures.SIDES
    ]


@for_viewers
@require_GET
def small_picture(request: HttpRequest, study: Study, triplet_id: int, side: str) -> HttpResponse:
    data = _picture(_triplet(study, triplet_id), side, is_small=True)
    return _kept_by_browser(data, "image/webp", "private, max-age=31536000, immutable")


@for_viewers
@require_GET
def picture(request: HttpRequest, study: Study, triplet_id: int, side: str) -> HttpResponse:
    data = _picture(_triplet(study, triplet_id), side)
    return _kept_by_browser(data, "image/png", "private, max-age=31536000, immutable")


def _triplet(study: Study, triplet_id: int) -> Triplet:
    rows = Triplet.objects.select_related("study", "source", "first", "second")
    return get_object_or_404(rows, study=study, pk=triplet_id)


def _picture(found: Triplet, side: str, *, is_small: bool = False) -> bytes:
    make = triplet_pictures.small_picture if is_small else triplet_pictures.picture
    try:
        return make(found, side)
    except ValueError as error:
        raise Http404(str(error)) from error


def _kept_by_browser(data: bytes, content_type: str, caching: str) -> HttpResponse:
    response = HttpResponse(data, content_type=content_type)
    response["Cache-Control"] = caching
    response["X-Content-Type-Options"] = "nosniff"
    return response


@for_researchers
@require_POST
def share(request: HttpRequest, study: Study, triplet_id: int) -> HttpResponse:
    try:
        token = sharing.share(_triplet(study, triplet_id), researcher(request))
    except ValueError as error:
        messages.error(request, str(error))
    else:
        url = request.build_absolute_uri(reverse("shared_triplet", args=[token]))
        said = "Whoever has this link sees this triplet and its codecs for {} days: {}"
        link = format_html('<a href="{}">{}</a>', url, url)
        messages.success(request, format_html(said, sharing.DAYS, link))
    return redirect("gallery_triplet", study.slug, triplet_id)


@for_researchers
@require_POST
def revoke(request: HttpRequest, study: Study) -> HttpResponse:
    sharing.revoke(study, researcher(request))
    messages.success(request, "No link to this study's triplets opens any more.")
    return redirect("study_gallery", study.slug)
