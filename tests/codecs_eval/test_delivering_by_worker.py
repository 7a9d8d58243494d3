"""Deliveries through the real broker and a real worker."""

from typing import Any

import pytest

from codecs_eval import announcing, tasks
from codecs_eval.models import Delivery
from tests.codecs_eval.receiving import receiving
from tests.factories import make_ada
from tests.processes import wait_for


@pytest.fixture
def inner_network(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """The receiver stands on this machine, for this process and for the worker."""
    monkeypatch.setenv("WEBHOOKS_TO_PRIVATE_ADDRESSES", "1")
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = True


def test_a_worker_sends_each_delivery_once_however_often_it_is_rung_for(
    inner_network: None, live_worker: Any
) -> None:
    with receiving(500) as receiver:
        hook = announcing.make_webhook(make_ada(), receiver.url, ["run.finished"])
        rows = [announcing.ping(hook) for _ in range(3)]
        for _ in range(4):
            tasks.ring_for_deliveries()
        delivered = Delivery.objects.filter(state="delivered")
        wait_for("two of three are delivered", lambda: delivered.count() == 2)
        (late,) = Delivery.objects.exclude(state="delivered")
        assert (late.state, late.last_status) == ("waiting", 500)
    sent = [post.headers["Triad-Delivery"] for post in receiver.posts]
    assert sorted(sent) == sorted(str(row.pk) for row in rows)
