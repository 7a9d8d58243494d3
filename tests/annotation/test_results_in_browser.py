"""The results tab in a real browser: axe, the figure of the page's own tones, the live progress."""

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, expect

from annotation.results_config import StudyResultsConfig
from annotation.running_results import create_results
from codecs_eval import runs
from codecs_eval.models import Run
from tests.annotation.results_made import finished_run, prefers, sit
from tests.codecs_eval.test_desk_in_browser import assert_in_order, log_in
from tests.factories import make_study
from tests.processes import LiveSite


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_results_have_no_violation_and_show_their_figures(
    site: LiveSite, browser: Browser, scheme: str
) -> None:
    study = make_study(n_sources=2, judgments_per_triplet=99)
    for _ in range(6):
        sit(study, prefers("webp", "jpeg"))
    finished_run(study, metrics=("psnr",))
    page = browser.new_context(color_scheme=scheme).new_page()  # type: ignore[arg-type]
    complaints = log_in(page, site)
    assert_in_order(page, site, [reverse("study_results", args=[study.slug])], complaints)
    assert page.locator("figure img").first.evaluate("image => image.naturalWidth") > 0
    page.context.close()


def test_the_page_follows_a_run_and_shows_what_it_found(site: LiveSite, browser: Browser) -> None:
    study = make_study(judgments_per_triplet=99)
    for _ in range(6):
        sit(study, prefers("webp", "jpeg"))
    config = StudyResultsConfig(study=study.slug, metrics=(), resamples=100)
    run = create_results(study, config)
    page = browser.new_context().new_page()
    log_in(page, site)
    page.goto(site.url + reverse("study_results", args=[study.slug]))
    expect(page.locator('[data-live="note"]')).to_have_text("waiting for a worker")
    owner = runs.new_owner()
    assert runs.claim(run.pk, owner)
    Run.objects.filter(pk=run.pk).update(progress=0.4, note="fitting the scales")
    expect(page.locator('[data-live="share"]')).to_have_text("40 %", timeout=15_000)
    expect(page.locator('[data-live="note"]')).to_have_text("fitting the scales")
    assert runs.execute(run.pk, owner) == Run.State.DONE
    expect(page.locator("#closest")).to_be_visible(timeout=20_000)
    page.context.close()
