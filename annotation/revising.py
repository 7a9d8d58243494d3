"""A design after its first draft: changed, planned anew, thrown away, a new version, a clone."""

import re
from dataclasses import dataclass
from typing import Any

from django.core.validators import slug_re
from django.db import IntegrityError, transaction
from django.db.models import Field

from annotation import auditing, copying, team, triplets
from annotation.auditing import Actor
from annotation.designing import SETTINGS, TEXTS, Design, check_collection
from annotation.models import RESERVED_SLUGS, Study
from annotation.wiping import delete_study
from codecs_eval.models import Run
from codecs_eval.run_kinds import OF_STUDY

# What two versions are compared by, and what the trail of a change holds.
COMPARED = ("title", "collection", "codecs", "rates_bpp", *TEXTS, *SETTINGS, "texts", "preset")

# The same ones in another order are no change.
_UNORDERED = ("codecs", "rates_bpp")


def revise(
    study: Study, design: Design, *, user: Actor = None, may_take_long: bool = True
) -> triplets.Planned | None:
    """Change a draft to another design; its triplets are planned anew where they follow from it.

    None where they stand as they are. Raises ValueError saying what to do, and changes nothing.
    """
    check_collection(design.collection)
    with transaction.atomic():
        held = _draft(study)
        _refuse_new_name(held, design.slug)
        before = auditing.standing(held, ("slug", *COMPARED))
        for name, value in design.columns.items():
            if name in _UNORDERED and sorted(value) == sorted(getattr(held, name)):
                continue
            setattr(held, name, value)
        try:
            with transaction.atomic():
                held.save()
        except IntegrityError:
            raise ValueError(
                f"A study called {design.slug!r} exists; choose another name."
            ) from None
        auditing.record(
            held, user, "Changed the design", before, auditing.standing(held, ("slug", *COMPARED))
        )
        is_same = all(getattr(study, name) == getattr(held, name) for name in triplets.PLANNED_BY)
        if is_same and held.triplets.exists():
            return None
        return triplets.plan(held, may_take_long=may_take_long)


def _refuse_new_name(study: Study, slug: str) -> None:
    """A run knows its study by its short name: under another one it would be another study's."""
    if slug != study.slug and Run.objects.filter(kind__in=OF_STUDY, config__study=study.slug):
        raise ValueError(
            f"Runs know this study as {study.slug!r} (dry runs, exports, plans); its short name "
            "stays. Clone it for another one."
        )


def plan_anew(study: Study, *, user: Actor = None, may_take_long: bool = True) -> triplets.Planned:
    """A draft's triplets from the ladder as it is now. Raises ValueError saying what to do."""
    with transaction.atomic():
        held = _draft(study)
        before = {"triplets": held.triplets.count()}
        planned = triplets.plan(held, may_take_long=may_take_long)
        after = {"triplets": held.triplets.count(), "later": planned.is_later}
        auditing.record(held, user, "Planned the triplets anew", before, after)
    return planned


def discard(study: Study) -> None:
    """Delete a draft with its triplets, previews and dry runs; an opened study stays for ever."""
    with transaction.atomic():
        held = _draft(study)
        for tried in held.copies.exclude(purpose=Study.Purpose.REAL):
            delete_study(tried)
        delete_study(held)


def _draft(study: Study) -> Study:
    """The draft as it stands now, held until the transaction ends."""
    held = Study.objects.select_for_update().get(pk=study.pk)
    if held.is_frozen:
        raise ValueError(
            f"Study {held.slug} was opened; its design no longer changes. Make a new version."
        )
    if held.purpose != Study.Purpose.REAL:
        raise ValueError(f"Study {held.slug} is {held.get_purpose_display()}; change its original.")
    return held


def new_version(study: Study, *, user: Actor = None) -> Study:
    """A draft that follows an opened study: the same settings and triplets, version + 1.

    Raises ValueError for a draft, which can be changed itself, or a copy that tries one out.
    """
    _refuse_tried(study)
    if not study.is_frozen:
        raise ValueError(f"Study {study.slug} is a draft; change it instead.")
    version = max(found.version for found in versions_of(study)) + 1
    stem = re.sub(r"-v\d+$", "", study.slug)[:50]
    with transaction.atomic():
        made = copying.copy(
            study,
            slug=copying.free_slug(f"{stem}-v{version}"),
            version=version,
            created_by=_account(user),
        )
        copying.copy_members(study, made)
        auditing.record(
            made, user, f"Made as version {version} of {study.slug}", None, {"from": study.slug}
        )
    return made


def clone(study: Study, slug: str, *, title: str = "", user: Actor = None) -> Study:
    """An independent draft with the settings and triplets of another study; version 1.

    Raises ValueError for a short name that is taken or cannot be one, or for a copy.
    """
    _refuse_tried(study)
    if not slug_re.fullmatch(slug) or len(slug) > 60:
        raise ValueError(f"Found short name {slug!r}; expected 1 to 60 letters, digits, - and _.")
    if slug in RESERVED_SLUGS:
        raise ValueError(f"{slug!r} is a page of its own; choose another short name.")
    account = _account(user)
    try:
        with transaction.atomic():
            made = copying.copy(
                study,
                slug=slug,
                title=(title or f"{study.title} (clone)")[:120],
                version=1,
                created_by=account,
            )
            team.name_owner(made, account)
            auditing.record(made, user, f"Cloned from {study.slug}", None, {"from": study.slug})
    except IntegrityError:
        raise ValueError(f"A study called {slug!r} exists; choose another name.") from None
    return made


def _refuse_tried(study: Study) -> None:
    if study.purpose != Study.Purpose.REAL:
        raise ValueError(f"Study {study.slug} is {study.get_purpose_display()}; copy its original.")


def _account(user: Actor) -> Any:
    return None if isinstance(user, str) else user


@dataclass(frozen=True)
class Difference:
    """One setting that a version changed."""

    label: str
    before: Any
    after: Any


def versions_of(study: Study) -> list[Study]:
    """All versions of a study, oldest first; a clone begins a row of its own."""
    first = study
    while first.version > 1 and first.copied_from is not None:
        first = first.copied_from
    found, last = [first], [first]
    while last:
        last = list(
            Study.objects.real().filter(copied_from__in=last, version__gt=1).order_by("version")
        )
        found += last
    return sorted(found, key=lambda row: (row.version, row.created_at))


def differences(before: Study, after: Study) -> list[Difference]:
    """What a version changed, setting by setting, and how many triplets it asks about."""
    rows = [
        Difference(_label(name), getattr(before, name), getattr(after, name))
        for name in COMPARED
        if getattr(before, name) != getattr(after, name)
    ]
    counts = [found.triplets.filter(kind="main").count() for found in (before, after)]
    if counts[0] != counts[1]:
        rows.append(Difference("Triplets", *counts))
    return rows


def _label(name: str) -> str:
    field = Study._meta.get_field(name)
    assert isinstance(field, Field)
    return str(field.verbose_name).capitalize()
