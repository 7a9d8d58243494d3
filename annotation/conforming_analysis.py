"""Of a conformance report: how sessions were screened, answers analysed, and what was different."""

import hashlib
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from django.conf import settings
from django.db.models import Q

from annotation import wording
from annotation.conformance_items import (
    AIC3,
    BT500,
    NOT_RECORDED,
    P910,
    Item,
    Section,
    item,
    minute,
    n_of,
)
from annotation.design.screening import VERSION
from annotation.models import Screening, Study
from annotation.running_results import results_of
from annotation.sharing import REVOKED, SHARED
from codecs_eval.models import Run

PACKAGES = ("Django", "numpy", "scipy", "pandas", "Pillow", "imagecodecs", "torch")
MOST_CHANGES = 40


def analysis(study: Study) -> Section:
    return Section(
        "Screening and analysis",
        (
            _screening(study),
            _results(study),
            item(
                "Left out of every analysis",
                "Practice, warm-ups, sentinels, identical pairs and repeats; sessions excluded by "
                "screening; answers that an undo took back.",
                by=(P910,),
            ),
        ),
    )


def _screening(study: Study) -> Item:
    rows = Screening.objects.filter(session__study=study)
    newest = rows.order_by("-created_at").first()
    if newest is None:
        return item("Screening", "No session was screened.", status=NOT_RECORDED, by=(P910, BT500))
    versions = sorted(set(rows.exclude(suspicion=None).values_list("version", flat=True)))
    n_decided = rows.filter(~Q(verdict=""), suspicion=None).count()
    return item(
        "Screening",
        f"Method {', '.join(versions) or 'none'} (now {VERSION}): obvious comparisons, repeats, "
        "agreement with the others, response times and sides joined into one likelihood that "
        "nobody attended; excluded from 95 % on, never by a single answer.",
        f"Last on {minute(newest.created_at)}; {n_of(n_decided, 'decision')} of people in its "
        "history. The rejection of BT.500 is for ratings and does not apply.",
        by=(P910, BT500),
    )


def _results(study: Study) -> Item:
    run = results_of(study).filter(state=Run.State.DONE).first()
    if run is None:
        return item(
            "Analysis", "No results were computed yet.", status=NOT_RECORDED, by=(P910, AIC3)
        )
    settings_said = "; ".join(
        f"{name.replace('_', ' ')} {value}"
        for name, value in sorted(run.config.items())
        if name != "study"
    )
    return item(
        "Analysis",
        f"Run {run.pk} of {minute(run.finished_at)}: {run.title}.",
        f"Settings: {settings_said}." if settings_said else "",
        "How each number is made stands with the results and on the page Help.",
        by=(P910, AIC3),
    )


def deviations(study: Study) -> Section:
    """What was changed after people began to answer, as the study's history tells."""
    changes = (
        study.changes.filter(at__gt=study.opened_at) if study.opened_at else study.changes.none()
    )
    # Who was shown a triplet afterwards changes nothing of what was asked.
    changes = changes.exclude(Q(what=REVOKED) | Q(what__startswith=SHARED))
    said = [
        f"{minute(change.at)}, {change.by}: {change.what}"
        for change in changes.order_by("at", "pk")[:MOST_CHANGES]
    ]
    rest = changes.count() - len(said)
    more = f"and {rest:,} more, in the study's history" if rest > 0 else ""
    return Section(
        "Deviations",
        (
            item(
                "After opening",
                *(said or ["None is in the study's history since it was opened."]),
                more,
            ),
            item("Version of the study", f"{study.version}; opening freezes what is asked."),
        ),
    )


def software() -> Section:
    return Section(
        "Software",
        (
            item("Triad", f"Source {source_sha256()} (SHA-256 over its modules, 12 characters)."),
            item("Wording", f"Version {wording.version()} of all words that people read."),
            item("Python", f"{platform.python_version()} on {platform.system()}"),
            item("Packages", ", ".join(filter(None, map(_package, PACKAGES)))),
        ),
    )


def _package(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return ""


@cache
def source_sha256() -> str:
    """Changes with any module: two reports that have it alike were made by the same code."""
    digest = hashlib.sha256()
    for folder in ("annotation", "codecs_eval", "config"):
        for path in sorted((settings.BASE_DIR / folder).rglob("*.py")):
            digest.update(path.relative_to(settings.BASE_DIR).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
