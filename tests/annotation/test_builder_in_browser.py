"""A study designed by clicking: settings come and go, and the draft is what was counted."""

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect

from annotation.models import Study
from codecs_eval.models import Reconstruction, Score
from tests.codecs_eval.test_desk_in_browser import assert_in_order, log_in
from tests.factories import make_ladder, make_study
from tests.processes import LiveSite

CODECS = ("avif", "jpeg", "webp")


def make_scored_ladder() -> None:
    make_ladder("kodak", n_sources=3, codecs=CODECS, rates_bpp=(0.2, 1.0))
    for row in Reconstruction.objects.all():
        value = {"avif": 30.0, "jpeg": 32.0, "webp": 34.0}[row.codec]
        Score.objects.create(reconstruction=row, metric="psnr", metric_version="1", value=value)


def test_a_study_is_built_by_clicking(site: LiveSite, page: Page) -> None:
    make_scored_ladder()
    complaints = log_in(page, site)
    page.goto(f"{site.url}{reverse('new_study')}")
    takes = page.locator(".takes")
    page.get_by_label("Title").fill("Wer ist näher?")
    expect(page.get_by_label("Short name")).to_have_value("wer-ist-naher")
    page.get_by_label("Rates (bpp)").fill("0.2, 1")
    page.get_by_label("Side of the crop (px)").fill("64")
    expect(takes).to_contain_text("18: 9 at 0.2 bpp, 9 at 1 bpp")
    expect(page.get_by_role("button", name="Count")).to_be_hidden()

    # Only what matters for the choice is shown.
    metric = page.get_by_label("Metric that orders the copies")
    expect(metric).to_be_hidden()
    page.get_by_label("Which pairs").select_option("neighbours")
    expect(metric).to_be_visible()
    expect(page.get_by_label("Metric that disputes it")).to_be_hidden()
    metric.select_option("psnr")
    expect(takes).to_contain_text("12: 6 at 0.2 bpp, 6 at 1 bpp")

    page.get_by_label("Which pairs").select_option("chosen")
    expect(metric).to_be_hidden()
    pair = page.get_by_label("JPEG and WebP")
    pair.check()
    expect(takes).to_contain_text("6: 3 at 0.2 bpp, 3 at 1 bpp")
    page.get_by_label("WebP (6 files)").uncheck()
    expect(pair).to_be_hidden()
    expect(takes).to_contain_text("no named pair")
    page.get_by_label("WebP (6 files)").check()
    page.get_by_label("JPEG and WebP").check()

    page.get_by_label("Judgments a triplet").fill("4")
    page.get_by_label("Pay an hour").fill("12")
    expect(takes).to_contain_text("24 that count")
    expect(takes).to_contain_text("12 an hour")
    page.get_by_role("button", name="Make the draft").click()
    expect(page.get_by_text("6 triplets planned")).to_be_visible()
    study = Study.objects.get()
    assert (study.slug, study.chosen_pairs, study.judgments_per_triplet) == (
        "wer-ist-naher", [["jpeg", "webp"]], 4,
    )  # fmt: skip
    assert complaints == []


def test_a_mode_brings_its_words_and_its_settings(site: LiveSite, page: Page) -> None:
    make_scored_ladder()
    complaints = log_in(page, site)
    page.goto(f"{site.url}{reverse('new_study')}")
    expect(page.get_by_label("Flicker (changes a second)")).to_be_hidden()
    page.get_by_label("Mode", exact=True).select_option("flicker")
    page.get_by_label("Polarity").select_option("differs")
    expect(page.get_by_label("Flicker (changes a second)")).to_be_visible()
    page.get_by_text("Left empty, people read").click()
    expect(page.locator("[data-known=instructions]")).to_contain_text("flickers more")
    assert complaints == []


def test_the_builder_works_without_scripts(site: LiveSite, browser: Browser) -> None:
    make_scored_ladder()
    page = browser.new_context(java_script_enabled=False).new_page()
    log_in(page, site)
    page.goto(f"{site.url}{reverse('new_study')}")
    page.get_by_label("Title").fill("Plain")
    page.get_by_label("Short name").fill("plain")
    page.get_by_label("Rates (bpp)").fill("0.2, 1")
    page.get_by_label("Side of the crop (px)").fill("64")
    page.get_by_label("Which pairs").select_option("anchor")
    page.get_by_label("Codec that all are compared with").select_option("webp")
    page.get_by_role("button", name="Count").click()
    expect(page.locator(".takes")).to_contain_text("12: 6 at 0.2 bpp, 6 at 1 bpp")
    assert not Study.objects.exists()
    page.get_by_role("button", name="Make the draft").click()
    expect(page.get_by_text("12 triplets planned")).to_be_visible()
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_of_the_builder_has_no_violation(
    site: LiveSite, browser: Browser, scheme: str
) -> None:
    make_scored_ladder()
    study = make_study("asked", collection="kodak", codecs=CODECS, rates_bpp=(0.2, 1.0))
    make_study("draft", collection="kodak", codecs=CODECS, rates_bpp=(0.2, 1.0), state="draft")
    row = Reconstruction.objects.filter(codec="jpeg").first()
    assert row
    Reconstruction.objects.filter(pk=row.pk).update(bpp=1.3, state="nearest")
    page = browser.new_context(color_scheme=scheme).new_page()  # type: ignore[arg-type]
    complaints = log_in(page, site)
    urls = [
        reverse("new_study"),
        f"{reverse('new_study')}?preset=aic3_plain",
        reverse("edit_study", args=["draft"]),
        reverse("study", args=["draft"]),
        reverse("study", args=[study.slug]),
        reverse("study_left_out", args=[study.slug]),
        f"{reverse('study_power', args=[study.slug])}?share=80&alpha=5&power=80",
    ]
    assert_in_order(page, site, urls, complaints)
    page.goto(site.url + reverse("study", args=[study.slug]))
    page.get_by_role("button", name="New version").click()
    page.get_by_label("Seed").fill("9")
    page.get_by_role("button", name="Save the draft").click()
    # The seed, and the pairs of the copy that misses its rate by now.
    expect(page.get_by_text("2 differences from version 1")).to_be_visible()
    page.get_by_role("link", name="Which is closer?").first.click()
    page.get_by_role("button", name="Preview as an annotator").click()
    expect(page.get_by_text("PREVIEW: nothing here counts")).to_be_visible()
    assert_in_order(page, site, [page.url.removeprefix(site.url)], complaints)
    page.context.close()
