"""A study that was asked elsewhere, from the rows of its CSV: closed, and without pixels."""

import hashlib
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Count, F, Max, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.text import slugify

from annotation import auditing, team
from annotation.asked_elsewhere import PROVIDER
from annotation.imported_answers import AnswerWriter, Ids, keep_times
from annotation.imported_triplets import NOT_TOLD, Compared
from annotation.judgment_rows import POLARITIES, JudgmentFile, JudgmentRow
from annotation.models import (
    QUESTION,
    RESERVED_SLUGS,
    Annotator,
    Judgment,
    Session,
    Study,
    Trial,
    Triplet,
)


@dataclass(frozen=True)
class ImportedStudy:
    """The new study, and every row that could not go in with its line and reason."""

    study: Study
    accepted: int
    refused: list[tuple[int, str]]
    ignored_columns: list[str]
    notes: list[str]


@dataclass
class _Read:
    """What the first reading of the file found."""

    compared: Compared = field(default_factory=Compared)
    sessions: dict[str, JudgmentRow] = field(default_factory=dict)
    trials: set[str] = field(default_factory=set)
    judgments: set[str] = field(default_factory=set)
    refused: dict[int, str] = field(default_factory=dict)
    n_simulated: int = 0
    n_not_sure: int = 0
    n_sides_untold: int = 0
    n_rows: int = 0

    def add(self, row: JudgmentRow) -> None:
        self.compared.add(row)
        self.sessions.setdefault(row.session, row)
        self.trials.add(row.trial)
        self.judgments.add(row.judgment)
        self.n_simulated += row.is_simulated
        self.n_not_sure += row.choice == "not_sure"
        self.n_sides_untold += row.first_on_left is None
        self.n_rows += 1


def import_study(
    path: Path,
    *,
    file_format: str = "csv",
    name: str = "",
    study: str = "",
    called: str = "",
    user: User | None = None,
) -> ImportedStudy:
    """Store a file of judgments, or the one in a folder, as a new closed study of the user's.

    name: short name or title of the new study; default: the file's own, else `called`, else what
    the file is called. study: which one, where the file holds several. Raises ValueError where the
    name is taken, the file cannot be read, or no row is good; then nothing is stored.
    """
    file = JudgmentFile(file_of(path, file_format), file_format)
    told, cells = _chosen(file, study)
    slug = _free_slug(name or told or called or path.stem)
    read = _read(file, told)
    if not read.n_rows:
        line, reason = next(iter(read.refused.items()), (1, "no rows"))
        raise ValueError(f"No row of {path.name} could be imported; line {line}: {reason}.")
    if read.n_simulated not in (0, read.n_rows):
        raise ValueError(
            f"Found answers of people and of simulated observers in one study ({read.n_simulated} "
            f"of {read.n_rows} rows are simulated); expected one kind."
        )
    with transaction.atomic():
        made = _study(slug, name or told or called, cells, read, user)
        team.name_owner(made, user)
        refused = _store(file, told, made, read)
        stored = {"title": made.title, "file": path.name, "rows": read.n_rows - len(refused)}
        auditing.record(made, user, "Imported", {}, stored)
        _tell_the_planner()
    return ImportedStudy(
        study=made,
        accepted=read.n_rows - len(refused),
        refused=sorted({**read.refused, **refused}.items()),
        ignored_columns=list(file.ignored),
        notes=file.notes + _notes(read),
    )


def file_of(path: Path, file_format: str) -> Path:
    if path.is_file():
        return path
    if not path.is_dir():
        raise ValueError(f"{path} is neither a file nor a folder.")
    ending = "csv" if file_format == "aic3" else file_format
    files = sorted(path.glob(f"*.{ending}"))
    # An export has lookups and triplets beside its judgments.
    named = [file for file in files if file.stem in ("judgments", "responses")]
    found = named if len(named) == 1 else files
    if len(found) != 1:
        names = ", ".join(file.name for file in found[:5]) or "none"
        raise ValueError(
            f"Found {len(found)} {ending.upper()} files in {path} ({names}); expected one."
        )
    return found[0]


