"""The gallery's pages: who may see them, what they say, and links for people without an account."""

import io
import re
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.core import signing
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from annotation import sharing
from annotation.models import Study, StudyChange, StudyMember, Triplet
from codecs_eval import storing
from tests.annotation.gallery_rows import score, triplets, vote, votes
from tests.factories import make_ada, make_ben, make_cleo, make_study, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]


def client_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def ada() -> Client:
    return client_of(make_ada())


def address(name: str, triplet: Triplet, *more: str) -> str:
    return reverse(name, args=[triplet.study.slug, triplet.pk, *more])


def text_of(reply: Any) -> str:
    return re.sub(r"\s+", " ", reply.content.decode())


def pixels_of(data: bytes) -> Any:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


# The list


def test_the_page_shows_pictures_votes_and_their_n(ada: Client) -> None:
    study = make_study()
    one = triplets(study)[0]
    votes(one, first=3, second=1, not_sure=1)
    page = text_of(ada.get(reverse("study_gallery", args=["which"])))
    assert "first 3, not sure 1, second 1; n = 5. First: 70 %" in page
    assert "as if all votes were independent" in page
    for side in ("original", "first", "second"):
        assert address("gallery_small", one, side) in page


def test_filters_in_the_address_are_kept_by_every_link(ada: Client) -> None:
    study = make_study(codecs=("jpeg", "webp", "avif"))
    page = text_of(
        ada.get(reverse("study_gallery", args=["which"]), {"pair": "webp,jpeg", "sort": "photo"})
    )
    shown = set(re.findall(r"/gallery/(\d+)\?pair=webp%2Cjpeg&amp;sort=photo", page))
    wanted = study.triplets.filter(first__codec__in=["jpeg", "webp"]).exclude(second__codec="avif")
    assert shown == {str(row.pk) for row in wanted.exclude(first__codec="avif")}
    assert len(shown) == 2


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"codec": "ghost"}, "ghost is not one of the available choices"),
        ({"pair": "jpeg"}, "Found 1 codecs; expected two"),
        ({"rate": "much"}, "Enter a number"),
        ({"sort": "error"}, "Choose the metric whose errors come first"),
    ],
)
def test_what_the_address_asks_wrongly_is_said(
    ada: Client, query: dict[str, str], said: str
) -> None:
    make_study()
    reply = ada.get(reverse("study_gallery", args=["which"]), query)
    assert reply.status_code == 400
    assert said in text_of(reply)


def test_scores_of_a_whole_picture_are_said_to_be_so(ada: Client) -> None:
    study = make_study()
    one = triplets(study)[0]
    assert (one.crop_width_px, one.source.width) == (64, 96)
    score(one.first, 40)
    score(one.second, 30)
    for url in (
        f"{reverse('study_gallery', args=['which'])}?metric=psnr",
        address("gallery_triplet", one),
    ):
        assert "scores of the whole picture; people saw a part" in text_of(ada.get(url)).lower()


def test_a_page_of_24_takes_as_many_queries_as_one_of_two(ada: Client) -> None:
    few = make_study("few")
    many = make_study("many", n_sources=24)
    for study in (few, many):
        for triplet in triplets(study):
            vote(triplet, "first")
    counts = []
    for study in (few, many):
        with CaptureQueriesContext(connection) as found:
            assert ada.get(reverse("study_gallery", args=[study.slug])).status_code == 200
        counts.append(len(found))
    assert counts[0] == counts[1] <= 14


# One triplet


def test_a_triplets_page_tells_its_judgments_and_neighbours(ada: Client) -> None:
    study = make_study()
    one, two = triplets(study)
    judgment = vote(one, "second", ms=1234, verdict="excluded")
    votes(one, 1, 0)
    page = text_of(ada.get(address("gallery_triplet", one), {"sort": "judged"}))
    assert f"{address('gallery_triplet', two)}?sort=judged" in page
    assert "1 of 2: most judged first" in page
    assert reverse("study_session", args=["which", judgment.trial.session_id]) in page
    assert "not counted: excluded session" in page
    assert "1,234" in page


