"""A browser without pages: its cookies, and what it asks of the verbs behind them."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from annotation import admitting, inviting
from annotation.models import Invitation, Session, Study
from annotation.recognising import remember

PROLIFIC = {"PROLIFIC_PID": "5f0a", "STUDY_ID": "s1", "SESSION_ID": "sub1"}


class Browser:
    """One person's browser at one address, with an account or without."""

    def __init__(self, user: Any = None, address: str = "192.0.2.1") -> None:
        self.user = user or AnonymousUser()
        self.address = address
        self.cookies: dict[str, str] = {}

    def request(self, method: str = "get", **values: Any) -> HttpRequest:
        made = getattr(RequestFactory(REMOTE_ADDR=self.address), method)("/s/which/", values)
        made.user = self.user
        made.COOKIES.update(self.cookies)
        return made

    def keep(self, response: HttpResponse) -> None:
        self.cookies.update({name: morsel.value for name, morsel in response.cookies.items()})

    def open_invitation(self, invitation: Invitation) -> None:
        response = HttpResponse()
        inviting.keep(response, invitation, "/s/which/", is_secure=False)
        self.keep(response)

    def ticket(self, **params: str) -> str:
        """What the welcome page's form carries, where the page was opened with `params`."""
        return admitting.ticket(self.request(**params))

    def begin(self, study: Study, ticket: str = "", **form: str) -> Session:
        request = self.request("post", ticket=ticket or self.ticket(), **form)
        admission, session = admitting.enter(request, study, language="en", texts={})
        response = HttpResponse()
        remember(response, admission.annotator, is_secure=False, known=admission.known)
        self.keep(response)
        return session

    def obstacle(self, study: Study, **params: str) -> str:
        found = admitting.obstacle(self.request(**params), study)
        return found.code if found else ""


def finish(session: Session, state: str = Session.State.FINISHED) -> None:
    Session.objects.filter(pk=session.pk).update(state=state)


def make_invitation(study: Study) -> Invitation:
    (token,) = inviting.invite(study, 1)
    found = inviting.by_token(token)
    assert found
    return found
