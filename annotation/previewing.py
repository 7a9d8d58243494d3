"""A study as its annotators will meet it, for its makers: the real pages, and nothing counts."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from annotation import copying
from annotation.models import Study, StudyQuerySet
from annotation.wiping import delete_study


def open_preview(study: Study, user: User) -> Study:
    """A fresh preview of a study for one of its makers; the one they had before is deleted.

    It has the study's own triplets and words and is asked only of those who may see the study's
    desk. Raises ValueError where there is nothing to show.
    """
    if study.purpose != Study.Purpose.REAL:
        raise ValueError(f"Study {study.slug} is {study.get_purpose_display()}; open its original.")
    if study.is_simulated:
        raise ValueError(f"Study {study.slug} is answered by simulated observers; nobody sees it.")
    if not study.triplets.exists():
        raise ValueError(f"Study {study.slug} has no triplets yet; plan them first.")
    if study.triplets.filter(source__path="").exists():
        raise ValueError(f"Study {study.slug} was imported without its images; nothing to show.")
    with transaction.atomic():
        for before in previews_of(study).filter(created_by=user):
            delete_study(before)
        made = copying.copy(
            study,
            slug=copying.free_slug(f"preview-{study.slug[:40]}-{user.pk}"),
            purpose=Study.Purpose.PREVIEW,
            state=Study.State.OPEN,
            opened_at=timezone.now(),
            created_by=user,
            recruiting=Study.Recruiting.ACCOUNTS,
            sessions_per_person=0,
            completion_codes={},
            stop_half_width=None,
        )
        copying.copy_members(study, made)
    return made


def previews_of(study: Study) -> StudyQuerySet:
    return Study.objects.filter(copied_from=study, purpose=Study.Purpose.PREVIEW)
