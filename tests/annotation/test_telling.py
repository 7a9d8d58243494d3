"""What webhooks hear of studies: once, with the thing itself, and only who may read the study."""

from typing import Any

import pytest
from django.db import transaction

from annotation import designing, serving, tasks, telling
from annotation.models import Session, Study, StudyMember
from codecs_eval import announcing
from codecs_eval.models import Delivery, Event
from tests.factories import (
    make_ada,
    make_answer,
    make_ben,
    make_cleo,
    make_judgments,
    make_session,
    make_study,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home", "inner_network")]
ALL = [event for event in Event.values if event != Event.PING]


@pytest.fixture
def inner_network(settings: Any) -> None:
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = True


def make_hook(user: Any, *events: str, study: str = "") -> Any:
    return announcing.make_webhook(user, "http://127.0.0.1:9/", events or ALL, study)


def told(event: str) -> list[dict[str, Any]]:
    rows = Delivery.objects.filter(event=event).order_by("created_at")
    return [row.payload for row in rows]


def answered_session(study: Study) -> Session:
    session = make_session(study)
    make_judgments(session, session.n_planned)
    assert serving.finish(session) == 0
    return session


def test_a_finished_session_is_told_of_once() -> None:
    make_hook(make_ada())
    study = make_study(session_length=2)
    session = answered_session(study)
    serving.finish(session)
    (payload,) = told("session.finished")
    assert payload["study"] == "which"
    assert payload["is_simulated"] is False
    assert payload["data"] == {
        "study": "which", "version": 1, "session": str(session.pk), "state": "finished",
    }  # fmt: skip


def test_a_session_that_goes_on_is_nobodys_news() -> None:
    make_hook(make_ada())
    session = make_session(make_study(session_length=2))
    make_judgments(session, 1)
    assert serving.finish(session) == 1
    assert not Delivery.objects.exists()


def test_each_change_of_state_is_told_with_what_was_before() -> None:
    make_hook(make_ada())
    study = make_study(state="draft")
    for state in ("open", "paused", "open"):
        designing.change_state(study, state)
    changes = [(row["data"]["before"], row["data"]["state"]) for row in told("study.state_changed")]
    assert changes == [("draft", "open"), ("open", "paused"), ("paused", "open")]


def test_a_change_that_was_rolled_back_is_told_to_nobody() -> None:
    make_hook(make_ada())
    study = make_study(state="draft")
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        designing.change_state(study, "open")
        assert len(told("study.state_changed")) == 1
        raise ZeroDivisionError
    assert not Delivery.objects.exists()


def test_a_study_is_complete_once_and_again_when_more_is_wanted() -> None:
    make_hook(make_ada())
    study = make_study(session_length=2, judgments_per_triplet=2)
    answered_session(study)
    tasks.tell_complete()
    assert told("study.complete") == []
    answered_session(study)
    for _ in range(3):
        tasks.tell_complete()
    assert [row["data"]["judgments_per_triplet"] for row in told("study.complete")] == [2]
    study.judgments_per_triplet = 3
    study.save(update_fields=["judgments_per_triplet"])
    tasks.tell_complete()
    answered_session(study)
    tasks.tell_complete()
    assert [row["data"]["judgments_per_triplet"] for row in told("study.complete")] == [2, 3]


def test_whether_a_study_is_complete_is_asked_only_where_somebody_wants_to_hear_it(
    django_assert_num_queries: Any,
) -> None:
    make_study()
    with django_assert_num_queries(1):
        tasks.tell_complete()


def test_only_who_may_read_the_study_hears_of_it() -> None:
    ben, cleo = make_ben(), make_cleo()
    study = make_study(state="draft")
    StudyMember.objects.create(study=study, user=ben, role="viewer")
    mine, theirs, _ = make_hook(ben), make_hook(cleo), make_hook(make_ada())
    designing.change_state(study, "open")
    assert [row.webhook for row in Delivery.objects.all()] == [mine]
    assert not theirs.deliveries.exists()


def test_a_webhook_of_one_study_hears_of_no_other() -> None:
    ada = make_ada()
    one, other = make_study("one", state="draft"), make_study("other", state="draft")
    make_hook(ada, study="one")
    designing.change_state(other, "open")
    assert not Delivery.objects.exists()
    designing.change_state(one, "open")
    assert Delivery.objects.count() == 1


def test_nobody_listens_to_a_study_that_is_not_theirs() -> None:
    study = make_study()
    StudyMember.objects.create(study=study, user=make_ben(), role="owner")
    with pytest.raises(ValueError, match="not yours to read"):
        make_hook(make_ada(), study="which")


@pytest.mark.parametrize("purpose", ["dry_run", "preview"])
def test_trying_a_study_out_is_nobodys_news(purpose: str) -> None:
    make_hook(make_ada())
    answered_session(make_study(purpose=purpose, is_simulated=True, session_length=2))
    assert not Delivery.objects.exists()


def test_simulated_answers_say_so() -> None:
    make_hook(make_ada())
    answered_session(make_study(is_simulated=True, session_length=2))
    assert told("session.finished")[0]["is_simulated"] is True


def test_no_message_says_who_answered_or_what() -> None:
    make_hook(make_ada())
    study = make_study(session_length=2)
    session = make_session(study)
    (first, *_) = make_judgments(session, 2)
    serving.record(session, [make_answer(first.trial, "right", supersedes=first.pk)])
    serving.finish(session)
    text = str(told("session.finished"))
    assert str(session.annotator_id) not in text
    assert "jpeg" not in text
    assert "choice" not in text


def test_where_nobody_listens_a_session_that_ends_costs_one_query(
    django_assert_num_queries: Any,
) -> None:
    session = make_session(make_study())
    with django_assert_num_queries(1):
        telling.session_finished(session)
