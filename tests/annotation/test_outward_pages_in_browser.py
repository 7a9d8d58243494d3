"""The pages of the API in a real browser: axe, no complaint under the policy, none too wide."""

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Browser

from codecs_eval import announcing, tokens
from codecs_eval.models import Webhook
from tests.codecs_eval.test_desk_in_browser import assert_in_order, log_in
from tests.processes import LiveSite


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_of_the_api_has_no_violation(
    site: LiveSite, browser: Browser, scheme: str
) -> None:
    page = browser.new_context(color_scheme=scheme).new_page()  # type: ignore[arg-type]
    complaints = log_in(page, site)
    user = User.objects.get()
    tokens.make_token(user, "nightly", ["studies:read"])
    hook = Webhook.objects.create(
        user=user, url=f"http://192.0.2.1/{'long/' * 30}", events=["run.finished"], nonce="n"
    )
    announcing.ping(hook)
    names = ["api_docs", "api_tokens", "api_webhooks"]
    assert_in_order(page, site, [reverse(name) for name in names], complaints)
    page.context.close()
