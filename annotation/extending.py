"""More judgments of the same triplets than were first asked for."""

from django.db import transaction

from annotation import auditing
from annotation.models import Study

MOST_JUDGMENTS = 10_000


def extend(study: Study, judgments_per_triplet: int, user: auditing.Actor = None) -> None:
    """Raise how often each triplet is judged; the question stays, so it may after the opening.

    Serving hands out what is wanted from then on. Raises ValueError for a draft, whose design is
    still open, and where nothing would be raised.
    """
    with transaction.atomic():
        held = Study.objects.select_for_update().get(pk=study.pk)
        _check(held, judgments_per_triplet)
        names = ["judgments_per_triplet"]
        before = auditing.standing(held, names)
        held.judgments_per_triplet = judgments_per_triplet
        held.save(update_fields=names)
        auditing.record(held, user, "Extended", before, auditing.standing(held, names))
    study.refresh_from_db(fields=["judgments_per_triplet"])


def _check(study: Study, n: int) -> None:
    if study.state == Study.State.DRAFT:
        raise ValueError(f"Study {study.slug} is a draft; change its design instead.")
    if not study.judgments_per_triplet < n <= MOST_JUDGMENTS:
        raise ValueError(
            f"Found {n} judgments a triplet; expected more than the "
            f"{study.judgments_per_triplet} wanted now, and at most {MOST_JUDGMENTS}."
        )
