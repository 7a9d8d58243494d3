"""Webhooks: what is written down with an event, how it is signed, sent, tried again, given up."""

import hashlib
import hmac
import json
import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from codecs_eval import announcing, delivering, reaching, runs
from codecs_eval.models import Delivery, Run, Webhook
from tests.codecs_eval.receiving import Receiver, receiving
from tests.factories import make_ada, make_cleo

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home", "inner_network")]


@pytest.fixture
def inner_network(settings: Any) -> None:
    """The receiver stands on this machine."""
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = True


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def make_hook(url: str, user: Any = None, events: tuple[str, ...] = ("run.finished",)) -> Webhook:
    return announcing.make_webhook(user or make_ada(), url, events)


def ended_run(state: str = "done", **values: Any) -> Run:
    run = Run.objects.create(kind="score", title="Scores", **values)
    owner = runs.new_owner()
    assert runs.claim(run.pk, owner)
    assert runs.finish(run.pk, owner, state)
    return run


def later(delivery: Delivery, wait: timedelta) -> None:
    """As if so much time had passed."""
    row = Delivery.objects.get(pk=delivery.pk)
    Delivery.objects.filter(pk=row.pk).update(next_try_at=row.next_try_at - wait)


# What is written down


def test_a_run_that_ends_is_told_of_with_what_it_was(receiver: Receiver) -> None:
    make_hook(receiver.url)
    run = ended_run("failed", is_simulated=True)
    (row,) = Delivery.objects.all()
    assert row.payload["id"] == str(row.pk)
    assert row.payload["is_simulated"] is True
    assert row.payload["data"] == {
        "run": str(run.pk), "kind": "score", "title": "Scores", "state": "failed",
    }  # fmt: skip
    assert receiver.posts == []


def test_what_was_rolled_back_is_told_to_nobody(receiver: Receiver) -> None:
    make_hook(receiver.url)
    run = Run.objects.create(kind="score", title="Scores")
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        runs.cancel(run)
        assert Delivery.objects.count() == 1
        raise ZeroDivisionError
    run.refresh_from_db()
    assert run.state == "queued"
    assert not Delivery.objects.exists()


def test_each_way_to_end_is_told_once(receiver: Receiver) -> None:
    make_hook(receiver.url)
    cancelled = Run.objects.create(kind="score", title="Scores")
    runs.cancel(cancelled)
    runs.cancel(cancelled)
    lost = Run.objects.create(
        kind="score", title="Lost", state="running", attempts=runs.MAX_ATTEMPTS,
        lease_until=timezone.now() - timedelta(seconds=1),
    )  # fmt: skip
    runs.sweep()
    told = dict(Delivery.objects.values_list("subject", "payload__data__state"))
    assert told == {str(cancelled.pk): "cancelled", str(lost.pk): "failed"}


def test_only_who_may_see_runs_hears_of_them(receiver: Receiver) -> None:
    make_hook(receiver.url, make_cleo())
    ended_run()
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("values", [{"is_active": False}, {"events": ["session.finished"]}])
def test_who_did_not_ask_for_it_hears_nothing(values: dict[str, Any], receiver: Receiver) -> None:
    hook = make_hook(receiver.url)
    Webhook.objects.filter(pk=hook.pk).update(**values)
    ended_run()
    assert not Delivery.objects.exists()


def test_who_left_hears_nothing(receiver: Receiver) -> None:
    ada = make_ada()
    make_hook(receiver.url, ada)
    ada.is_active = False
    ada.save(update_fields=["is_active"])
    ended_run()
    assert not Delivery.objects.exists()


# Sent


def test_a_delivery_is_signed_as_the_receiver_checks_it(receiver: Receiver) -> None:
    hook = make_hook(receiver.url)
    run = ended_run()
    (row,) = Delivery.objects.all()
    assert delivering.deliver(row.pk) == "delivered"
    (post,) = receiver.posts
    # The receiver's own reading of the header, with the secret that it was shown once.
    parts = dict(part.split("=") for part in post.headers["Triad-Signature"].split(","))
    expected = hmac.new(
        hook.secret.encode(), parts["t"].encode() + b"." + post.body, hashlib.sha256
    )
    assert parts["v1"] == expected.hexdigest()
    assert abs(int(parts["t"]) - timezone.now().timestamp()) < 60
    assert post.headers["Triad-Event"] == "run.finished"
    assert post.headers["Triad-Delivery"] == str(row.pk) == json.loads(post.body)["id"]
    assert json.loads(post.body)["data"]["run"] == str(run.pk)
    assert post.path == "/hook?a=1"


