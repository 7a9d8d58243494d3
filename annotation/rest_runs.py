"""Runs by the API: what can be launched, launched, read, cancelled."""

import json
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from ninja import Query, Router
from ninja.responses import Status
from pydantic import TypeAdapter, ValidationError

from annotation import team
from annotation.models import Study
from annotation.rest_access import needs, researcher_of, study_to_change, user_of
from annotation.rest_pages import BY_TIME, USUAL, Cursor, Limit, page_of
from annotation.rest_problems import Problem
from annotation.rest_run_schemas import Kind, RunIn, RunKindOut, RunOut, RunRead, State
from annotation.rest_schemas import Page, answers
from codecs_eval import encoding, learning_codec, run_lists, runs, tasks
from codecs_eval.access import may_change_run
from codecs_eval.models import ApiToken, Dataset, Run, RunQuerySet
from codecs_eval.run_kinds import KINDS, OF_STUDY, load, study_of

READ = needs(ApiToken.Scope.RUNS_READ)
WRITE = needs(ApiToken.Scope.RUNS_WRITE)
NEED_DATASET = ("train_metric", "agreement")
# Settings that name files of the server: those come in by the pages, which store them.
_NOT_BY_API = {"agreement": ("scores",), "downstream": ("annotations",)}
router = Router(tags=["runs"])


@router.get("/run-kinds", **READ, response=answers(list[RunKindOut]))
def list_run_kinds(request: HttpRequest) -> Any:
    """What can be launched, with the settings of each."""
    researcher_of(request)
    return [
        {
            "kind": name,
            "label": kind.label,
            "needs_dataset": name in NEED_DATASET,
            "config": _schema_of(name),
        }
        for name, kind in KINDS.items()
    ]


@router.get("/runs", **READ, response=answers(Page[RunOut]))
def list_runs(
    request: HttpRequest,
    kind: Annotated[Kind | None, Query(description="Only of this kind.")] = None,
    state: Annotated[State | None, Query(description="Only in this state.")] = None,
    cursor: Cursor = None,
    limit: Limit = USUAL,
) -> Any:
    """The newest first."""
    rows = _visible(request, run_lists.listed(kind or ""))
    rows = rows.filter(state=state) if state else rows
    keys = ("created_at", "pk")
    items, following = page_of(rows, keys, BY_TIME, cursor, limit, newest_first=True)
    return {"items": [_told(run) for run in items], "next": following}


@router.post("/runs", **WRITE, response=answers(RunRead, 400, 404, 409, status=201))
def launch_run(request: HttpRequest, sent: RunIn) -> Any:
    """Queue a run: a researcher's account may, and who is a researcher of the study it names.

    A setting that names a file of the server is refused here.
    """
    user = user_of(request)
    config = _config_of(sent)
    study = _study_named(request, sent.kind, config)
    dataset = _dataset_of(sent)
    try:
        is_simulated = _check(sent.kind, config) or bool(study and study.is_simulated)
        run = runs.create(
            sent.kind,
            config,
            title=sent.title or KINDS[sent.kind].label,
            dataset=dataset,
            user=user,
            is_simulated=is_simulated,
        )
    except (ValueError, RuntimeError) as error:
        raise Problem(409, str(error)) from error
    transaction.on_commit(partial(tasks.enqueue, run))
    return Status(201, _read(run))


@router.get("/runs/{run_id}", **READ, response=answers(RunRead, 404))
def read_run(request: HttpRequest, run_id: UUID) -> Any:
    """One run with its settings, and its result or its error."""
    return _read(_found(request, run_id))


@router.post("/runs/{run_id}/cancel", **WRITE, response=answers(RunRead, 404, 409, status=202))
def cancel_run(request: HttpRequest, run_id: UUID) -> Any:
    """At once while it waits; a running one stops at its next heartbeat. What is done is kept."""
    run = _found(request, run_id)
    if not may_change_run(user_of(request), run):
        raise Problem(403, "This run works on a study; its researchers may cancel it.")
    if not run.is_active:
        raise Problem(409, f"Found a run that is {run.state}; expected queued or running.")
    runs.cancel(run)
    run.refresh_from_db()
    return Status(202, _read(run))


def _visible(request: HttpRequest, rows: RunQuerySet) -> RunQuerySet:
    """A run about a study to who may read the study; all others to researchers."""
    user = user_of(request)
    slugs = list(team.visible_to(user).values_list("slug", flat=True))
    about = Q(kind__in=OF_STUDY, config__study__in=slugs)
    return rows.filter(about | ~Q(kind__in=OF_STUDY) if user.is_staff else about)


def _found(request: HttpRequest, run_id: UUID) -> Run:
    run = _visible(request, Run.objects.all()).filter(pk=run_id).defer("traceback").first()
    if run is None:
        raise Problem(404, f"No run is called {run_id}, or it is not yours to read.")
    return run


def _adapter(kind: str) -> TypeAdapter[Any]:
    config_class: Any = load(KINDS[kind].config)
    return TypeAdapter(config_class)


def _schema_of(kind: str) -> dict[str, Any]:
    """The configuration's own fields, with what its forms and commands say of them."""
    config_class: Any = load(KINDS[kind].config)
    schema = _adapter(kind).json_schema()
    for name in _NOT_BY_API.get(kind, ()):
        schema["properties"].pop(name, None)
    for name, told in schema["properties"].items():
        facts = config_class.__dataclass_fields__[name].metadata
        told["description"] = facts.get("help", "")
        if "choices" in facts:
            told["enum"] = list(facts["choices"])
    return {"title": KINDS[kind].label, **schema, "additionalProperties": False}


def _config_of(sent: RunIn) -> Any:
    """The kind's own configuration, of its own types; 422 naming what is wrong."""
    known = _schema_of(sent.kind)["properties"]
    unknown = sorted(set(sent.config) - set(known))
    if unknown:
        raise Problem(422, f"Found settings {unknown}; expected among {sorted(known)}.")
    try:
        return _adapter(sent.kind).validate_json(json.dumps(sent.config), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(["body", "config", *map(str, first["loc"])])
        raise Problem(422, f"{where}: {first['msg']}") from error


def _study_named(request: HttpRequest, kind: str, config: Any) -> Study | None:
    """The study that a run works on; where it works on none, a researcher must ask."""
    slug = study_of(kind, vars(config))
    if slug:
        return study_to_change(request, slug)
    researcher_of(request)
    return None


def _dataset_of(sent: RunIn) -> Dataset | None:
    if sent.kind not in NEED_DATASET:
        if sent.dataset is not None:
            raise Problem(422, f"Found a dataset; expected none: {sent.kind} needs no dataset.")
        return None
    dataset = Dataset.objects.filter(pk=sent.dataset).first() if sent.dataset else None
    if dataset is None:
        raise Problem(409, f"Found dataset {sent.dataset}; expected the id of one (GET /datasets).")
    return dataset


def _check(kind: str, config: Any) -> bool:
    """What the configuration alone cannot know, as the pages check it: ValueError.

    Returns whether the run rests on simulated judgments by its settings.
    """
    if kind == "encode_ladder":
        encoding.check_available(config)
    if kind == "train_codec":
        learning_codec.check_codec_training(config)
        return learning_codec.is_simulated(config)
    return False


def _told(run: Run) -> dict[str, Any]:
    names = set(RunOut.model_fields) - {"dataset"}
    return {**{name: getattr(run, name) for name in names}, "dataset": run.dataset_id}


def _read(run: Run) -> dict[str, Any]:
    more = set(RunRead.model_fields) - set(RunOut.model_fields)
    return {**_told(run), **{name: getattr(run, name) for name in more}}
