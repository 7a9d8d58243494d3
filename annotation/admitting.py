"""Who may begin a session: the study's way of recruiting, and once a person."""

import uuid
from dataclasses import dataclass, field, replace

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from annotation import crowd, inviting, limiting, serving, team
from annotation.models import Annotator, Invitation, Session, Study
from annotation.recognising import account_annotator, annotators_of, known_annotators

# A field of the welcome form that no person sees; whoever fills it in is a program.
HONEYPOT = "subject"
TICKET = "ticket"
TICKET_AGE_S = 60 * 60 * 24
_SALT = "annotation.admitting"
# Where a person comes with nothing but an address, the address is what can be limited.
_LIMITED = (Study.Recruiting.OPEN_LINK, Study.Recruiting.CROWD)


class NotAdmitted(Exception):
    """Why somebody may not begin: one of the codes, and their own session where there is one.

    account_needed, not_named, invitation_needed, invitation_used, crowd_needed, already_done,
    too_many, robot, preview.
    """

    def __init__(self, code: str, session: Session | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.session = session


@dataclass(frozen=True)
class Admission:
    """Who begins, as what; `known` is all that the browser has been (for `remember`)."""

    annotator: Annotator
    crowd: dict[str, str] = field(default_factory=dict)
    invitation: Invitation | None = None
    known: tuple[Annotator, ...] = ()


@dataclass(frozen=True)
class _Visit:
    """What a request brings: whom its browser may speak for, whom it has been, who sent it."""

    own: list[Annotator]
    known: list[Annotator]
    arrival: crowd.Arrival | None
    new_id: uuid.UUID


def ticket(request: HttpRequest) -> str:
    """For the welcome form's hidden field TICKET: who a new person will be, and who sent them.

    A form sent twice at once is so one person, although no cookie was set before the consent.
    """
    found = crowd.arrival(request.GET)
    ids = found.ids if found and not found.is_preview else {}
    return signing.dumps({"annotator": str(uuid.uuid4()), "crowd": ids}, salt=_SALT)


def obstacle(request: HttpRequest, study: Study) -> NotAdmitted | None:
    """Why this browser could not begin now, for the welcome page; counts and stores nothing."""
    visit = _visit(request, study)
    try:
        if _to_continue(study, visit) is None:
            _entry(request, study, visit)
    except NotAdmitted as refused:
        return refused
    return None


def enter(
    request: HttpRequest, study: Study, *, language: str, texts: dict[str, str]
) -> tuple[Admission, Session]:
    """Admit and begin in one transaction: two requests of one person make one session.

    Raises NotAdmitted; ValueError where the study is not open.
    """
    with transaction.atomic():
        admission = admit(request, study)
        session = serving.begin(
            study,
            admission.annotator,
            language=language,
            texts=texts,
            crowd_ids=admission.crowd,
            invitation=admission.invitation,
        )
    return admission, session


def admit(request: HttpRequest, study: Study) -> Admission:
    """Who may begin, or go on with, a session here; raises NotAdmitted.

    Holds the person's rows until the transaction ends, so that the session belongs in it too.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("admit() runs in the transaction that begins the session (enter()).")
    if request.POST.get(HONEYPOT):
        raise NotAdmitted("robot")
    with transaction.atomic():
        visit = _visit(request, study)
        _hold(visit.known)
        session = _to_continue(study, visit)
        if session:
            return _continued(session, visit)
        return _admitted(request, study, visit)


def _visit(request: HttpRequest, study: Study) -> _Visit:
    opened = _opened(request)
    own, known, found = annotators_of(request), known_annotators(request), None
    # The other request of a form that was sent twice has no cookie yet either.
    sooner = Annotator.objects.filter(pk=opened.annotator, user=None).exclude(pk__in=_ids(own))
    own, known = [*own, *sooner], [*known, *sooner]
    if study.recruiting == Study.Recruiting.CROWD:
        found = crowd.arrival(request.GET if request.method == "GET" else opened.crowd)
    if found:
        # The same person on another machine: a provider's id goes wherever its person goes.
        same = Annotator.objects.filter(provider=found.provider, outside_id=found.outside_id)
        known += same.exclude(outside_id="").exclude(pk__in=_ids(known))
    return _Visit(own, known, found, opened.annotator)


@dataclass(frozen=True)
class _Ticket:
    annotator: uuid.UUID = field(default_factory=uuid.uuid4)
    crowd: dict[str, str] = field(default_factory=dict)


def _opened(request: HttpRequest) -> _Ticket:
    """What the welcome form carried; where it is old or another's, a new person comes."""
    text = request.POST.get(TICKET, "")
    try:
        opened = signing.loads(text, salt=_SALT, max_age=TICKET_AGE_S)
    except signing.BadSignature:
        return _Ticket()
    return _Ticket(uuid.UUID(opened["annotator"]), opened["crowd"])


def _ids(annotators: list[Annotator]) -> list[uuid.UUID]:
    return [row.pk for row in annotators]


def _hold(annotators: list[Annotator]) -> None:
    rows = Annotator.objects.select_for_update().filter(pk__in=_ids(annotators))
    list(rows.order_by("pk"))


def _to_continue(study: Study, visit: _Visit) -> Session | None:
    """The person's active session. Raises NotAdmitted where they have had all that they may."""
    sessions = list(study.sessions.filter(annotator__in=visit.known).select_related("annotator"))
    for session in sessions:
        if session.state == Session.State.ACTIVE and _is_theirs(session, visit):
            return session
    may_have = study.sessions_per_person
    if may_have and len(sessions) >= may_have:
        needs_login = sessions[0].state == Session.State.ACTIVE and not visit.arrival
        raise NotAdmitted("account_needed" if needs_login else "already_done", sessions[0])
    return None


def _is_theirs(session: Session, visit: _Visit) -> bool:
    """A session is gone on with by its own person only, though others of its browser count."""
    annotator = session.annotator
    if visit.arrival and not visit.arrival.is_preview:
        return (annotator.provider, annotator.outside_id) == (
            visit.arrival.provider, visit.arrival.outside_id,
        )  # fmt: skip
    return annotator in visit.own


def _continued(session: Session, visit: _Visit) -> Admission:
    if visit.arrival and session.crowd != visit.arrival.stored:
        # The provider sent the same person again, under a new submission: that one is paid.
        session.crowd = visit.arrival.stored
        session.save(update_fields=["crowd"])
    return Admission(session.annotator, session.crowd, session.invitation, tuple(visit.known))


def _entry(request: HttpRequest, study: Study, visit: _Visit) -> Invitation | None:
    """Whether the study's way of recruiting lets this person in; raises NotAdmitted."""
    if study.recruiting == Study.Recruiting.ACCOUNTS and not request.user.is_authenticated:
        raise NotAdmitted("account_needed")
    if study.recruiting == Study.Recruiting.ACCOUNTS and not team.may_answer(request.user, study):
        raise NotAdmitted("not_named")
    if study.recruiting == Study.Recruiting.CROWD:
        if visit.arrival is None:
            raise NotAdmitted("crowd_needed")
        if visit.arrival.is_preview:
            raise NotAdmitted("preview")
    if study.recruiting != Study.Recruiting.INVITED:
        return None
    found = inviting.invitation_of(request, study, visit.known)
    if found is None or found.revoked_at:
        raise NotAdmitted("invitation_needed")
    if found.used_at and not _is_known(found.annotator, visit):
        raise NotAdmitted("invitation_used")
    return found


def _is_known(annotator: Annotator | None, visit: _Visit) -> bool:
    """Also whom the other request of this form made after this one had looked."""
    if annotator is None:
        return False
    is_new = annotator.pk == visit.new_id and annotator.user_id is None
    return is_new or annotator in visit.known


def _admitted(request: HttpRequest, study: Study, visit: _Visit) -> Admission:
    invitation = _entry(request, study, visit)
    if study.recruiting in _LIMITED:
        where = limiting.address_of(request)
        if limiting.is_too_many(f"begin {study.pk}", where, settings.BEGINS_PER_HOUR):
            raise NotAdmitted("too_many")
    annotator = _annotator(request, visit)
    if annotator not in visit.known:
        _hold([annotator])
        # Made by another request of the same form a moment ago: its session is this one's too.
        visit = replace(visit, own=[*visit.own, annotator], known=[*visit.known, annotator])
        session = _to_continue(study, visit)
        if session:
            return _continued(session, visit)
    if invitation:
        invitation = _use(invitation, annotator, visit)
    sent = visit.arrival.stored if visit.arrival else {}
    return Admission(annotator, sent, invitation, tuple(visit.known))


def _annotator(request: HttpRequest, visit: _Visit) -> Annotator:
    """A provider's person, else the account's, else the browser's, else a new one."""
    if visit.arrival:
        return Annotator.objects.get_or_create(
            provider=visit.arrival.provider, outside_id=visit.arrival.outside_id
        )[0]
    if request.user.is_authenticated:
        return account_annotator(request)
    if visit.own:
        return visit.own[0]
    return Annotator.objects.get_or_create(pk=visit.new_id)[0]


def _use(invitation: Invitation, annotator: Annotator, visit: _Visit) -> Invitation:
    held = Invitation.objects.select_for_update().get(pk=invitation.pk)
    if held.revoked_at:
        raise NotAdmitted("invitation_needed")
    if held.used_at is None:
        held.used_at, held.annotator = timezone.now(), annotator
        held.save(update_fields=["used_at", "annotator"])
    elif held.annotator not in visit.known:
        raise NotAdmitted("invitation_used")
    return held
