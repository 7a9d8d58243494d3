"""The viewing checks: what is asked, what their page knows, what the server makes of it."""

import json
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotation import checks
from annotation.design import acuity, plates
from annotation.models import Session, Study
from tests.factories import begin_in, make_session, make_study

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]

ALL = {"ask_card": True, "ask_colour_plates": True, "ask_acuity": True}
# 4 device pixels a millimetre at 57.29 cm: 40 pixels a degree.
CARD = {"card_width_px": 171.2, "device_pixel_ratio": 2, "distance_cm": 57.29}


def address(name: str) -> str:
    return reverse(name, args=["which"])


def begun(**asked: bool) -> tuple[Client, Session]:
    study = make_study(n_sources=1, **asked)
    ben = Client()
    begin_in(ben, study)
    return ben, study.sessions.get()


def send(client: Client, session: Session, kind: str, **answers: Any) -> Any:
    body = {"session": str(session.pk), "kind": kind, **answers}
    return client.post(address("checks"), json.dumps(body), content_type="application/json")


def stored(session: Session) -> dict[str, Any]:
    session.refresh_from_db()
    found: dict[str, Any] = session.viewing.get("checks", {})
    return found


@pytest.mark.parametrize(
    ("asked", "kinds"),
    [
        ({}, []),
        ({"ask_colour_plates": True}, ["colour_plates"]),
        ({"ask_acuity": True}, ["card", "acuity"]),
        (ALL, ["card", "colour_plates", "acuity"]),
    ],
)
def test_a_study_asks_for_what_it_needs_in_order(asked: dict[str, bool], kinds: list[str]) -> None:
    assert checks.asked(Study(**asked)) == kinds


def test_a_session_makes_its_checks_one_by_one_before_its_first_trial() -> None:
    ben, session = begun(**ALL)
    assert ben.get(address("trial"))["Location"] == address("checks")
    assert ben.get(address("checks")).context["kind"] == "card"
    assert send(ben, session, "card", **CARD).json() == {"next": address("checks")}
    assert ben.get(address("checks")).context["kind"] == "colour_plates"
    send(ben, session, "colour_plates", answers=list(plates.digits_of(session.seed)))
    assert ben.get(address("checks")).context["kind"] == "acuity"
    assert send(ben, session, "acuity", answers=["up"]).json() == {"next": address("trial")}
    assert ben.get(address("checks"))["Location"] == address("trial")
    assert ben.get(address("trial")).status_code == 200
    assert set(stored(session)) == {"card", "colour_plates", "acuity"}


def test_a_study_without_checks_leads_straight_to_the_trials() -> None:
    ben, _ = begun()
    assert ben.get(address("checks"))["Location"] == address("trial")
    assert ben.get(address("trial")).status_code == 200


def test_the_card_gives_pixels_a_degree_of_the_screen_itself() -> None:
    ben, session = begun(ask_card=True)
    send(ben, session, "card", **CARD)
    found = stored(session)["card"]
    assert found["pixels_per_mm"] == pytest.approx(4.0)
    assert found["css_pixels_per_mm"] == pytest.approx(2.0)
    assert found["pixels_per_degree"] == pytest.approx(40.0, abs=0.01)
    assert {name: found[name] for name in CARD} == CARD


@pytest.mark.parametrize(
    "wrong",
    [
        {"card_width_px": 0},
        {"card_width_px": "300"},
        {"card_width_px": True},
        {"card_width_px": 9_999},
        {"distance_cm": 5},
        {"distance_cm": None},
        {"device_pixel_ratio": float("inf")},
    ],
)
def test_a_card_that_cannot_be_is_refused_with_what_was_found(wrong: dict[str, Any]) -> None:
    ben, session = begun(ask_card=True)
    reply = send(ben, session, "card", **{**CARD, **wrong})
    assert reply.status_code == 400
    assert re.match("Found .*; expected", reply.json()["error"])
    assert stored(session) == {}


def test_without_a_card_the_rings_are_not_asked_for() -> None:
    ben, session = begun(ask_acuity=True)
    assert send(ben, session, "card", is_skipped=True).json() == {"next": address("trial")}
    assert stored(session)["card"]["is_skipped"] is True


def plates_wrong(session: Session, n: int) -> list[str]:
    answers = list(plates.digits_of(session.seed))
    coloured = [place for place, family in enumerate(plates.FAMILIES) if family != "control"]
    for place in coloured[:n]:
        answers[place] = plates.NO_DIGIT
    return answers