def _chosen(file: JudgmentFile, study: str) -> tuple[str, dict[str, str]]:
    """The name of the study in the file, and the cells of its first row."""
    found = file.studies()
    if not found:
        raise ValueError("Found no rows below the header.")
    if study:
        if study not in found:
            raise ValueError(
                f"Found no study {study!r}; the file holds {', '.join(sorted(found))}."
            )
        return study, found[study]
    if len(found) > 1:
        raise ValueError(
            f"Found {len(found)} studies in the file ({', '.join(sorted(found))}); "
            "say which one with --study."
        )
    return next(iter(found.items()))


def _free_slug(name: str) -> str:
    slug = slugify(name)[:60]
    if not slug:
        raise ValueError(f"Found name {name!r}; expected letters or digits.")
    if slug in RESERVED_SLUGS:
        raise ValueError(f"{slug!r} is a page of its own; give --name another name.")
    if Study.objects.filter(slug=slug).exists():
        raise ValueError(f"A study called {slug!r} exists here; give --name another one.")
    return slug


def _read(file: JudgmentFile, told: str) -> _Read:
    read = _Read()
    for row in file.rows(told):
        if not isinstance(row, JudgmentRow):
            read.refused[row[0]] = row[1]
            continue
        try:
            read.add(row)
        except ValueError as error:
            read.refused[row.line] = str(error)
    return read


def _study(slug: str, title: str, cells: dict[str, str], read: _Read, user: User | None) -> Study:
    polarity = cells.get("polarity", "").strip() or Study.Polarity.CLOSER
    if polarity not in POLARITIES:
        raise ValueError(f"Found polarity {polarity!r}; expected one of {', '.join(POLARITIES)}.")
    mode = cells.get("mode", "").strip()
    version = cells.get("study_version", "").strip()
    items = list(read.compared.items())
    tolerance = _tolerance(cells.get("rate_tolerance", "").strip())
    return Study.objects.create(
        title=(title or slug)[:120],
        slug=slug,
        version=int(version) if version.isdigit() and len(version) < 9 else 1,
        state=Study.State.CLOSED,
        opened_at=timezone.now(),
        is_simulated=read.n_simulated > 0,
        question=cells.get("question", "").strip()[:200] or QUESTION,
        polarity=polarity,
        mode=mode if mode in Study.Mode.values else Study.Mode.SIDE_BY_SIDE,
        preset=cells.get("preset", "").strip()[:20],
        collection=slugify(cells.get("collection", ""))[:80] or slug,
        codecs=sorted({item.codec or NOT_TOLD for item in items}),
        rates_bpp=sorted({item.target_bpp for item in items}),
        rate_tolerance=tolerance,
        allow_not_sure=read.n_not_sure > 0,
        created_by=user,
    )


def _tolerance(told: str) -> float:
    """The model's own default where the file tells none."""
    if not told:
        return float(Study._meta.get_field("rate_tolerance").get_default())
    try:
        tolerance = float(told)
    except ValueError:
        tolerance = math.nan
    if not 0 <= tolerance < 1:
        raise ValueError(f"Found rate_tolerance {told[:40]!r}; expected 0 to below 1.")
    return tolerance


def _store(file: JudgmentFile, told: str, study: Study, read: _Read) -> dict[int, str]:
    """The second reading: every good row as a judgment; which were refused on the way."""
    triplets = read.compared.store(study)
    sessions = _sessions(study, read)
    writer = AnswerWriter(
        sessions,
        triplets,
        Ids(study, Trial, read.trials),
        Ids(study, Judgment, read.judgments),
    )
    refused: dict[int, str] = {}
    for row in file.rows(told):
        if isinstance(row, JudgmentRow) and row.line not in read.refused:
            try:
                writer.add(row)
            except ValueError as error:
                refused[row.line] = str(error)
    writer.flush()
    if not writer.n_judgments:
        line, reason = next(iter(refused.items()))
        raise ValueError(f"No row could be imported; line {line}: {reason}.")
    _keep_counts(study)
    return refused


