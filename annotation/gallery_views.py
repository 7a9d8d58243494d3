"""The desk's tab that shows what people saw and how they chose."""

from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from annotation.access import for_viewers
from annotation.models import Study, Trial
from annotation.pages import study_tab

TRIPLETS_A_PAGE = 24


@for_viewers
@require_GET
def gallery(request: HttpRequest, study: Study) -> HttpResponse:
    triplets = study.triplets.select_related("source", "first", "second").annotate(
        n_seen=Count("trials", filter=Q(trials__state=Trial.State.JUDGED), distinct=True),
        k_first=Count("trials__judgments", filter=_standing_choice("first")),
        k_second=Count("trials__judgments", filter=_standing_choice("second")),
    )
    page = Paginator(triplets.order_by("-n_seen", "shuffle"), TRIPLETS_A_PAGE).get_page(
        request.GET.get("page")
    )
    return study_tab(request, study, "gallery", page=page)


def _standing_choice(choice: str) -> Q:
    return Q(trials__judgments__choice=choice, trials__judgments__superseded_by=None)