def test_the_secret_is_in_no_column(receiver: Receiver) -> None:
    hook = make_hook(receiver.url)
    values = [str(getattr(hook, field.name)) for field in Webhook._meta.fields]
    assert not any(hook.secret.removeprefix("whsec_") in value for value in values)
    assert make_hook(receiver.url, make_cleo()).secret != hook.secret


def test_one_that_was_delivered_is_not_sent_again_by_itself(receiver: Receiver) -> None:
    make_hook(receiver.url)
    ended_run()
    (row,) = Delivery.objects.all()
    for _ in range(3):
        assert delivering.deliver(row.pk) == "delivered"
    assert len(receiver.posts) == 1
    assert delivering.due() == []


def test_a_server_that_fails_is_tried_again_later_with_the_same_body() -> None:
    with receiving(500, 503) as receiver:
        make_hook(receiver.url)
        ended_run()
        (row,) = Delivery.objects.all()
        assert delivering.deliver(row.pk) == "waiting"
        assert delivering.deliver(row.pk) == "waiting"
        assert len(receiver.posts) == 1, "not before its time"
        later(row, delivering.wait_after(1))
        delivering.deliver(row.pk)
        later(row, delivering.wait_after(1))
        assert delivering.deliver(row.pk) == "waiting", "the second wait is longer"
        later(row, delivering.wait_after(2))
        assert delivering.deliver(row.pk) == "delivered"
    assert len(receiver.posts) == 3
    assert len({post.body for post in receiver.posts}) == 1
    assert len({post.headers["Triad-Delivery"] for post in receiver.posts}) == 1
    row.refresh_from_db()
    assert (row.attempts, row.last_status, row.last_error) == (3, 200, "")


def test_after_a_day_of_tries_it_is_given_up_and_can_be_sent_again_by_hand() -> None:
    with receiving(*[500] * delivering.MOST_ATTEMPTS) as receiver:
        make_hook(receiver.url)
        ended_run()
        (row,) = Delivery.objects.all()
        for attempt in range(1, delivering.MOST_ATTEMPTS + 1):
            state = delivering.deliver(row.pk)
            later(row, delivering.wait_after(attempt))
        assert state == "failed"
        assert delivering.due() == []
        row.refresh_from_db()
        assert row.last_error == "Found status 500; expected 200 to 299."
        delivering.send_again(row)
        assert delivering.due() == [row.pk]
        assert delivering.deliver(row.pk) == "delivered"
    assert len(receiver.posts) == delivering.MOST_ATTEMPTS + 1


def test_all_tries_are_within_a_day() -> None:
    waits = [delivering.wait_after(n) for n in range(1, delivering.MOST_ATTEMPTS)]
    assert waits == sorted(waits)
    assert timedelta(hours=20) < sum(waits, timedelta()) < timedelta(hours=24)


def test_a_worker_that_died_in_the_last_try_leaves_no_delivery_waiting_for_ever() -> None:
    hook = make_hook("http://127.0.0.1:9/")
    row = announcing.ping(hook)
    Delivery.objects.filter(pk=row.pk).update(attempts=delivering.MOST_ATTEMPTS)
    assert delivering.deliver(row.pk) == "failed"


def test_a_worker_that_died_in_a_try_costs_that_try(receiver: Receiver) -> None:
    row = announcing.ping(make_hook(receiver.url))
    assert delivering._claim(row)
    assert delivering.deliver(row.pk) == "waiting"
    later(row, delivering.wait_after(1))
    assert delivering.deliver(row.pk) == "delivered"
    assert len(receiver.posts) == 1


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    with receiving(302, location=receiver.url) as first:
        row = announcing.ping(make_hook(first.url))
        assert delivering.deliver(row.pk) == "waiting"
    row.refresh_from_db()
    assert row.last_status == 302
    assert receiver.posts == []


def test_nobody_there_is_an_answer_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    row = announcing.ping(make_hook(f"http://127.0.0.1:{port}/"))
    assert delivering.deliver(row.pk) == "waiting"
    row.refresh_from_db()
    assert row.last_status is None
    assert "refused" in row.last_error


def test_the_command_sends_what_is_due(receiver: Receiver, capsys: Any) -> None:
    row = announcing.ping(make_hook(receiver.url))
    call_command("webhooks", "send", "--json")
    (told,) = json.loads(capsys.readouterr().out)
    assert told == {"id": str(row.pk), "event": "ping", "state": "delivered", "answer": 200}
    assert len(receiver.posts) == 1


