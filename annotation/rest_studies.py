"""Studies by the API: made, opened and closed, read, watched; and what came of them."""

from typing import Annotated, Any

from django.db.models import Count
from django.http import HttpRequest
from ninja import Path, Router
from ninja.responses import Status

from annotation import counting, designing, running_results, team
from annotation.models import Study, Triplet
from annotation.rest_access import (
    needs,
    researcher_of,
    study_of,
    study_to_change,
    user_of,
)
from annotation.rest_designs import SLUG, DesignIn, design_of
from annotation.rest_pages import BY_NUMBER, USUAL, Cursor, Limit, page_of
from annotation.rest_problems import Problem
from annotation.rest_schemas import (
    Page,
    ProgressOut,
    ResultOut,
    StateIn,
    StudyMade,
    StudyOut,
    StudyRead,
    TripletOut,
    answers,
)
from codecs_eval import tasks
from codecs_eval.models import ApiToken, Reconstruction, Run

Scope = ApiToken.Scope
READ, WRITE = needs(Scope.STUDIES_READ), needs(Scope.STUDIES_WRITE)
RESULTS = needs(Scope.RESULTS_READ)
router = Router(tags=["studies"])


Slug = Annotated[str, Path(pattern=SLUG, max_length=60, description="The study's short name.")]


@router.get("/studies", **READ, response=answers(Page[StudyOut]))
def list_studies(request: HttpRequest, cursor: Cursor = None, limit: Limit = USUAL) -> Any:
    """Every study that the token's account may read, the newest first."""
    rows = team.visible_to(user_of(request))
    items, following = page_of(rows, ["pk"], BY_NUMBER, cursor, limit, newest_first=True)
    return {"items": items, "next": following}


@router.post("/studies", **WRITE, response=answers(StudyMade, 400, 409, status=201))
def make_study(request: HttpRequest, sent: DesignIn) -> Any:
    """A draft with its triplets planned. Its collection must have an encoded ladder.

    What a preset says stands where the body says nothing.
    """
    user = researcher_of(request)
    try:
        design = design_of(sent)
    except ValueError as error:
        raise Problem(422, str(error)) from error
    try:
        study, planned = designing.create_study(design, user=user)
    except ValueError as error:
        raise Problem(409, str(error)) from error
    return Status(201, {**_read(request, study), "left_out": planned.left_out})


@router.get("/studies/{slug}", **READ, response=answers(StudyRead, 404))
def read_study(request: HttpRequest, slug: Slug) -> Any:
    """One study with all its settings."""
    return _read(request, study_of(request, slug))


@router.post("/studies/{slug}/state", **WRITE, response=answers(StudyRead, 400, 404, 409))
def change_state(request: HttpRequest, sent: StateIn, slug: Slug) -> Any:
    """Open, pause or close. The first opening freezes the design for ever."""
    study = study_to_change(request, slug)
    try:
        designing.change_state(study, sent.state, user_of(request))
    except ValueError as error:
        raise Problem(409, str(error)) from error
    tasks.ring_for_deliveries()
    return _read(request, study)


@router.get("/studies/{slug}/triplets", **READ, response=answers(Page[TripletOut], 404))
def list_triplets(
    request: HttpRequest,
    slug: Slug,
    cursor: Cursor = None,
    limit: Limit = USUAL,
) -> Any:
    """What is compared: each original with two of its reconstructions."""
    rows = study_of(request, slug).triplets.select_related("source", "first", "second")
    items, following = page_of(rows, ["pk"], BY_NUMBER, cursor, limit)
    return {"items": [_triplet(row) for row in items], "next": following}


@router.get("/studies/{slug}/progress", **READ, response=answers(ProgressOut, 404))
def read_progress(request: HttpRequest, slug: Slug) -> Any:
    """How the study goes: what is judged and missing, sessions, sides, times, by rate."""
    study = study_of(request, slug)
    told = counting.count(study).to_json()
    return {**told, "state": study.state, "is_simulated": study.is_simulated}


@router.get("/studies/{slug}/results", **RESULTS, response=answers(ResultOut, 404, 409))
def read_results(request: HttpRequest, slug: Slug) -> Any:
    """The newest finished results. They are made by a run: POST /runs, kind study_results.

    404: none was launched; 409: none is finished, and why.
    """
    study = study_of(request, slug)
    newest = running_results.newest_results(study)
    if newest is None:
        raise _without_results(study, running_results.results_of(study).first())
    return {
        "study": study.slug,
        "is_simulated": study.is_simulated,
        "run": newest.pk,
        "finished_at": newest.finished_at,
        "result": newest.result,
    }


def _without_results(study: Study, run: Run | None) -> Problem:
    if run is None:
        how = "launch a run of kind study_results (POST /api/v1/runs)"
        return Problem(404, f"Study {study.slug} has no results yet; {how}.")
    why = f": {run.error}" if run.error else ""
    return Problem(
        409, f"Found the newest run of results {run.pk} {run.state}{why}; expected done."
    )


def _read(request: HttpRequest, study: Study) -> dict[str, Any]:
    kinds = study.triplets.order_by().values_list("kind").annotate(n=Count("pk"))
    plain = {name: getattr(study, name) for name in StudyOut.model_fields}
    return {
        **plain,
        "role": team.role_of(user_of(request), study),
        "settings": {name: getattr(study, name) for name in designing.SETTINGS},
        "n_triplets": dict(kinds.order_by("kind")),
    }


def _triplet(row: Triplet) -> dict[str, Any]:
    plain = set(TripletOut.model_fields) - {"source", "first", "second"}
    return {
        **{name: getattr(row, name) for name in plain},
        "source": row.source.name,
        "first": _side(row.first),
        "second": _side(row.second),
    }


def _side(row: Reconstruction) -> dict[str, Any]:
    return {"codec": row.codec, "bpp": row.bpp, "state": row.state}
