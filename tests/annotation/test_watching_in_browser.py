"""The live page of a study in a real browser: it renews itself and leaves the reader in peace."""

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, expect

from annotation import designing, team
from annotation.models import Study
from tests.codecs_eval.test_desk_in_browser import assert_in_order, log_in
from tests.factories import make_ben, make_judgments, make_session, make_study
from tests.processes import LiveSite

POLL_MS = 20_000


def a_study() -> Study:
    study = make_study(
        "renewed", codecs=("jpeg", "webp", "avif"), n_sources=4, judgments_per_triplet=9
    )
    for _ in range(6):
        make_judgments(make_session(study), 3)
    return study


def test_numbers_renew_in_place_and_the_focus_stays(site: LiveSite, browser: Browser) -> None:
    study = a_study()
    page = browser.new_context().new_page()
    complaints = log_in(page, site)
    page.goto(site.url + reverse("study_watch", args=[study.slug]))
    headline = page.locator("[data-live=progress] .headline")
    expect(headline).to_contain_text("18 of 108 judgments")
    page.locator("#extend-n").fill("77")
    held = page.locator("table.cells td a").first
    held.focus()
    page.evaluate("window.held = document.activeElement")
    before = held.text_content()
    make_judgments(make_session(study), 12)
    expect(headline).to_contain_text("30 of 108 judgments", timeout=POLL_MS)
    assert held.text_content() != before
    assert page.evaluate("window.held === document.activeElement && window.held.isConnected")
    expect(page.locator("#extend-n")).to_have_value("77")
    # What somebody else did to the study shows as well.
    designing.change_state(study, "paused")
    expect(page.get_by_role("button", name="Resume")).to_be_visible(timeout=POLL_MS)
    assert complaints == []
    page.context.close()


def test_a_server_that_is_gone_is_told_and_found_again(site: LiveSite, browser: Browser) -> None:
    study = a_study()
    page = browser.new_context().new_page()
    log_in(page, site)
    page.goto(site.url + reverse("study_watch", args=[study.slug]))
    site.kill()
    said = page.locator("[data-watch]")
    expect(said).to_contain_text("No news", timeout=2 * POLL_MS)
    site.start()
    expect(said).to_have_text("", timeout=3 * POLL_MS)
    page.context.close()


def test_without_scripts_the_page_says_the_same_and_its_buttons_work(
    site: LiveSite, browser: Browser
) -> None:
    study = a_study()
    page = browser.new_context(java_script_enabled=False).new_page()
    log_in(page, site)
    page.goto(site.url + reverse("study_watch", args=[study.slug]))
    expect(page.locator("[data-live=progress]")).to_contain_text("18 of 108 judgments")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    study.refresh_from_db()
    assert study.state == "paused"
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_team_history_sessions_and_watch_have_no_violation(
    site: LiveSite, browser: Browser, scheme: str
) -> None:
    study = a_study()
    page = browser.new_context(color_scheme=scheme).new_page()  # type: ignore[arg-type]
    complaints = log_in(page, site)
    team.name_member(study, make_ben(), "owner", by=None)
    designing.change_state(study, "paused")
    names = ["study_watch", "study_team", "study_history", "study_sessions"]
    urls = [reverse(name, args=[study.slug]) for name in names]
    assert_in_order(page, site, urls, complaints)
    page.context.close()
