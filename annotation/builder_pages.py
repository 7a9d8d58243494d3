"""Beside the study builder's form: a forecast of what was typed, or why there is none."""

from dataclasses import asdict
from typing import Any

from django.db.models import Count
from django.http import QueryDict

from annotation import designing, forecasting, pairs
from annotation.builder_forms import StudyForm
from annotation.crops import NoSaliency
from annotation.models import Study
from codecs_eval.models import Reconstruction

LEFT_OUT_BESIDE = 12


def with_a_name(typed: QueryDict) -> QueryDict:
    """A design is counted before it is called anything."""
    named = typed.copy()
    for name in ("title", "slug"):
        if not named.get(name):
            named[name] = "not-named-yet"
    return named


def counted(form: StudyForm, measured_in: Study | None) -> dict[str, Any]:
    """The forecast of a form that holds a whole design, else why there is none."""
    context: dict[str, Any] = {"form": form, "numbers": None, "count_errors": []}
    if not form.is_valid():
        return {**context, "count_errors": errors_of(form)}
    try:
        designing.check_collection(form.design.collection)
        found = forecasting.forecast(Study(**form.design.columns), measured_in=measured_in)
    except ValueError as error:
        return {
            **context,
            "count_errors": [str(error)],
            "is_score_missing": isinstance(error, pairs.MissingScores),
            "is_saliency_missing": isinstance(error, NoSaliency),
        }
    pay = form.cleaned_data.get("pay_per_hour")
    return {
        **context,
        "forecast": found,
        "cost": found.cost(pay),
        "pay": pay,
        "by_rate": pairs.by_rate(found.plan.pairs),
        "left_out_pairs": found.plan.pairs.left_out_pairs(LEFT_OUT_BESIDE),
        "n_left_out_pairs": len(found.plan.pairs.pairing.refused),
        "numbers": _numbers(found, pay),
    }


def errors_of(form: StudyForm) -> list[str]:
    """Each fault under its field's name; an empty form of a new study has none to tell yet."""
    return [
        str(text) if name == "__all__" else f"{form[name].label}: {text}"
        for name, texts in form.errors.items()
        for text in texts
    ]


def _numbers(found: forecasting.Forecast, pay: float | None) -> dict[str, Any]:
    planned = found.plan.planned
    return {
        "n_triplets": planned.n_triplets,
        "n_checks": planned.n_checks,
        "left_out": planned.left_out,
        "n_left_out_pairs": len(found.plan.pairs.pairing.refused),
        "n_judgments": found.n_judgments,
        "n_trials": found.n_trials,
        "n_sessions": found.n_sessions,
        "n_people": found.n_people,
        "pace": asdict(found.pace),
        "hours": found.hours,
        "cost": found.cost(pay),
        "is_long": found.is_long,
    }


def encoded_in(collection: str) -> dict[str, Any]:
    """Which codecs and rates a collection has hits of."""
    rows = Reconstruction.objects.filter(
        source__collection=collection, state=Reconstruction.State.HIT
    ).order_by()
    codecs = dict(rows.values_list("codec").annotate(n=Count("pk")))
    rates = sorted(set(rows.values_list("target_bpp", flat=True).distinct()))
    return {"codecs": codecs, "rates_bpp": rates}
