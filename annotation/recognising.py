"""Which annotator a browser is: by account, or by a signed cookie that lasts."""

from collections.abc import Iterable
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare, salted_hmac

from annotation.models import Annotator, Session

COOKIE = "annotator"
YEAR_S = 60 * 60 * 24 * 365
# A browser that was several (a crowd id here, a cookie there) stays all of them.
MOST_KNOWN = 8


def annotator_of(request: HttpRequest) -> Annotator | None:
    """Whom this browser speaks for first: its account, else the newest of its cookie."""
    return next(iter(annotators_of(request)), None)


def annotators_of(request: HttpRequest) -> list[Annotator]:
    """All that this browser may speak for; an account's answers are its account's alone."""
    user_id = request.user.pk
    return [row for row in known_annotators(request) if row.user_id in (None, user_id)]


def known_annotators(request: HttpRequest) -> list[Annotator]:
    """All that this browser has been, account first: one person, as far as can be told.

    Somebody else's account in the cookie is somebody else.
    """
    ids = _ids_in_cookie(request)
    who = Q(pk__in=ids)
    if request.user.is_authenticated:
        who = Q(user=request.user) | (Q(pk__in=ids) & Q(user=None))
    elif not ids:
        return []
    rows = Annotator.objects.filter(who, is_simulated=False)
    place = {pk: index for index, pk in enumerate(ids)}
    return sorted(rows, key=lambda row: (row.user_id is None, place.get(row.pk, 0)))


def _ids_in_cookie(request: HttpRequest) -> list[UUID]:
    text = request.get_signed_cookie(COOKIE, default="") or ""
    try:
        return [UUID(word) for word in text.split(".") if word]
    except ValueError:
        return []


def account_annotator(request: HttpRequest) -> Annotator:
    """The annotator of who is logged in; the browser's own becomes it, where there is none yet."""
    assert request.user.is_authenticated
    known = annotators_of(request)
    mine = next((row for row in known if row.user_id == request.user.pk), None)
    if mine:
        return mine
    # A crowd id is its provider's person: it is counted beside the account, never renamed to it.
    own = next((row for row in known if not row.outside_id), None)
    try:
        with transaction.atomic():
            if own and Annotator.objects.filter(pk=own.pk, user=None).update(user=request.user.pk):
                own.refresh_from_db()
                return own
    except IntegrityError:
        pass  # Another request linked or made one a moment ago.
    return Annotator.objects.get_or_create(user_id=request.user.pk)[0]


def remember(
    response: HttpResponse,
    annotator: Annotator,
    *,
    is_secure: bool,
    known: Iterable[Annotator] = (),
) -> None:
    """Keep who this browser is, beside the others that it has been (`known`)."""
    ids = dict.fromkeys([annotator.pk, *(row.pk for row in known)])
    response.set_signed_cookie(
        COOKIE, ".".join(str(pk) for pk in list(ids)[:MOST_KNOWN]), max_age=YEAR_S, httponly=True,
        samesite="Lax", secure=is_secure,
    )  # fmt: skip


def key_of(session: Session) -> str:
    """Whoever has it may bring answers to the session, and nothing else.

    The browser keeps it beside its answers: when they arrive at last, its cookie may be gone (a
    browser that crashed forgets the newest ones) and its login over.
    """
    return salted_hmac("annotation.answers", str(session.pk), algorithm="sha256").hexdigest()


def may_bring(session: Session, key: object) -> bool:
    return isinstance(key, str) and constant_time_compare(key, key_of(session))


def owns(request: HttpRequest, session: Session) -> bool:
    """Whether the session's annotator is among `annotators_of`, told without asking for them."""
    annotator = session.annotator
    if annotator.is_simulated:
        return False
    if annotator.user_id is not None:
        return annotator.user_id == request.user.pk
    return annotator.pk in _ids_in_cookie(request)


def session_of(request: HttpRequest, study_id: int, *states: str) -> Session | None:
    """This browser's newest session in a study, in one of the states (default: any)."""
    found = Session.objects.select_related("study", "annotator").filter(
        study_id=study_id, annotator__in=annotators_of(request)
    )
    return (found.filter(state__in=states) if states else found).first()
