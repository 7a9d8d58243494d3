"""Judgments by the API, one by one, in the order in which the server stored them."""

from datetime import timedelta
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from ninja import Router

from annotation.models import Judgment, Study, Trial
from annotation.rest_access import needs, study_of
from annotation.rest_pages import BY_TIME, USUAL, Cursor, Limit, page_of
from annotation.rest_schemas import JudgmentOut, Page, answers
from annotation.rest_studies import Slug
from codecs_eval.models import ApiToken

READ = needs(ApiToken.Scope.JUDGMENTS_READ)
# One is stamped before its transaction ends: read at once, a later one could pass it by.
SETTLED_AFTER = timedelta(seconds=2)
_OF_JUDGMENT = (
    "server_time", "client_time", "choice", "response_ms", "hidden_ms", "n_switches", "zoom",
    "marks",
)  # fmt: skip
_OF_TRIAL = ("position", "is_warm_up", "is_repeat", "first_on_left")
_RELATED = Judgment.objects.select_related(
    "superseded_by",
    "trial__session",
    "trial__annotator",
    "trial__triplet__first",
    "trial__triplet__second",
)
router = Router(tags=["studies"])


@router.get("/studies/{slug}/judgments", **READ, response=answers(Page[JudgmentOut], 404))
def list_judgments(
    request: HttpRequest,
    slug: Slug,
    cursor: Cursor = None,
    limit: Limit = USUAL,
) -> Any:
    """All that were stored, also those that an undo took back: `superseded_by` tells.

    Up to two seconds before now: what is being stored is given by the next call, never left out.
    """
    study = study_of(request, slug)
    keys = ("server_time", "pk")
    found, following = page_of(_in_order(study), keys, BY_TIME, cursor, limit)
    rows = _RELATED.in_bulk([row.pk for row in found])
    return {"items": [_told(rows[row.pk]) for row in found], "next": following}


def _in_order(study: Study) -> QuerySet[Judgment]:
    """Asked in this way a page is read along the index of times, however many there are."""
    of_study = Trial.objects.order_by().filter(pk=OuterRef("trial"), session__study=study)
    settled = timezone.now() - SETTLED_AFTER
    rows = Judgment.objects.filter(Exists(of_study), server_time__lt=settled)
    return rows.only("pk", "server_time")


def _told(row: Judgment) -> dict[str, Any]:
    trial, session, triplet = row.trial, row.trial.session, row.trial.triplet
    later = getattr(row, "superseded_by", None)
    codecs = {"first": triplet.first.codec, "second": triplet.second.codec}
    return {
        **{name: getattr(row, name) for name in _OF_JUDGMENT},
        **{name: getattr(trial, name) for name in _OF_TRIAL},
        "id": row.pk,
        "session": session.pk,
        "session_state": session.state,
        "verdict": session.verdict,
        "annotator": trial.annotator_id,
        "is_simulated": trial.annotator.is_simulated,
        "trial": trial.pk,
        "triplet": triplet.pk,
        "triplet_kind": triplet.kind,
        "chosen_codec": codecs.get(row.choice, ""),
        "supersedes": row.supersedes_id,
        "superseded_by": later.pk if later else None,
    }