@pytest.mark.parametrize(
    ("n_wrong", "state", "name"), [(2, "active", "trial"), (3, "screened_out", "thanks")]
)
def test_more_than_a_quarter_of_the_plates_wrong_ends_the_session(
    n_wrong: int, state: str, name: str
) -> None:
    ben, session = begun(ask_colour_plates=True)
    Study.objects.update(completion_codes={"screened_out": "OUT-1"})
    answers = plates_wrong(session, n_wrong)
    reply = send(ben, session, "colour_plates", answers=answers)
    assert reply.json() == {"next": address(name)}
    found = stored(session)["colour_plates"]
    assert (found["n_wrong"], found["answers"], session.state) == (n_wrong, answers, state)
    assert (session.completion_code == "OUT-1") == (state == "screened_out")
    assert ben.get(address("trial")).status_code == (200 if state == "active" else 302)


def test_the_page_of_the_plates_knows_no_right_answer() -> None:
    ben, session = begun(ask_colour_plates=True)
    page = ben.get(address("checks"))
    drawn = page.context["material"]
    assert set(drawn) == {"plates"}
    assert all(len(dot) == 4 for plate in drawn["plates"] for dot in plate)
    # The same dots whatever the digit: place and radius tell it no more than colour does.
    sizes = {tuple(sorted(dot[2] for dot in plate)) for plate in drawn["plates"]}
    assert len(sizes) == 1


def test_the_first_answer_to_a_check_stands() -> None:
    ben, session = begun(ask_colour_plates=True)
    send(ben, session, "colour_plates", answers=plates_wrong(session, 1))
    send(ben, session, "colour_plates", answers=plates_wrong(session, 8))
    assert stored(session)["colour_plates"]["n_wrong"] == 1
    assert session.state == Session.State.ACTIVE


def test_rings_that_were_read_give_logmar() -> None:
    ben, session = begun(ask_acuity=True)
    send(ben, session, "card", **CARD)
    shown = ben.get(address("checks")).context["material"]
    assert shown["gaps_px"][-1] >= acuity.SMALLEST_GAP_PX
    right = list(shown["directions"])
    send(ben, session, "acuity", answers=right[:12])
    found = stored(session)["acuity"]
    assert (found["logmar"], found["is_limit_of_screen"]) == (0.5, False)
    assert found["n_right"] == [3, 3, 3, 3, 0, 0, 0]


@pytest.mark.parametrize(
    ("kind", "answers"),
    [("acuity", ["sideways"]), ("acuity", "up"), ("acuity", ["up"] * 99), ("acuity", None)],
)
def test_answers_that_cannot_be_are_refused(kind: str, answers: Any) -> None:
    ben, session = begun(ask_acuity=True)
    send(ben, session, "card", **CARD)
    assert send(ben, session, kind, answers=answers).status_code == 400
    assert "acuity" not in stored(session)


@pytest.mark.parametrize("body", ["", "[]", "{", '{"session": "x"}', "[" * 5000])
def test_what_cannot_be_read_is_refused(body: str) -> None:
    ben, session = begun(ask_card=True)
    reply = ben.post(address("checks"), body, content_type="application/json")
    assert reply.status_code == 400
    assert stored(session) == {}


def test_nobody_answers_for_another_session() -> None:
    ben, session = begun(ask_card=True)
    other = make_session(session.study)
    send(ben, other, "card", **CARD)
    assert stored(other) == stored(session) == {}
    assert send(Client(), session, "card", **CARD).json() == {"next": address("welcome")}
    assert stored(session) == {}


def test_an_unknown_kind_is_no_check() -> None:
    ben, session = begun(ask_card=True)
    assert send(ben, session, "eye colour").json() == {"next": address("checks")}
    assert stored(session) == {}


def test_what_the_page_measured_later_stands_beside_the_checks() -> None:
    ben, session = begun(ask_card=True)
    send(ben, session, "card", **CARD)
    body = {
        "session": str(session.pk), "judgments": [], "want": 0,
        "viewing": {"screen_width_px": 1920, "checks": {"card": {"pixels_per_degree": 1}}},
    }  # fmt: skip
    reply = ben.post(address("judgments"), json.dumps(body), content_type="application/json")
    assert reply.status_code == 200
    assert stored(session)["card"]["pixels_per_degree"] == pytest.approx(40.0, abs=0.01)
    assert session.viewing["screen_width_px"] == 1920


def test_no_trial_is_handed_out_before_the_checks_are_done() -> None:
    ben, session = begun(ask_card=True)
    asked = {"session": str(session.pk), "want": 2}

    def lease() -> Any:
        return ben.post(address("lease"), json.dumps(asked), content_type="application/json").json()

    assert lease()["trials"] == []
    send(ben, session, "card", is_skipped=True)
    assert len(lease()["trials"]) > 0


def test_a_page_cannot_say_that_its_checks_were_passed() -> None:
    ben, session = begun(ask_card=True)
    body = {"session": str(session.pk), "judgments": [], "viewing": {"checks": {"card": {}}}}
    ben.post(address("judgments"), json.dumps(body), content_type="application/json")
    assert stored(session) == {}
