"""The pages of the API: its documentation, one's tokens and one's webhooks."""

import re
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from annotation.models import StudyMember
from annotation.rest import api
from codecs_eval import announcing, tokens
from codecs_eval.models import ApiToken, Delivery, Webhook
from tests.annotation.rest.asking import Program
from tests.factories import make_ada, make_ben, make_study

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]


def logged_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def ada_row() -> Any:
    return make_ada()


@pytest.fixture
def ada(ada_row: Any) -> Client:
    return logged_in(ada_row)


def text_of(reply: Any) -> str:
    assert reply.status_code in (200, 400), reply.status_code
    return str(reply.content.decode())


def test_the_documentation_names_every_operation_and_fetches_nothing_elsewhere(ada: Client) -> None:
    text = text_of(ada.get(reverse("api_docs")))
    for path, methods in api.get_openapi_schema()["paths"].items():
        for told in methods.values():
            assert path in text
            assert f'id="{told["operationId"]}"' in text
    assert re.findall(r'(?:src|<link[^>]*href)="(?:https?:)?//', text) == []
    assert "<script" not in text


def test_a_token_is_shown_once_and_opens_the_api(ada: Client) -> None:
    sent = {"name": "nightly", "scopes": ["studies:read"], "days": "30"}
    made = text_of(ada.post(reverse("api_tokens"), sent))
    (token,) = re.findall(r"triad_[\w-]{43}", made)
    assert Program(token).get("/studies").status_code == 200
    later = text_of(ada.get(reverse("api_tokens")))
    assert "nightly" in later
    assert token not in later
    assert ada.get(reverse("api_tokens"))["Cache-Control"].startswith("max-age=0")


@pytest.mark.parametrize(
    "wrong", [{"scopes": []}, {"scopes": ["all"]}, {"days": "9999"}, {"name": ""}]
)
def test_a_token_that_cannot_be_is_not_made(ada: Client, wrong: dict[str, Any]) -> None:
    sent = {"name": "nightly", "scopes": ["studies:read"], "days": "30", **wrong}
    assert ada.post(reverse("api_tokens"), sent).status_code == 400
    assert not ApiToken.objects.exists()


def test_a_token_is_revoked_by_its_owner_alone(ada: Client, ada_row: Any) -> None:
    row, text = tokens.make_token(ada_row, "lost", ["studies:read"])
    ben = make_ben()
    StudyMember.objects.create(study=make_study(), user=ben, role="viewer")
    sent = {"token": str(row.pk)}
    assert logged_in(ben).post(reverse("revoke_token"), sent).status_code == 404
    assert Program(text).get("/studies").status_code == 200
    ada.post(reverse("revoke_token"), sent)
    assert Program(text).get("/studies").status_code == 401


@pytest.mark.parametrize("token", ["", "x", "999", "9" * 30])
def test_a_token_that_is_none_is_not_found(ada: Client, token: str) -> None:
    assert ada.post(reverse("revoke_token"), {"token": token}).status_code == 404


def test_a_webhook_is_added_pinged_switched_off_and_deleted(ada: Client, settings: Any) -> None:
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = True
    sent = {"url": "http://127.0.0.1:9/", "events": ["run.finished"], "study": ""}
    made = text_of(ada.post(reverse("api_webhooks"), sent))
    hook = Webhook.objects.get()
    assert hook.secret in made
    assert hook.secret not in text_of(ada.get(reverse("api_webhooks")))
    _act(ada, hook, "ping")
    assert Delivery.objects.get().event == "ping"
    assert "ping" in text_of(ada.get(reverse("api_webhooks")))
    _act(ada, hook, "switch")
    hook.refresh_from_db()
    assert hook.is_active is False
    _act(ada, hook, "delete")
    assert not Webhook.objects.exists()


def _act(client: Client, hook: Webhook, act: str) -> None:
    sent = {"webhook": str(hook.pk), "act": act}
    assert client.post(reverse("act_on_webhook"), sent).status_code == 302


