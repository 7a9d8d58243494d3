"""A study copied with its triplets: as its next version, a clone, a dry run or a preview."""

from typing import Any

from django.db import transaction

from annotation.models import RESERVED_SLUGS, Study, StudyMember, Triplet

# A copy's own: who it is, where it came from, and what happened to it.
_OWN = {"id", "slug", "title", "state", "opened_at", "created_at", "created_by", "copied_from"}
_COUNTS = {"n_assigned": 0, "n_judged": 0, "priority": 0}
TRIPLETS_AT_ONCE = 2000


def copy(study: Study, **values: Any) -> Study:
    """A new study with all settings of another and the same triplets, asked nobody yet.

    `values` are columns that differ; a slug among them. Who is named on the study is not copied.
    """
    settings = {
        field.name: getattr(study, field.name)
        for field in Study._meta.concrete_fields
        if field.name not in _OWN
    }
    with transaction.atomic():
        made = Study.objects.create(
            **{**settings, "title": study.title, "copied_from": study, **values}
        )
        _copy_triplets(study, made)
    return made


def _copy_triplets(study: Study, made: Study) -> None:
    names = [
        field.attname
        for field in Triplet._meta.concrete_fields
        if field.name not in {"id", "study", *_COUNTS}
    ]
    batch: list[Triplet] = []
    for values in study.triplets.order_by("pk").values(*names).iterator(TRIPLETS_AT_ONCE):
        batch.append(Triplet(study=made, **values, **_COUNTS))
        if len(batch) == TRIPLETS_AT_ONCE:
            Triplet.objects.bulk_create(batch)
            batch = []
    Triplet.objects.bulk_create(batch)


def copy_members(study: Study, made: Study) -> None:
    """Who may do what in a study may do it in its copy; nobody is named to answer a trial of it."""
    members = study.members.all()
    if made.purpose != Study.Purpose.REAL:
        members = members.exclude(role=StudyMember.Role.ANNOTATOR)
    StudyMember.objects.bulk_create(
        StudyMember(study=made, user_id=user, role=role)
        for user, role in members.values_list("user", "role")
    )


def free_slug(wanted: str) -> str:
    """The wanted short name, or the next one that no study has: NAME, NAME-2, NAME-3."""
    taken = set(Study.objects.filter(slug__startswith=wanted[:50]).values_list("slug", flat=True))
    taken |= RESERVED_SLUGS
    found, number = wanted[:60], 1
    while found in taken:
        number += 1
        found = f"{wanted[: 59 - len(str(number))]}-{number}"
    return found
