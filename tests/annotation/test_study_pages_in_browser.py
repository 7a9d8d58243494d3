"""The study pages in a real browser: axe, no complaint, no page wider than its window."""

import pytest
from django.urls import reverse
from playwright.sync_api import Browser

from tests.codecs_eval.test_desk_in_browser import assert_in_order, log_in
from tests.factories import make_judgments, make_session, make_study
from tests.processes import LiveSite

TABS = ["study", "study_watch", "study_results", "study_gallery", "study_export"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_of_a_study_has_no_violation(
    site: LiveSite, browser: Browser, scheme: str
) -> None:
    study = make_study()
    make_judgments(make_session(study), 3)
    page = browser.new_context(color_scheme=scheme).new_page()  # type: ignore[arg-type]
    complaints = log_in(page, site)
    urls = [
        reverse("home"),
        reverse("studies"),
        reverse("new_study"),
        *(reverse(tab, args=[study.slug]) for tab in TABS),
    ]
    assert_in_order(page, site, urls, complaints)
    page.context.close()
