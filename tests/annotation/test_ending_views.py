"""The ends of a session: thanks with each outcome's words and code, and withdrawing."""

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotation import serving
from annotation.models import Session, Study
from tests.factories import begin_in, make_judgments, make_study

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]


def text_of(reply: Any) -> str:
    return reply.content.decode()


def test_the_completion_code_is_shown_to_its_own_browser_alone() -> None:
    study = make_study()
    ben, other = Client(), Client()
    for client in (other, ben):
        begin_in(client, Study.objects.get())
    session = study.sessions.latest("started_at")
    assert ben.get(reverse("thanks", args=["which"])).status_code == 302
    make_judgments(session, 2)
    serving.finish(session)
    assert session.completion_code in text_of(ben.get(reverse("thanks", args=["which"])))
    assert other.get(reverse("thanks", args=["which"])).status_code == 302


ENDS = {
    "finished": "All your 0 choices are stored.",
    "failed": "after the practice",
    "screened_out": "the way you see colours",
}


@pytest.mark.parametrize("state", ENDS)
def test_every_end_has_its_own_words_and_code(state: str) -> None:
    study = make_study(completion_codes={state: "C-77"})
    ben = Client()
    begin_in(ben, study)
    serving.close(study.sessions.get(), state)
    assert ben.get(reverse("trial", args=["which"]))["Location"] == "/s/which/thanks"
    page = text_of(ben.get(reverse("thanks", args=["which"])))
    assert ENDS[state] in page
    assert "C-77" in page
    assert not [text for other, text in ENDS.items() if other != state and text in page]


def test_whom_a_provider_sent_goes_back_there_with_the_code() -> None:
    study = make_study(recruiting="crowd", completion_codes={"finished": "C-77"})
    ben = Client()
    query = "?PROLIFIC_PID=p1&SESSION_ID=s1&STUDY_ID=t1"
    form = ben.get(reverse("welcome", args=["which"]) + query).context
    ben.post(
        reverse("begin", args=["which"]) + query,
        {"consent": "on", form["ticket_name"]: form["ticket"]},
    )
    serving.close(study.sessions.get(), "finished")
    page = text_of(ben.get(reverse("thanks", args=["which"])))
    assert 'href="https://app.prolific.com/submissions/complete?cc=C-77"' in page
    assert "Back to Prolific" in page


def test_withdrawing_asks_first_then_deletes() -> None:
    study = make_study(n_sources=3, session_length=3)
    ben = Client()
    begin_in(ben, study)
    session = study.sessions.get()
    make_judgments(session, 2)
    address = reverse("withdraw", args=["which"])
    assert f'href="{address}"' in text_of(ben.get(reverse("welcome", args=["which"])))
    page = text_of(ben.get(address))
    assert "2 answers of yours" in page
    session.refresh_from_db()
    assert session.state == Session.State.ACTIVE
    assert ben.post(address, {"session": str(session.pk)})["Location"] == "/s/which/thanks"
    session.refresh_from_db()
    assert (session.state, session.trials.count()) == ("withdrawn", 0)
    page = text_of(ben.get(reverse("thanks", args=["which"])))
    assert "Your answers are deleted" in page
    assert address not in page


def test_nobody_withdraws_for_another_or_a_session_that_was_not_asked_about() -> None:
    study = make_study()
    ben, other = Client(), Client()
    for client in (ben, other):
        begin_in(client, study)
    address = reverse("withdraw", args=["which"])
    for client in (ben, other, Client()):
        client.post(address, {"session": str(uuid.uuid4())})
    mine = annotator_session(ben, study)
    other.post(address, {"session": str(mine)})
    assert set(study.sessions.values_list("state", flat=True)) == {"active"}
    assert Client().get(address)["Location"] == "/s/which/thanks"


def annotator_session(client: Client, study: Study) -> Any:
    return client.get(reverse("trial", args=[study.slug])).context["session"].pk
