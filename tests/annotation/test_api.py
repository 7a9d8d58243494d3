"""What the trial page's script sends and receives: clear refusals, pinned query counts."""

import json
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotation import planning
from annotation.models import Judgment, Session, Study, Trial
from annotation.recognising import COOKIE, key_of
from tests.factories import begin_in, make_ben, make_study

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]


LEASE_QUERIES = 8
ANSWERS_QUERIES = 5


class Browser:
    """One browser in one session."""

    def __init__(self, study: Study, client: Client | None = None) -> None:
        self.study = study
        self.client = client or Client()
        begun = begin_in(self.client, study)
        assert begun["Location"] == reverse("trial", args=[study.slug])
        self.session = study.sessions.latest("started_at")

    def post(self, name: str, body: Any = None, **more: Any) -> Any:
        sent = {"session": str(self.session.pk), **more} if body is None else body
        text = sent if isinstance(sent, str | bytes) else json.dumps(sent)
        return self.client.post(
            reverse(name, args=[self.study.slug]), text, content_type="application/json"
        )

    def lease(self, want: int = 1) -> list[dict[str, Any]]:
        reply = self.post("lease", want=want, have=[])
        assert reply.status_code == 200, reply.content
        return reply.json()["trials"]


def answer_of(shown: dict[str, Any], **values: Any) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "trial": shown["id"], "side": "left", **values}


@pytest.fixture
def tab() -> Browser:
    return Browser(make_study(n_sources=6, session_length=6))


def test_a_lease_brings_trials_and_the_standing(tab: Browser) -> None:
    reply = tab.post("lease", want=4, have=[]).json()
    assert [trial["position"] for trial in reply["trials"]] == [0, 1, 2, 3]
    assert (reply["judged"], reply["total"], reply["is_done"]) == (0, 6, False)
    assert {(trial["width"], trial["height"]) for trial in reply["trials"]} == {(64, 64)}


def test_answers_are_stored_and_the_next_trials_come_in_one_round_trip(tab: Browser) -> None:
    one, two = tab.lease(2)
    answers = [answer_of(one), answer_of(two, side="right")]
    reply = tab.post("judgments", judgments=answers, want=3, have=[]).json()
    assert reply["stored"] == [answer["id"] for answer in answers]
    assert reply["refused"] == []
    assert len(reply["trials"]) == 3
    assert reply["judged"] == 2


def test_a_repeated_request_gets_the_same_receipt(tab: Browser) -> None:
    (trial,) = tab.lease()
    answers = [answer_of(trial)]
    replies = [tab.post("judgments", judgments=answers).json() for _ in range(3)]
    assert replies[0] == replies[1] == replies[2]
    assert Judgment.objects.count() == 1


def test_a_whole_session_by_the_api_ends_with_its_code(tab: Browser) -> None:
    trials = tab.lease(6)
    assert tab.post("finish").json() == {
        "is_complete": False, "missing": 6, "completion_code": "", "state": "active",
    }  # fmt: skip
    answers = [answer_of(trial) for trial in trials]
    reply = tab.post("judgments", judgments=answers, want=4).json()
    assert reply["is_done"]
    done = tab.post("finish").json()
    assert done["is_complete"]
    assert done["missing"] == 0
    thanks = tab.client.get(reverse("thanks", args=["which"]))
    assert done["completion_code"] in thanks.content.decode()


def test_everything_measured_is_stored(tab: Browser) -> None:
    (trial,) = tab.lease()
    measured = {
        "decoded_ms": 10.25, "painted_ms": 20.5, "answered_ms": 1500.75, "response_ms": 1480.25,
        "hidden_ms": 3.5, "clock_resolution_ms": 0.1, "device_pixel_ratio": 1.25,
        "window_width_px": 1600, "window_height_px": 900, "input": "touch",
        "events": [{"type": "covered", "at_ms": 30}],
    }  # fmt: skip
    entry = answer_of(trial, client_time="2026-03-01T12:00:00.5+02:00", **measured)
    viewing = {"screen": {"width_px": 2560}}
    reply = tab.post("judgments", judgments=[entry], viewing=viewing)
    assert reply.status_code == 200
    judgment = Judgment.objects.get()
    assert {name: getattr(judgment, name) for name in measured} == measured
    assert judgment.client_time is not None
    assert judgment.client_time.isoformat() == "2026-03-01T10:00:00.500000+00:00"
    assert Session.objects.get().viewing == viewing


