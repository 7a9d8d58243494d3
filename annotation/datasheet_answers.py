"""The datasheet's answers about a study, from its rows; what nobody recorded is left open."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, Max, Min, Q

from annotation import designing
from annotation.asked_elsewhere import is_imported
from annotation.formats.bundle import Member
from annotation.models import Judgment, Session, Study
from codecs_eval.agreement.datasheet import one_line, table


def terms_of(study: Study) -> tuple[list[str], list[str]]:
    """The licences and attributions of the study's photos."""
    sources = study.triplets.order_by().values_list("source__licence", "source__attribution")
    found = set(sources.distinct())
    return sorted({one for one, _ in found}), sorted({one for _, one in found if one})


def answers_of(
    study: Study, members: Sequence[Member], notes: Sequence[str], warning: str
) -> dict[str, str]:
    """By the keys of `datasheet.QUESTIONS`; `warning` is what the data must not be used for."""
    return {
        **_composition(study, members),
        **_collection(study),
        "cleaning": _screening(study),
        "rawkept": "Yes, in the Triad installation: judgments are never overwritten.",
        "used": "Comparing codecs at equal rates; training and judging image quality metrics.",
        "unfit": warning
        or "Claims about other photos, codecs, rates or viewing conditions than these.",
        **_terms(study),
        "files": _files(members) + "".join(f"\n\n{note}" for note in notes),
        "updates": "A study that is not closed goes on; this file does not change with it.",
        "version": f"{one_line(study.title)} ({study.slug}), version {study.version}, "
        f"{study.state} when this was written.",
    }


def _composition(study: Study, members: Sequence[Member]) -> dict[str, str]:
    asked = "closer to" if study.polarity == Study.Polarity.CLOSER else "more different from"
    return {
        "purpose": f"To learn which reconstruction of a photo people find {asked} the original, "
        f"by codec ({', '.join(map(one_line, study.codecs))}) and rate "
        f"({', '.join(f'{rate:g}' for rate in study.rates_bpp)} bits per pixel).",
        "instances": "Judgments: one answer of one person to one triplet (an original and two "
        "reconstructions of it).",
        "counts": _counts(study),
        "sample": "Everything that the study stored, screened-out sessions and replaced answers "
        "included, unless the notes below the files say otherwise. What people withdrew is gone.",
        "raw": "See columns.csv for every column with its unit and meaning.",
        "labels": f"The answer to: {one_line(study.question)} (polarity: {study.polarity}).",
        "missing": "What was not measured is empty.",
        "splits": "None here. Split by photo (source), never by judgment or triplet.",
        "noise": "People err, and some do not try: see the column screening, and the check trials "
        "(triplet_kind, expected).",
        "contained": "Yes." if _has_pictures(members) else "The pictures are not in here.",
        "personal": "No names. Annotators stand under random ids; where an import gave ids of its "
        "own, session_id is one.",
    }


def _collection(study: Study) -> dict[str, str]:
    """How people were asked, where people were asked and it was here."""
    if study.is_simulated:
        nobody = "Nobody: simulated observers answered."
        return {
            "asked": _asked(study), "viewing": "None: simulated observers answered.",
            "who": nobody, "ethics": nobody, "consent": nobody, "when": _when(study),
        }  # fmt: skip
    if is_imported(study):
        return {
            "asked": f"Elsewhere, and imported: {one_line(study.question)} What else was asked and "
            "shown is not recorded here.",
            "when": _when(study),
        }
    paid = f"Paid: {one_line(study.reward)}." if study.reward else "Payment: not stated."
    return {
        "asked": _asked(study),
        "viewing": _viewing(study),
        "who": f"Recruiting: {study.get_recruiting_display()}. {paid}",
        "when": _when(study),
        "consent": f"Every session began with this text: “{one_line(study.consent)}” People may "
        "withdraw; their rows are then deleted.",
    }


def _terms(study: Study) -> dict[str, str]:
    licences, attributions = terms_of(study)
    photos = "; ".join(map(one_line, licences))
    return {
        "licence": f"Photos: {photos}. Answers: not stated." if photos else "",
        "attribution": "; ".join(map(one_line, attributions)),
    }


def _has_pictures(members: Sequence[Member]) -> bool:
    return any(member.name.endswith(".png") for member in members)


def _counts(study: Study) -> str:
    judgments = Judgment.objects.of_study(study)
    triplets = study.triplets.aggregate(n=Count("pk"), sources=Count("source", distinct=True))
    sessions = study.sessions.aggregate(n=Count("pk"), people=Count("annotator", distinct=True))
    return table(
        ["what", "n"],
        [
            ("judgments", judgments.count()),
            ("of which count in analyses", judgments.counted().count()),
            ("triplets", triplets["n"]),
            ("photos", triplets["sources"]),
            ("sessions", sessions["n"]),
            ("simulated observers" if study.is_simulated else "people", sessions["people"]),
        ],
    )


def _asked(study: Study) -> str:
    rows: list[tuple[str, Any]] = [
        ("question", study.question),
        ("instructions", study.instructions),
    ]
    for _, settings in designing.described(study):
        rows += [(label, value) for label, value, _ in settings]
    return table(["setting", "value"], rows)


def _viewing(study: Study) -> str:
    sessions = study.sessions
    measured = sessions.exclude(viewing={}).count()
    return (
        f"People's own screens, not controlled; measured by the page in {measured} of "
        f"{sessions.count()} sessions (window, pixel ratio, clock). Luminance, room light and "
        "viewing distance: not measured."
    )


def _when(study: Study) -> str:
    times = Judgment.objects.of_study(study).aggregate(
        first=Min("server_time"), last=Max("server_time")
    )
    if not times["first"]:
        return "No answer yet."
    return f"{times['first'].isoformat()} to {times['last'].isoformat()}"


def _screening(study: Study) -> str:
    verdicts = Q(verdict=Session.Verdict.EXCLUDED)
    found = study.sessions.aggregate(
        n=Count("pk"), excluded=Count("pk", filter=verdicts),
        unscreened=Count("pk", filter=Q(verdict="")),
    )  # fmt: skip
    return (
        f"Nothing was changed. Screening excluded {found['excluded']} of {found['n']} sessions; "
        f"{found['unscreened']} were not screened. Excluded sessions stay in the tables, marked in "
        "the column screening."
    )


def _files(members: Sequence[Member]) -> str:
    """Single files by name; folders of pictures by their count."""
    many = (".png", ".npy")
    single = [member for member in members if not member.name.endswith(many)]
    folders: dict[str, list[Member]] = {}
    for member in members:
        if member.name.endswith(many):
            folders.setdefault(member.name.rpartition("/")[0], []).append(member)
    rows = [(m.name, 1, m.n_bytes, m.sha256) for m in single]
    rows += [
        (f"{name}/", len(found), sum(m.n_bytes for m in found), "not listed")
        for name, found in folders.items()
    ]
    return table(["file", "files", "bytes", "SHA-256"], rows)
