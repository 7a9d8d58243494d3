"""The study pages in a real browser: axe, no complaint, no page wider than its window."""

import pytest
from django.urls import reverse
from playwright.sync_api import Browser

from annotation import sharing
from annotation.models import Study
from tests.annotation.gallery_rows import score, triplets
from tests.codecs_eval.test_desk_in_browser import assert_in_order, log_in
from tests.factories import make_judgments, make_session, make_study, make_user
from tests.processes import LiveSite

TABS = [
    "study", "study_recruit", "study_watch", "study_sessions", "study_results", "study_gallery",
    "study_export", "study_conformance",
]  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_of_a_study_has_no_violation(
    site: LiveSite, browser: Browser, scheme: str
) -> None:
    study = make_study(allow_not_sure=True)
    session = make_session(study)
    make_judgments(session, 3)
    page = browser.new_context(
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport={"width": 1280, "height": 800},
    ).new_page()
    complaints = log_in(page, site)
    gallery = reverse("study_gallery", args=[study.slug])
    urls = [
        reverse("home"),
        reverse("studies"),
        reverse("new_study"),
        *(reverse(tab, args=[study.slug]) for tab in TABS),
        reverse("study_session", args=[study.slug, session.pk]),
        f"{gallery}?sort=split&judged=1&with=everybody",
        f"{gallery}?source=ghost",
    ]
    assert_in_order(page, site, urls, complaints)
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_triplet_and_its_shared_link_have_no_violation(
    site: LiveSite, browser: Browser, scheme: str
) -> None:
    study = make_study(is_simulated=True)
    make_judgments(make_session(study), 2)
    study.state = Study.State.CLOSED
    study.save()
    one = triplets(study)[0]
    score(one.first, 40)
    score(one.second, 30)
    token = sharing.share(triplets(study)[0], make_user("owner"))
    page = browser.new_context(
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport={"width": 1280, "height": 800},
    ).new_page()
    complaints = log_in(page, site)
    address = reverse("gallery_triplet", args=[study.slug, one.pk])
    shared = reverse("shared_triplet", args=[token])
    urls = [address, f"{address}?view=beside&zoom=3", f"{address}?view=first-difference", shared]
    assert_in_order(page, site, urls, complaints)
    page.context.close()