def test_one_that_is_switched_off_is_told_nothing_that_waits_but_a_ping(
    receiver: Receiver,
) -> None:
    hook = make_hook(receiver.url)
    ended_run()
    (row,) = Delivery.objects.all()
    Webhook.objects.filter(pk=hook.pk).update(is_active=False)
    assert delivering.due() == []
    assert delivering.deliver(row.pk) == "waiting"
    assert receiver.posts == []
    ping = announcing.ping(hook)
    assert delivering.due() == [ping.pk]
    assert delivering.deliver(ping.pk) == "delivered"
    Webhook.objects.filter(pk=hook.pk).update(is_active=True)
    assert delivering.deliver(row.pk) == "delivered"


def test_an_account_that_is_closed_meanwhile_is_told_nothing_that_waits(
    receiver: Receiver,
) -> None:
    ada = make_ada()
    hook = make_hook(receiver.url, ada)
    ended_run()
    announcing.ping(hook)
    ada.is_active = False
    ada.save(update_fields=["is_active"])
    assert delivering.due() == []
    assert {delivering.deliver(row.pk) for row in Delivery.objects.all()} == {"waiting"}
    assert receiver.posts == []


def test_a_claim_is_tested_by_the_very_update_that_makes_it(
    receiver: Receiver, django_assert_num_queries: Any
) -> None:
    """Within a subquery it would not be tested again by a worker who waited for another's."""
    row = announcing.ping(make_hook(receiver.url))
    with django_assert_num_queries(1) as asked:
        assert delivering._claim(row)
    assert 'FROM "codecs_eval_delivery"' not in asked.captured_queries[0]["sql"]


# Where it may go


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://localhost:8000/", "http://10.1.2.3/", "http://192.168.0.1/",
        "http://172.16.0.1/", "http://169.254.169.254/latest/meta-data/", "http://0.0.0.0/",
        "http://[::1]/", "http://[fe80::1]/", "http://[fd00::1]/", "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://2130706433/",
        "http://0x7f.1/", "http://224.0.0.1/", "http://100.64.0.1/", "http://240.0.0.1/",
        "http://[64:ff9b:1::a00:1]/", "http://[::ffff:0:10.0.0.1]/", "http://[::127.0.0.1]/",
        "http://[fec0::1]/",
    ],
)  # fmt: skip
def test_no_inner_address_is_taken(url: str, settings: Any) -> None:
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = False
    with pytest.raises(ValueError, match="expected a (public address|name that resolves)"):
        announcing.make_webhook(make_ada(), url, ["run.finished"])
    assert not Webhook.objects.exists()


@pytest.mark.parametrize("host", ["8.8.8.8", "[2600:9000::1]", "[64:ff9b::808:808]"])
def test_an_outer_address_is_taken(host: str, settings: Any) -> None:
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = False
    assert announcing.make_webhook(make_ada(), f"https://{host}/", ["run.finished"]).is_active


def test_an_address_that_became_an_inner_one_is_not_called(
    receiver: Receiver, settings: Any
) -> None:
    row = announcing.ping(make_hook(receiver.url))
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = False
    assert delivering.deliver(row.pk) == "waiting"
    row.refresh_from_db()
    assert "expected a public address" in row.last_error
    assert receiver.posts == []


def test_the_connection_goes_to_the_address_that_was_checked(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that answers with another address the second time gains nothing by it."""
    port = int(receiver.url.split(":")[2].split("/")[0])
    asked: list[str] = []

    def look_up(host: str, *args: Any, **kwargs: Any) -> Any:
        asked.append(host)
        found = "127.0.0.1" if asked.count("hook.example") < 2 else "127.0.0.99"
        address = found if host == "hook.example" else host
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert reaching.post(f"http://hook.example:{port}/x", b"{}", {}) == 200
    assert asked.count("hook.example") == 1
    assert receiver.posts[0].headers["Host"] == f"hook.example:{port}"


@pytest.mark.parametrize(
    "url",
    [
        "", "hook", "ftp://example.org/", "file:///etc/passwd", "http://", "http://:80/",
        "http://ada:pw@example.org/", "http://example.org:99999/", "http://example.org:0/",
        "http://example.org/a b", "http://example.org/\r\nX: y", f"http://example.org/{'x' * 500}",
        "gopher://127.0.0.1/",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="expected http"):
        announcing.make_webhook(make_ada(), url, ["run.finished"])


@pytest.mark.parametrize("events", [[], ["ping"], ["run.finished", "moon.full"]])
def test_what_is_no_event_is_refused(events: list[str], receiver: Receiver) -> None:
    with pytest.raises(ValueError, match="Found events"):
        announcing.make_webhook(make_ada(), receiver.url, events)


def test_nobody_collects_webhooks_without_end(receiver: Receiver) -> None:
    ada = make_ada()
    for _ in range(announcing.MOST_WEBHOOKS):
        make_hook(receiver.url, ada)
    with pytest.raises(ValueError, match="delete one first"):
        make_hook(receiver.url, ada)