def test_a_triplets_page_takes_as_many_queries_for_many_judgments_as_for_one(ada: Client) -> None:
    one = triplets(make_study())[0]
    counts = []
    for n in (1, 9):
        votes(one, n, 0)
        with CaptureQueriesContext(connection) as found:
            assert ada.get(address("gallery_triplet", one)).status_code == 200
        counts.append(len(found))
    assert counts[0] == counts[1] <= 20


def test_a_triplet_of_another_study_is_not_found(ada: Client) -> None:
    make_study()
    other = triplets(make_study("other"))[0]
    for name, more in (("gallery_triplet", []), ("gallery_picture", ["first"])):
        assert ada.get(reverse(name, args=["which", other.pk, *more])).status_code == 404


def test_a_picture_is_the_crop_that_people_saw_to_the_pixel(ada: Client) -> None:
    one = triplets(make_study())[0]
    left, top, right, bottom = one.box
    for side, row in (("original", one.source), ("first", one.first), ("second", one.second)):
        reply = ada.get(address("gallery_picture", one, side))
        assert reply["Cache-Control"].startswith("private")
        expected = storing.read_pixels(row.path)[top:bottom, left:right]
        assert np.array_equal(pixels_of(reply.content), expected)
    assert ada.get(address("gallery_picture", one, "third")).status_code == 404


def test_a_small_picture_fits_its_square(ada: Client) -> None:
    pixels = {"crop": Study.Crop.WHOLE}
    one = triplets(make_study(**pixels))[0]
    reply = ada.get(address("gallery_small", one, "first"))
    assert (reply["Content-Type"], pixels_of(reply.content).shape) == ("image/webp", (64, 96, 3))


def test_a_study_without_its_pictures_says_so(ada: Client) -> None:
    one = triplets(make_study())[0]
    one.first.path, one.first.bitstream_bytes = "", None
    one.first.save()
    assert ada.get(address("gallery_picture", one, "first")).status_code == 404
    assert "came without its pictures" in text_of(ada.get(address("gallery_triplet", one)))
    assert "not here" in text_of(ada.get(reverse("study_gallery", args=["which"])))


@pytest.mark.parametrize("name", ["gallery_small", "gallery_picture"])
def test_pictures_are_for_those_who_may_read_the_study(name: str) -> None:
    study = make_study()
    one = triplets(study)[0]
    viewer, annotator, stranger = make_cleo(), make_ben(), make_ada()
    StudyMember.objects.create(study=study, user=viewer, role="viewer")
    StudyMember.objects.create(study=study, user=annotator, role="annotator")
    url = address(name, one, "first")
    statuses = [client_of(user).get(url).status_code for user in (viewer, annotator, stranger)]
    assert statuses == [200, 403, 403]
    assert Client().get(url).status_code == 302


# Links for people without an account


def make_link(study: Study, user: Any = None) -> str:
    token = sharing.share(triplets(study)[0], user or make_user("owner"))
    return reverse("shared_triplet", args=[token])


def test_a_link_opens_one_triplet_of_a_closed_study_for_anybody(ada: Client) -> None:
    study = make_study(state="closed")
    one, two = triplets(study)
    votes(one, 2, 1)
    reply = ada.post(address("gallery_share", one), follow=True)
    (url,) = re.findall(r'href="http://testserver(/shared/[^"]+)"', text_of(reply))
    opened = Client().get(url)
    page = text_of(opened)
    assert opened.status_code == 200
    assert "JPEG" in page and "WebP" in page and "Log in" not in page
    assert reverse("study_gallery", args=["which"]) not in page
    assert opened["X-Robots-Tag"] == "noindex, nofollow"
    assert opened["Referrer-Policy"] == "no-referrer"
    for side in ("original", "first", "second"):
        picture = Client().get(f"{url}{side}.png")
        assert picture.status_code == 200 and picture["Cache-Control"].startswith("private")
    assert address("gallery_picture", two, "first") not in page
    assert StudyChange.objects.get(study=study).by == "ada"