def test_an_inner_address_is_refused_with_the_reason_on_the_page(ada: Client) -> None:
    sent = {"url": "http://127.0.0.1:9/", "events": ["run.finished"]}
    reply = ada.post(reverse("api_webhooks"), sent)
    assert reply.status_code == 400
    assert "expected a public address" in text_of(reply)


def test_what_failed_is_sent_again_by_its_owner_alone(
    ada: Client, ada_row: Any, settings: Any
) -> None:
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = True
    hook = announcing.make_webhook(ada_row, "http://127.0.0.1:9/", ["run.finished"])
    row = announcing.ping(hook)
    Delivery.objects.update(state="failed", attempts=8)
    ben = make_ben()
    StudyMember.objects.create(study=make_study(), user=ben, role="viewer")
    for name in ("send_again", "act_on_webhook"):
        sent = {"delivery": str(row.pk), "webhook": str(hook.pk), "act": "delete"}
        assert logged_in(ben).post(reverse(name), sent).status_code == 404
    assert ada.post(reverse("send_again"), {"delivery": str(row.pk)}).status_code == 302
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("waiting", 0)


@pytest.mark.parametrize("name", ["api_docs", "api_tokens", "api_webhooks"])
def test_who_is_named_on_a_study_goes_in(name: str) -> None:
    ben = make_ben()
    StudyMember.objects.create(study=make_study(), user=ben, role="viewer")
    assert logged_in(ben).get(reverse(name)).status_code == 200


@pytest.mark.parametrize("name", ["api_tokens", "api_webhooks"])
def test_a_page_takes_as_many_queries_for_many_rows_as_for_few(
    name: str, ada: Client, ada_row: Any, settings: Any, django_assert_num_queries: Any
) -> None:
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = True
    for index in range(5):
        tokens.make_token(ada_row, f"token {index}", ["studies:read"])
        hook = announcing.make_webhook(ada_row, f"http://127.0.0.1:{index + 1}/", ["run.finished"])
        announcing.ping(hook)
    with django_assert_num_queries(3 if name == "api_tokens" else 5):
        ada.get(reverse(name))


# Commands


def test_the_command_makes_lists_and_revokes_tokens(ada_row: Any, capsys: Any) -> None:
    call_command(
        "api_token", "--user", "ada", "--name", "cron", "--scopes", "runs:read", "--days", "5"
    )
    (text,) = re.findall(r"triad_[\w-]{43}", capsys.readouterr().out)
    row = tokens.find_token(text)
    assert row is not None
    assert row.scopes == ["runs:read"]
    call_command("api_token", "--user", "ada")
    listed = capsys.readouterr().out
    assert "cron" in listed
    assert text not in listed
    call_command("api_token", "--user", "ada", "--revoke", str(row.pk))
    assert Program(text).get("/runs").status_code == 401


def test_the_command_knows_no_account_that_there_is_not() -> None:
    with pytest.raises(CommandError, match="No account"):
        call_command("api_token", "--user", "nobody", "--name", "x")


# The admin


def test_the_admin_revokes_a_lost_token_and_shows_no_secret(settings: Any) -> None:
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = True
    ben = make_ben()
    row, text = tokens.make_token(ben, "lost", ["studies:read"])
    hook = announcing.make_webhook(ben, "http://127.0.0.1:9/", ["run.finished"])
    root = logged_in(make_ada(is_superuser=True))
    for kind, pk in (("apitoken", row.pk), ("webhook", hook.pk)):
        shown = text_of(root.get(reverse(f"admin:codecs_eval_{kind}_change", args=[pk])))
        assert row.token_sha256 not in shown
        assert hook.nonce not in shown
    sent = {"action": "revoke", "_selected_action": [str(row.pk)]}
    root.post(reverse("admin:codecs_eval_apitoken_changelist"), sent)
    assert Program(text).get("/studies").status_code == 401