def test_the_first_viewing_report_stands(tab: Browser) -> None:
    for width in (100, 200):
        tab.post("judgments", judgments=[], viewing={"width_px": width})
    assert Session.objects.get().viewing == {"width_px": 100}


# Who may speak


@pytest.mark.parametrize("name", ["lease", "judgments", "finish"])
def test_another_browser_may_not_post(tab: Browser, name: str) -> None:
    (trial,) = tab.lease()
    other = Browser(make_study("other"))
    answers = [answer_of(trial)]
    for client in (Client(), other.client):
        reply = client.post(
            reverse(name, args=["which"]),
            {"session": str(tab.session.pk), "judgments": answers, "want": 1},
            content_type="application/json",
        )
        assert reply.status_code == 403
        assert "no such session" in reply.json()["error"]
    assert not Judgment.objects.exists()
    assert Trial.objects.count() == 1


def test_another_browsers_trial_is_refused_by_name(tab: Browser) -> None:
    (trial,) = tab.lease()
    other = Browser(make_study("other"))
    entry = answer_of(trial)
    reply = other.post("judgments", judgments=[entry]).json()
    assert reply["stored"] == []
    assert reply["refused"][0]["id"] == entry["id"]
    assert not Judgment.objects.exists()


def test_a_cookie_that_was_tampered_with_is_nobodys(tab: Browser) -> None:
    stranger = Client()
    stranger.cookies[COOKIE] = str(tab.session.annotator_id)
    reply = stranger.post(
        reverse("lease", args=["which"]),
        {"session": str(tab.session.pk), "want": 1},
        content_type="application/json",
    )
    assert reply.status_code == 403


def test_a_session_is_reached_under_its_own_study_only(tab: Browser) -> None:
    make_study("other")
    reply = tab.client.post(
        reverse("lease", args=["other"]),
        {"session": str(tab.session.pk), "want": 1},
        content_type="application/json",
    )
    assert reply.status_code == 403


def test_a_request_from_another_site_is_refused(tab: Browser) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = tab.client.cookies
    reply = strict.post(
        reverse("finish", args=["which"]),
        {"session": str(tab.session.pk)},
        content_type="application/json",
    )
    assert reply.status_code == 403


