"""One triplet for whoever holds its link, without an account: see `sharing`."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from annotation import sharing, triplet_pictures
from annotation.galleries import Asked, shown

# A picture may stay in the browser no longer than a coffee break: a link can be revoked.
PICTURE_AGE_S = 600


@require_GET
@never_cache
def shared_triplet(request: HttpRequest, token: str) -> HttpResponse:
    try:
        opened = sharing.shared(token)
    except sharing.NotShared as reason:
        return _for_nobody(
            render(request, "annotation/not_shared.html", {"reason": reason}, status=404)
        )
    study = opened.triplet.study
    (found,) = shown(study, Asked(), [opened.triplet.pk])
    pictures = [
        {"side": side, "url": reverse("shared_picture", args=[token, side])}
        for side in triplet_pictures.SIDES
    ]
    context = {
        "study": study,
        "found": found,
        "until": opened.until,
        "pictures": pictures,
        "has_pictures": triplet_pictures.has_pictures(opened.triplet),
    }
    return _for_nobody(render(request, "annotation/shared_triplet.html", context))


@require_GET
def shared_picture(request: HttpRequest, token: str, side: str) -> HttpResponse:
    try:
        data = triplet_pictures.picture(sharing.shared(token).triplet, side)
    except (sharing.NotShared, ValueError):
        return _for_nobody(HttpResponse(status=404))
    response = HttpResponse(data, content_type="image/png")
    response["Cache-Control"] = f"private, max-age={PICTURE_AGE_S}"
    response["X-Content-Type-Options"] = "nosniff"
    return _for_nobody(response)


def _for_nobody(response: HttpResponse) -> HttpResponse:
    """No search engine keeps it, and no page that is opened from it learns its address."""
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "no-referrer"
    return response
