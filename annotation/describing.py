"""What an export says of itself: the datasheet and the Croissant file, filled from the rows."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from django.db.models import Count, Max, Min, Q

from annotation import designing
from annotation.formats.bundle import Bundle, Member
from annotation.formats.columns import Column
from annotation.models import Judgment, Session, Study
from codecs_eval.agreement.croissant import (
    Described,
    FileFact,
    Table,
    TableField,
    croissant,
)
from codecs_eval.agreement.datasheet import datasheet, one_line, table

DATASHEET, CROISSANT, DICTIONARY = "datasheet.md", "croissant.json", "columns.csv"
# File -> its columns: what the data dictionary and Croissant tell of.
Tables = dict[str, Sequence[Column]]


def warning_of(study: Study) -> str:
    """What has to stand above everything that a study exports; "" for people's answers."""
    if study.purpose == Study.Purpose.DRY_RUN:
        return (
            "SIMULATED, A DRY RUN: simulated observers tried out the design. Nothing in here is a "
            "finding about people."
        )
    if study.is_simulated:
        return (
            "SIMULATED: answered by simulated observers. Nothing in here is a finding about people."
        )
    return ""


def label_of(study: Study) -> str:
    """What every file name of an export carries."""
    is_dry_run = study.purpose == Study.Purpose.DRY_RUN
    return ("-SIMULATED" if study.is_simulated else "") + ("-dry-run" if is_dry_run else "")


def write_papers(study: Study, bundle: Bundle, tables: Tables, notes: Sequence[str]) -> None:
    """columns.csv, datasheet.md and croissant.json, about the files that are there already."""
    bundle.add(DICTIONARY, dictionary_csv(tables).encode())
    answers = _answers(study, bundle.members, notes)
    bundle.add(DATASHEET, datasheet(study.title, warning_of(study), answers).encode())
    told = croissant(_described(study), _facts(bundle.members), _tables(bundle.members, tables))
    bundle.add(CROISSANT, (json.dumps(told, indent=2, ensure_ascii=False) + "\n").encode())


def dictionary_csv(tables: Tables) -> str:
    """The data dictionary: every column of every table with its type, unit and meaning."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(["file", "column", "type", "unit", "meaning"])
    for name, columns in tables.items():
        for column in columns:
            writer.writerow([name, column.name, column.kind, column.unit, column.meaning])
    return buffer.getvalue()


def _facts(members: Sequence[Member]) -> list[FileFact]:
    return [FileFact(member.name, member.n_bytes, member.sha256) for member in members]


def _tables(members: Sequence[Member], tables: Tables) -> list[Table]:
    there = {member.name for member in members}
    # mlcroissant reads these; JSON lines have no columns in Croissant 1.0.
    return [
        Table(
            name=name.partition(".")[0],
            file=name,
            meaning=f"The rows of {name}.",
            fields=tuple(TableField(c.name, c.kind, c.meaning) for c in columns),
        )
        for name, columns in tables.items()
        if name in there and name.endswith((".csv", ".parquet"))
    ]


def _described(study: Study) -> Described:
    warning = warning_of(study)
    licences, _ = terms_of(study)
    question = f"People were asked: {study.question} (polarity: {study.polarity})."
    newest = Judgment.objects.of_study(study).aggregate(at=Max("server_time"))["at"]
    return Described(
        name=f"{study.slug}{label_of(study)}",
        description=f"{warning} {study.title}: choices between two reconstructions of a photo, "
        f"collected with Triad. {question}".strip(),
        licence="; ".join(licences) or "not stated",
        published=(newest or study.created_at).isoformat(),
        version=f"{study.version}.0.0",
        keywords=("image quality", "forced choice", "image compression")
        + (("SIMULATED",) if study.is_simulated else ()),
    )


def terms_of(study: Study) -> tuple[list[str], list[str]]:
    """The licences and attributions of the study's photos."""
    sources = study.triplets.order_by().values_list("source__licence", "source__attribution")
    found = set(sources.distinct())
    return sorted({one for one, _ in found}), sorted({one for _, one in found if one})


def _answers(study: Study, members: Sequence[Member], notes: Sequence[str]) -> dict[str, str]:
    return {
        **_composition(study, members),
        **_collection(study),
        "cleaning": _screening(study),
        "rawkept": "Yes, in the Triad installation: judgments are never overwritten.",
        "used": "Comparing codecs at equal rates; training and judging image quality metrics.",
        "unfit": warning_of(study)
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
        "raw": f"See {DICTIONARY} for every column with its unit and meaning.",
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
    if study.sessions.filter(annotator__provider__startswith="import:").exists():
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
