"""A link to one triplet for somebody without an account: signed, dated, and never while people
are asked about the same photos, who must not learn of codecs."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.core import signing
from django.utils import timezone

from annotation.models import Study, StudyChange, Triplet

DAYS = 30
# How both stand in a study's history.
REVOKED = "Shared links revoked"
SHARED = "Shared by link: "
_SALT = "annotation.sharing.triplet"


class NotShared(Exception):
    """Why a link opens nothing, in words for who holds it."""


@dataclass(frozen=True)
class Shared:
    """What a link opens, and until when."""

    triplet: Triplet
    until: datetime


def obstacle(study: Study) -> str:
    """Why nothing of a study can be shared now; "" where it can."""
    if study.state != Study.State.CLOSED:
        return f"The study is {study.state}; its triplets can be shared once it is closed."
    asking = (
        Study.objects.real()
        .exclude(pk=study.pk)
        .filter(
            collection=study.collection,
            state__in=[Study.State.OPEN, Study.State.PAUSED],
            is_simulated=False,
        )
    )
    found = asking.first()
    if found is not None:
        return f"Study {found.slug} asks people about the same photos; close it first."
    return ""


def share(triplet: Triplet, user: User) -> str:
    """The token of a new link; the study's history says who made it. Raises ValueError."""
    reason = obstacle(triplet.study)
    if reason:
        raise ValueError(reason)
    # In microseconds: a link that is made right after a revocation stands.
    at = timezone.now().timestamp()
    _note(triplet.study, user, f"{SHARED}triplet {triplet.pk} for {DAYS} days")
    return signing.dumps({"triplet": triplet.pk, "at": at}, salt=_SALT, compress=True)


def revoke(study: Study, user: User) -> None:
    """No link that was made until now opens anything any more."""
    _note(study, user, REVOKED)


def shared(token: str) -> Shared:
    """Raises NotShared for a link that was changed, is too old, was revoked, or must not open."""
    try:
        told = signing.loads(token, salt=_SALT, max_age=timedelta(days=DAYS))
    except signing.SignatureExpired:
        raise NotShared(f"This link is older than {DAYS} days.") from None
    except signing.BadSignature:
        raise NotShared("This is not a whole link; some of it was lost or changed.") from None
    triplet = (
        Triplet.objects.select_related("study", "source", "first__checkpoint", "second__checkpoint")
        .filter(pk=told["triplet"])
        .first()
    )
    at = datetime.fromtimestamp(told["at"], tz=timezone.get_current_timezone())
    if triplet is None or _is_revoked(triplet.study, at):
        raise NotShared("This link was revoked.")
    if obstacle(triplet.study):
        raise NotShared("People are being asked about these photos again; nothing is shown now.")
    return Shared(triplet, at + timedelta(days=DAYS))


def _is_revoked(study: Study, at: datetime) -> bool:
    return study.changes.filter(what=REVOKED, at__gte=at).exists()


def _note(study: Study, user: User, what: str) -> None:
    StudyChange.objects.create(study=study, user=user, by=user.get_username(), what=what)
