"""What an export says of itself: the datasheet and the Croissant file, filled from the rows."""

import csv
import io
import json
from collections.abc import Sequence

from django.db.models import Max

from annotation.datasheet_answers import answers_of, terms_of
from annotation.formats.bundle import Bundle, Member
from annotation.formats.columns import Column
from annotation.models import Judgment, Study
from codecs_eval.agreement.croissant import (
    Described,
    FileFact,
    Table,
    TableField,
    croissant,
)
from codecs_eval.agreement.datasheet import datasheet

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
    answers = answers_of(study, bundle.members, notes, warning_of(study))
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