def _sessions(study: Study, read: _Read) -> dict[str, Session]:
    people = {
        name: Annotator(
            provider=_provider(study),
            outside_id=name,
            is_simulated=study.is_simulated,
        )
        for name in dict.fromkeys(_person(row) for row in read.sessions.values())
    }
    ids = Ids(study, Annotator, people)
    for name, person in people.items():
        person.pk = ids.of(name)
    Annotator.objects.bulk_create(people.values(), batch_size=1000)
    ids = Ids(study, Session, read.sessions)
    active: set[str] = set()
    rows = {}
    for name, row in read.sessions.items():
        is_second = row.state == Session.State.ACTIVE and _person(row) in active
        active |= {_person(row)} if row.state == Session.State.ACTIVE else set()
        rows[name] = Session(
            id=ids.of(name),
            study=study,
            annotator=people[_person(row)],
            outside_id=name,
            seed=0,
            state=Session.State.FINISHED if is_second else row.state,
            # Without a screening of its own: the first one made here replaces it.
            verdict="" if row.screening == "not screened" else row.screening,
            language=row.language or "en",
            texts=_texts(study, row),
        )
    Session.objects.bulk_create(rows.values(), batch_size=1000)
    starts = [(row.started, rows[name].pk) for name, row in read.sessions.items() if row.started]
    keep_times(Session, "started_at", starts)
    return rows


def _provider(study: Study) -> str:
    """A short name, or its beginning and a hash: two long ones stay two."""
    name = f"{PROVIDER}{study.slug}"
    if len(name) <= 40:
        return name
    return f"{name[:31]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _person(row: JudgmentRow) -> str:
    return row.annotator or f"session {row.session}"[:120]


def _texts(study: Study, row: JudgmentRow) -> dict[str, Any]:
    is_own = row.question and row.question != study.question
    return {"question": row.question} if is_own else {}


def _keep_counts(study: Study) -> None:
    """What a row counts of other rows: trials of a triplet, practice of a session."""
    counted = Trial.objects.filter(triplet=OuterRef("pk"), is_repeat=False, is_warm_up=False)
    n = Coalesce(_counted(counted, "triplet"), 0)
    study.triplets.update(n_assigned=n, n_judged=n)
    study.sessions.filter(trials=None).delete()
    trials = Trial.objects.filter(session=OuterRef("pk"))
    practice = trials.filter(triplet__kind=Triplet.Kind.PRACTICE)
    study.sessions.update(n_practice=Coalesce(_counted(practice, "session"), 0))
    lengths = study.sessions.annotate(n=Count("trials")).aggregate(
        most=Max(F("n") - F("n_practice"))
    )
    study.session_length = max(1, lengths["most"])
    study.judgments_per_triplet = max(1, study.triplets.aggregate(n=Max("n_judged"))["n"])
    study.save(update_fields=["session_length", "judgments_per_triplet"])


def _counted(trials: QuerySet[Trial], by: str) -> Subquery:
    return Subquery(trials.order_by().values(by).annotate(n=Count("pk")).values("n"))


def _tell_the_planner() -> None:
    """PostgreSQL plans by what it knew of the tables before: after many rows at once, joins of
    all answers would be nested loops until it next looks by itself."""
    if connection.vendor == "postgresql":
        tables = (Session, Triplet, Trial, Judgment)
        quoted = ", ".join(connection.ops.quote_name(table._meta.db_table) for table in tables)
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {quoted}")


def _notes(read: _Read) -> list[str]:
    notes = []
    n_screened = sum(row.screening != "not screened" for row in read.sessions.values())
    if n_screened:
        notes.append(
            f"{n_screened} sessions keep the verdict of the file; screen the study to judge them "
            "by what is here"
        )
    if read.n_sides_untold:
        notes.append(
            f"{read.n_sides_untold} rows do not tell which side the first stood on; a coin did, "
            "so that sides tell nothing of them"
        )
    return notes
