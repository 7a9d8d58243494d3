"""Crowd providers: what they send along, and the code that a worker takes back."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from annotation.models import Session

OUTCOMES = ("finished", "failed", "screened_out")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,119}")
_CODE = re.compile(r"[A-Za-z0-9_-]{1,20}")
_MTURK_ADDRESS = re.compile(r"https://(www|workersandbox)\.mturk\.com/?")


@dataclass(frozen=True)
class Provider:
    """A crowd provider: the parameters that it adds to the address, and the way back."""

    label: str
    person: str
    sitting: str
    project: str
    query: str
    note: str
    completion_url: str = ""


PROVIDERS = {
    # docs.prolific.com, "The study object": placeholders and completion address.
    "prolific": Provider(
        label="Prolific",
        person="PROLIFIC_PID",
        sitting="SESSION_ID",
        project="STUDY_ID",
        query="PROLIFIC_PID={{%PROLIFIC_PID%}}&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}",
        note="Paste it as the study's address; Prolific fills in the three placeholders. "
        "At the end people are sent back with the code of their outcome.",
        completion_url="https://app.prolific.com/submissions/complete",
    ),
    # MTurk API reference, ExternalQuestion: parameters, and what stands in a preview.
    "mturk": Provider(
        label="Mechanical Turk",
        person="workerId",
        sitting="assignmentId",
        project="hitId",
        query="workerId=WORKER_ID&assignmentId=ASSIGNMENT_ID&hitId=HIT_ID",
        note="A script in the HIT puts the three ids in. Open it in a window of its own: Triad's "
        "pages are shown in no frame. People copy their code into the HIT.",
    ),
    # Connect's researcher help, "Project Completion": its way back is copied from its own page,
    # so that people bring the code themselves.
    "connect": Provider(
        label="CloudResearch Connect",
        person="participantId",
        sitting="assignmentId",
        project="projectId",
        query="",
        note="Paste it as it is; Connect adds participantId, assignmentId and projectId. People "
        "copy their code into Connect.",
    ),
}
PREVIEW = "ASSIGNMENT_ID_NOT_AVAILABLE"


@dataclass(frozen=True)
class Arrival:
    """Somebody whom a provider sent, with the provider's own ids by their own names."""

    provider: str
    outside_id: str
    ids: dict[str, str]
    is_preview: bool = False

    @property
    def stored(self) -> dict[str, str]:
        """As it stands in Session.crowd."""
        return {"provider": self.provider, **self.ids}


def arrival(params: Mapping[str, str]) -> Arrival | None:
    """Who comes, from an address's parameters; None where no provider sent them.

    An id that is none (an unfilled placeholder, a sentence) is as good as missing.
    """
    if params.get("assignmentId") == PREVIEW:
        return Arrival("mturk", "", {}, is_preview=True)
    for name, provider in PROVIDERS.items():
        wanted = (provider.person, provider.sitting, provider.project)
        ids = {key: params[key] for key in wanted if _ID.fullmatch(params.get(key, ""))}
        if provider.person in ids:
            submit_to = params.get("turkSubmitTo", "")
            if name == "mturk" and _MTURK_ADDRESS.fullmatch(submit_to):
                ids["turkSubmitTo"] = submit_to
            return Arrival(name, ids[provider.person], ids)
    return None


def link_for(name: str, address: str) -> str:
    """A study's address as it is pasted at a provider, placeholders included."""
    query = PROVIDERS[name].query
    return f"{address}?{query}" if query else address


def checked_codes(codes: Mapping[str, str]) -> dict[str, str]:
    """The codes that are not empty. Raises ValueError for one that cannot be."""
    for outcome, code in codes.items():
        if outcome not in OUTCOMES:
            raise ValueError(f"Found outcome {outcome!r}; expected one of {', '.join(OUTCOMES)}.")
        if code and not _CODE.fullmatch(code):
            raise ValueError(
                f"Found code {code!r} for {outcome}; expected 1 to 20 letters, digits, - and _."
            )
    return {outcome: code for outcome, code in codes.items() if code}


def code_for(session: Session) -> str:
    """The code of a session's outcome: the study's own for its state, else a new random one."""
    if session.state == Session.State.ACTIVE:
        raise ValueError(f"Session {session.pk} is active; a code belongs to one that ended.")
    return session.study.completion_codes.get(session.state) or secrets.token_hex(4).upper()


def return_url(session: Session) -> str | None:
    """The provider's page that takes the code; None where the person brings it themselves.

    A random code means nothing to a provider, so that it is not sent there.
    """
    provider = PROVIDERS.get(session.crowd.get("provider", ""))
    code = session.completion_code
    if not provider or not provider.completion_url or not code:
        return None
    if code not in session.study.completion_codes.values():
        return None
    return f"{provider.completion_url}?{urlencode({'cc': code})}"