@pytest.mark.parametrize("state", ["draft", "open", "paused"])
def test_nothing_is_shared_while_people_may_be_asked(ada: Client, state: str) -> None:
    one = triplets(make_study(state=state))[0]
    reply = ada.post(address("gallery_share", one), follow=True)
    assert f"The study is {state}" in text_of(reply)
    assert "/shared/" not in text_of(reply)
    assert not StudyChange.objects.exists()


def test_a_link_opens_nothing_once_its_study_is_open_again() -> None:
    study = make_study(state="closed")
    url = make_link(study)
    assert Client().get(url).status_code == 200
    Study.objects.filter(pk=study.pk).update(state="open")
    closed = Client().get(url)
    assert closed.status_code == 404 and "JPEG" not in text_of(closed)
    assert Client().get(f"{url}first.png").status_code == 404


def test_a_link_opens_nothing_while_another_study_asks_about_the_same_photos() -> None:
    study = make_study(state="closed")
    url = make_link(study)
    make_study("again", collection=study.collection)
    assert Client().get(url).status_code == 404
    with pytest.raises(ValueError, match="Study again asks people"):
        make_link(study, make_user("other"))


def test_a_link_is_older_than_its_days(monkeypatch: pytest.MonkeyPatch) -> None:
    url = make_link(make_study(state="closed"))
    later = timezone.now() + timedelta(days=sharing.DAYS, minutes=1)
    # The clock of Django's own signer.
    monkeypatch.setattr(signing.time, "time", later.timestamp)
    reply = Client().get(url)
    assert reply.status_code == 404
    assert "older than 30 days" in text_of(reply)


def test_a_link_that_was_changed_opens_nothing() -> None:
    study = make_study(state="closed")
    url = make_link(study)
    token = url.removeprefix("/shared/").rstrip("/")
    forged = signing.dumps({"triplet": triplets(study)[1].pk, "at": 0}, salt="something.else")
    for wrong in (token[:-1] + ("A" if token[-1] != "A" else "B"), "x" + token, forged, "x"):
        reply = Client().get(reverse("shared_triplet", args=[wrong]))
        assert reply.status_code == 404
        assert "not a whole link" in text_of(reply)


def test_links_are_revoked_together_and_new_ones_open(ada: Client) -> None:
    study = make_study(state="closed")
    old = make_link(study)
    ada.post(reverse("gallery_revoke", args=["which"]))
    assert "revoked" in text_of(Client().get(old))
    new = make_link(study, make_user("other"))
    assert Client().get(new).status_code == 200


def test_a_viewer_makes_no_link() -> None:
    study = make_study(state="closed")
    viewer = make_cleo()
    StudyMember.objects.create(study=study, user=viewer, role="viewer")
    client = client_of(viewer)
    assert client.post(address("gallery_share", triplets(study)[0])).status_code == 403
    assert client.post(reverse("gallery_revoke", args=["which"])).status_code == 403
    assert "Make a link" not in text_of(client.get(address("gallery_triplet", triplets(study)[0])))


def test_a_simulated_study_says_so_wherever_it_is_shared() -> None:
    study = make_study(state="closed", is_simulated=True)
    assert "SIMULATED" in text_of(Client().get(make_link(study)))


def test_a_preview_of_the_same_photos_hinders_no_share() -> None:
    study = make_study(state=Study.State.CLOSED)
    make_study("preview-of-it", collection=study.collection, purpose=Study.Purpose.PREVIEW)
    assert sharing.obstacle(study) == ""
    make_study("asks", collection=study.collection)
    assert "asks asks people" in sharing.obstacle(study)
