"""Which annotator a browser is: by account, or by a signed cookie that lasts."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse

from annotation.models import Annotator, Session

COOKIE = "annotator"
YEAR_S = 60 * 60 * 24 * 365


def annotator_of(request: HttpRequest) -> Annotator | None:
    if request.user.is_authenticated:
        return Annotator.objects.filter(user=request.user).first()
    text = request.get_signed_cookie(COOKIE, default="")
    try:
        return Annotator.objects.filter(pk=UUID(text), is_simulated=False).first()
    except ValueError:
        return None


def annotator_for(request: HttpRequest) -> Annotator:
    """The known annotator of this browser, or a new one."""
    found = annotator_of(request)
    if found:
        return found
    if request.user.is_authenticated:
        return Annotator.objects.get_or_create(user=request.user)[0]
    return Annotator.objects.create()


def remember(response: HttpResponse, annotator: Annotator, *, is_secure: bool) -> None:
    if annotator.user_id is None:
        response.set_signed_cookie(
            COOKIE, str(annotator.pk), max_age=YEAR_S, httponly=True, samesite="Lax",
            secure=is_secure,
        )  # fmt: skip


def owns(request: HttpRequest, session: Session) -> bool:
    annotator = annotator_of(request)
    return annotator is not None and annotator.pk == session.annotator_id
