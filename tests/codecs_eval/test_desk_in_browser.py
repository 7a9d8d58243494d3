"""The desk in a real browser: a run page that follows its run, and every page under axe."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from codecs_eval.models import Run, RunLine, RunMetric
from tests.codecs_eval.desk_rows import make_dataset, make_report, make_run
from tests.factories import make_ada, make_reconstruction, make_source
from tests.processes import LiveSite

DESK_PAGES = [
    "home", "sources", "codecs", "train_codec", "compare_codecs", "metrics", "datasets", "runs",
    "compare_runs", "reports", "help",
]  # fmt: skip
COLLECTION_PAGES = ["collection", "saliency", "downstream_on_collection"]


def log_in(page: Page, site: LiveSite) -> list[str]:
    """Ada at her desk; returns what the browser complains about from here on."""
    make_ada(is_superuser=True, password="let-me-in-please")
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None,
    )
    page.goto(f"{site.url}/login/?next=/help/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill("let-me-in-please")
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(f"{site.url}/help/")
    return complaints


def assert_in_order(page: Page, site: LiveSite, urls: list[str], complaints: list[str]) -> None:
    """Each page: nothing for the console, nothing for axe, no wider than its window."""
    for url in urls:
        page.goto(site.url + url)
        page.wait_for_load_state("networkidle")
        assert complaints == [], url
        results = Axe().run(page)
        assert results.violations_count == 0, f"{url}: {results.generate_report()}"
        is_wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert not is_wide, f"{url} is wider than its window"


def test_a_run_page_follows_its_run_to_the_end(site: LiveSite, page: Page) -> None:
    run = make_run("running", started_at=timezone.now(), note="epoch 1")
    complaints = log_in(page, site)
    page.goto(site.url + run.get_absolute_url())
    expect(page.locator(".curve")).to_have_count(0)

    RunLine.objects.create(run=run, text="<b>epoch 1</b> took 3 s")
    for step in range(1, 4):
        RunMetric.objects.create(run=run, step=step, name="train_loss", value=1 / step)
        RunMetric.objects.create(run=run, step=step, name="heldout_agreement", value=0.7)
    Run.objects.filter(pk=run.pk).update(progress=0.5, note="epoch 3")
    expect(page.locator("[data-live=log]")).to_contain_text("<b>epoch 1</b> took 3 s")
    expect(page.get_by_label("train loss: 0.3333 at step 3, 3 points")).to_be_visible()
    expect(page.get_by_label("heldout agreement, %: 70 at step 3, 3 points")).to_be_visible()
    expect(page.locator("[data-live=share]")).to_have_text("50 %")

    site.kill()
    expect(page.locator("[data-live=trouble]")).to_contain_text("No news", timeout=20_000)
    site.start()
    expect(page.locator("[data-live=trouble]")).to_be_empty(timeout=30_000)
    del complaints[:]

    Run.objects.filter(pk=run.pk).update(
        state="failed", error="Out of paper.", finished_at=timezone.now()
    )
    expect(page.get_by_text("Out of paper.")).to_be_visible(timeout=15_000)
    expect(page.locator("h1 .state")).to_have_text("failed")
    expect(page.locator(".curve")).to_have_count(2)
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_of_the_desk_has_no_violation(
    site: LiveSite, browser: Browser, scheme: str
) -> None:
    dataset = make_dataset(is_simulated=True)
    report = make_report(dataset)
    failed = make_run("failed", dataset=dataset, error="Out of paper.", traceback="Traceback")
    RunMetric.objects.create(run=failed, step=1, name="train_loss", value=1)
    make_reconstruction(make_source("lakes"), state="nearest")
    page = browser.new_context(
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport={"width": 1280, "height": 800},
    ).new_page()
    complaints = log_in(page, site)
    urls = [
        *map(reverse, DESK_PAGES),
        *(reverse(name, args=["lakes"]) for name in COLLECTION_PAGES),
        reverse("report", args=[report.pk]),
        *(row.get_absolute_url() for row in (dataset, report, failed)),
    ]
    assert_in_order(page, site, urls, complaints)
    page.context.close()