def test_the_annotators_cookie_is_out_of_reach_for_scripts(tab: Browser) -> None:
    cookie = tab.client.cookies[COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_ben_goes_on_under_his_account_in_another_browser() -> None:
    study, ben = make_study(), make_ben()
    sessions = []
    for _ in range(2):
        client = Client()
        client.force_login(ben)
        tab = Browser(study, client)
        assert tab.post("lease", want=1, have=[]).status_code == 200
        sessions.append(tab.session.pk)
    assert sessions[0] == sessions[1]
    assert Session.objects.count() == 1


@pytest.mark.parametrize("name", ["lease", "judgments", "finish"])
def test_reading_an_endpoint_that_only_takes_posts_is_refused(tab: Browser, name: str) -> None:
    assert tab.client.get(reverse(name, args=["which"])).status_code == 405


# Malformed input


@pytest.mark.parametrize(
    "body",
    [
        "", "{", "[]", "5", "null", '"text"', "{}", b"\xff\xfe", "[" * 100_000,
        '{"session": null}', '{"session": 5}', '{"session": []}', '{"session": "not-an-id"}',
    ],
    ids=lambda body: str(body)[:24] or "empty",
)  # fmt: skip
@pytest.mark.parametrize("name", ["lease", "judgments", "finish"])
def test_a_body_that_cannot_be_read_is_a_clear_400(
    tab: Browser, name: str, body: str | bytes
) -> None:
    reply = tab.post(name, body)
    assert reply.status_code == 400
    assert "session" in reply.json()["error"]


@pytest.mark.parametrize("want", [-1, 9, 10**30, "4", 1.5, None, [], {}])
def test_an_impossible_number_of_trials_is_a_clear_400(tab: Browser, want: Any) -> None:
    reply = tab.post("lease", want=want, have=[])
    assert reply.status_code == 400
    assert "expected 0..8" in reply.json()["error"]
    assert not Trial.objects.exists()


@pytest.mark.parametrize("have", [None, 5, "text", ["text"], [5], [None], [[]], {"a": 1}])
def test_held_trials_that_are_no_ids_are_a_clear_400(tab: Browser, have: Any) -> None:
    reply = tab.post("lease", want=1, have=have)
    assert reply.status_code == 400
    assert "'have'" in reply.json()["error"]


@pytest.mark.parametrize("judgments", [None, {}, "text", 5, [{}] * 201])
def test_judgments_that_are_no_list_are_a_clear_400(tab: Browser, judgments: Any) -> None:
    reply = tab.post("judgments", judgments=judgments)
    assert reply.status_code == 400
    assert "at most 200" in reply.json()["error"]


@pytest.mark.parametrize(
    "change",
    [
        {"id": "text"}, {"trial": "text"}, {"trial": []},
        {"supersedes": "text"}, {"supersedes": 5},
        {"response_ms": "fast"}, {"response_ms": True}, {"response_ms": []},
        {"painted_ms": 1e300}, {"painted_ms": -1e300}, {"painted_ms": 10**400},
        {"window_width_px": -1}, {"window_width_px": 10**9}, {"window_width_px": "wide"},
        {"events": "text"}, {"events": {"a": 1}}, {"events": ["x" * 20_001]},
        {"events": [{"text": "nul \x00"}]}, {"events": ["half a pair \ud800"]},
        {"input": "telepathy"}, {"input": 5}, {"input": ["key"]},
        {"client_time": "yesterday"}, {"client_time": "2026-03-01T12:00:00"},
        {"client_time": 5}, {"client_time": "2026-02-30T12:00:00Z"},
        {"client_time": "0001-01-01T00:00:00+14:00"},
    ],
    ids=str,
)  # fmt: skip
def test_a_judgment_that_cannot_be_read_is_refused_and_holds_up_no_other(
    tab: Browser, change: dict[str, Any]
) -> None:
    bad, good = tab.lease(2)
    readable = answer_of(good)
    reply = tab.post("judgments", judgments=[answer_of(bad, **change), readable])
    assert reply.status_code == 200, reply.content
    (refused,) = reply.json()["refused"]
    assert len(refused["reason"]) > 20
    assert reply.json()["stored"] == [readable["id"]]
    assert [str(row.trial_id) for row in Judgment.objects.all()] == [good["id"]]


@pytest.mark.parametrize("key", [None, 5])
def test_a_judgment_without_a_key_is_a_clear_400(tab: Browser, key: Any) -> None:
    (trial,) = tab.lease()
    reply = tab.post("judgments", judgments=[answer_of(trial, id=key)])
    assert reply.status_code == 400, reply.content
    assert not Judgment.objects.exists()


@pytest.mark.parametrize("entry", [None, 5, "text", [], {}])
def test_a_judgment_that_is_no_object_with_its_ids_is_a_clear_400(tab: Browser, entry: Any) -> None:
    reply = tab.post("judgments", judgments=[entry])
    assert reply.status_code == 400
    assert "judgment" in reply.json()["error"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize("place", ["response_ms", "events", "viewing"])
def test_a_number_that_is_none_is_never_stored(tab: Browser, number: str, place: str) -> None:
    (trial,) = tab.lease()
    entry = answer_of(trial, response_ms=0, events=[])
    body = json.dumps({"session": str(tab.session.pk), "judgments": [entry], "viewing": {}})
    written = {
        "response_ms": body.replace('"response_ms": 0', f'"response_ms": {number}'),
        "events": body.replace('"events": []', f'"events": [{number}]'),
        "viewing": body.replace('"viewing": {}', f'"viewing": {{"ratio": {number}}}'),
    }[place]
    assert written != body
    reply = tab.post("judgments", written)
    assert reply.status_code == 400 or reply.json()["refused"]
    assert not Judgment.objects.exists()
    assert Session.objects.get().viewing == {}


@pytest.mark.parametrize("side", ["middle", "", None, 5, ["left"]])
def test_an_unknown_side_is_refused_and_named(tab: Browser, side: Any) -> None:
    (trial,) = tab.lease()
    entry = answer_of(trial, side=side)
    reply = tab.post("judgments", judgments=[entry]).json()
    assert reply["stored"] == []
    assert "expected one of ['left', 'right']" in reply["refused"][0]["reason"]
    assert not Judgment.objects.exists()


def test_a_page_that_was_open_for_weeks_may_still_send(tab: Browser) -> None:
    (trial,) = tab.lease()
    weeks_ms = 30 * 24 * 3600 * 1000.0
    entry = answer_of(trial, painted_ms=weeks_ms, answered_ms=weeks_ms + 2000)
    assert tab.post("judgments", judgments=[entry]).json()["stored"] == [entry["id"]]


def test_a_computer_whose_clock_stands_still_in_1970_may_send(tab: Browser) -> None:
    (trial,) = tab.lease()
    entry = answer_of(trial, client_time="1970-01-01T00:00:05Z")
    assert tab.post("judgments", judgments=[entry]).json()["stored"] == [entry["id"]]


# Query counts


@pytest.mark.parametrize("want", [1, 8])
def test_a_lease_takes_the_same_few_queries_for_one_trial_as_for_eight(
    want: int, django_assert_num_queries: Any
) -> None:
    tab = Browser(make_study(n_sources=8, session_length=8))
    with django_assert_num_queries(LEASE_QUERIES):
        assert len(tab.lease(want)) == want


def test_a_lease_of_renewed_trials_takes_few_queries(django_assert_max_num_queries: Any) -> None:
    tab = Browser(make_study(n_sources=8, session_length=8))
    tab.lease(8)
    Trial.objects.update(state=Trial.State.EXPIRED)
    tab.study.triplets.update(n_assigned=0)
    with django_assert_max_num_queries(LEASE_QUERIES + 1):
        assert len(tab.lease(8)) == 8


def test_an_answer_and_the_next_trial_take_few_queries(
    tab: Browser, django_assert_num_queries: Any
) -> None:
    (trial,) = tab.lease()
    with django_assert_num_queries(LEASE_QUERIES + ANSWERS_QUERIES):
        reply = tab.post("judgments", judgments=[answer_of(trial)], want=1, have=[])
    assert len(reply.json()["trials"]) == 1


@pytest.mark.parametrize("n", [1, 6])
def test_six_answers_take_the_same_few_queries_as_one(
    n: int, tab: Browser, django_assert_num_queries: Any
) -> None:
    answers = [answer_of(trial) for trial in tab.lease(n)]
    with django_assert_num_queries(5 + ANSWERS_QUERIES):
        tab.post("judgments", judgments=answers)
    assert Judgment.objects.count() == n


def test_nobody_leases_through_a_study_that_is_not_open(tab: Browser) -> None:
    Study.objects.update(state=Study.State.PAUSED)
    reply = tab.post("lease", want=4, have=[]).json()
    assert reply["trials"] == []
    assert not reply["is_done"]
    assert planning.return_overdue() == 0


def test_the_key_brings_answers_from_a_browser_that_is_not_known_any_more(tab: Browser) -> None:
    one, two = tab.lease(2)
    tab.client.cookies.clear()
    brought = {"judgments": [answer_of(one)], "want": 3}
    assert tab.post("judgments", **brought).status_code == 403
    reply = tab.post("judgments", **brought, key=key_of(tab.session)).json()
    assert reply["stored"] == [brought["judgments"][0]["id"]]
    assert (reply["is_known"], reply["trials"]) == (False, [])
    assert not Judgment.objects.filter(trial=two["id"]).exists()


def test_a_wrong_key_brings_nothing(tab: Browser) -> None:
    (trial,) = tab.lease()
    other = Browser(make_study("other", n_sources=2, session_length=2))
    tab.client.cookies.clear()
    for key in (key_of(other.session), "", None, 5, ["é"], "é"):
        reply = tab.post("judgments", judgments=[answer_of(trial)], key=key)
        assert reply.status_code == 403, key
    assert not Judgment.objects.exists()


def test_the_key_leases_and_finishes_nothing(tab: Browser) -> None:
    tab.client.cookies.clear()
    for name in ("lease", "finish"):
        assert tab.post(name, want=1, key=key_of(tab.session)).status_code == 403


def test_a_screened_out_session_has_its_own_end_and_takes_no_second_one(tab: Browser) -> None:
    assert tab.post("screen_out").json() == {"state": "screened_out"}
    code = Session.objects.get().completion_code
    assert tab.post("screen_out").json() == {"state": "screened_out"}
    assert Session.objects.get().completion_code == code != ""
