"""What an image's bytes tell of its codec: nothing. And what a whole session's browser receives."""

import json
import struct
import uuid
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from annotation import blinding, planning
from annotation.models import Study, Trial
from codecs_eval import storing
from codecs_eval.codecs.table import CODECS
from tests.factories import (
    begin_in,
    make_picture,
    make_reconstruction,
    make_session,
    make_source,
    make_study,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]

RATE_BPP = 0.2371


def make_telling_study() -> Study:
    """Every secret is a word of its own, and the pictures compress very unequally."""
    pictures = [
        make_picture(1, width=96, height=80),
        np.zeros((80, 96, 3), dtype=np.uint8),
        np.full((80, 96, 3), 128, dtype=np.uint8),
    ]
    for index, pixels in enumerate(pictures):
        source = make_source("cellarphotos", f"hiddenphoto-{index}", pixels=pixels)
        for codec in ("jpeg", "webp", "hevc"):
            make_reconstruction(
                source,
                codec,
                RATE_BPP,
                pixels=_like(pixels, codec),
                codec_version=f"{codec}-tellalib 9.8.7",
                settings={"tellingdial": 4711},
                bitstream_path=f"bitstreams/{codec}/{index}.{codec}",
            )
    return make_study(
        "which",
        collection="cellarphotos",
        codecs=("jpeg", "webp", "hevc"),
        rates_bpp=(RATE_BPP,),
        session_length=9,
        crop_px=64,
    )


def _like(pixels: Any, codec: str) -> Any:
    noise = {"jpeg": 1, "webp": 2, "hevc": 3}[codec]
    return np.clip(pixels.astype(int) + noise, 0, 255).astype(np.uint8)


def secrets_of(study: Study) -> set[str]:
    """Lower-case words that no browser of an annotator may receive."""
    found = {"tellalib", "tellingdial", "4711", "cellarphotos", "hiddenphoto", str(RATE_BPP)}
    for name, entry in CODECS.items():
        found |= {name.lower(), entry.label.lower()}
    for triplet in study.triplets.select_related("source", "first", "second"):
        for row in (triplet.source, triplet.first, triplet.second):
            found |= {row.path.lower(), row.path.rpartition("/")[2].split(".")[0]}
        for side in (triplet.first, triplet.second):
            found |= {side.pixels_sha256, side.bitstream_sha256, side.bitstream_path.lower()}
    return found


def everything_in(response: Any) -> str:
    head = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
    cookies = response.cookies.output()
    return f"{head}\n{cookies}\n{response.content.decode('latin-1')}".lower()


def chunks_of(png: bytes) -> list[str]:
    names, at = [], 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        names.append(png[at + 4 : at + 8].decode())
        at += 12 + length
    return names


class Walk:
    """A browser that answers a whole study and keeps every reply that it received."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.client = Client()
        self.replies: list[tuple[str, Any]] = []
        self.images: list[Any] = []

    def get(self, path: str) -> Any:
        return self._kept("GET", path, self.client.get(path))

    def post(self, name: str, body: dict[str, Any] | None = None) -> Any:
        path = reverse(name, args=[self.study.slug])
        if body is None:
            return self._kept("POST", path, self.client.post(path, {"consent": "on"}))
        reply = self.client.post(path, body, content_type="application/json")
        return self._kept("POST", path, reply)

    def _kept(self, method: str, path: str, reply: Any) -> Any:
        assert reply.status_code in (200, 302), f"{method} {path}: {reply.status_code}"
        self.replies.append((f"{method} {path}", reply))
        return reply

    def go(self) -> "Walk":
        self.get("/")
        self.get(f"/s/{self.study.slug}/")
        self.post("begin")
        page = self.get(f"/s/{self.study.slug}/trial")
        session = str(self.study.sessions.get().pk)
        assert session in page.content.decode()
        reply = self.post("lease", {"session": session, "want": 4, "have": []})
        while trials := reply.json()["trials"]:
            for trial in trials:
                for side in blinding.SIDES:
                    self.images.append(self.get(trial[side]))
            answers = [
                {"id": str(uuid.uuid4()), "trial": trial["id"], "side": "left"} for trial in trials
            ]
            reply = self.post(
                "judgments", {"session": session, "judgments": answers, "want": 4, "have": []}
            )
        assert self.post("finish", {"session": session}).json()["is_complete"]
        self.get(f"/s/{self.study.slug}/thanks")
        return self


def test_nothing_that_a_browser_receives_tells_of_a_codec_a_rate_or_a_file() -> None:
    study = make_telling_study()
    walk = Walk(study).go()
    assert len(walk.images) == 9 * 3
    secrets = secrets_of(study)
    for where, reply in walk.replies:
        # The address is received too: it stood in an earlier reply.
        received = where.lower() + "\n" + everything_in(reply)
        told = {secret for secret in secrets if secret in received}
        assert not told, f"{where} tells {told}"


def test_all_images_of_one_crop_have_the_same_length_to_the_byte() -> None:
    walk = Walk(make_telling_study()).go()
    assert {len(reply.content) for reply in walk.images} == {len(walk.images[0].content)}
    headers = [
        {name: value for name, value in reply.headers.items() if name != "Date"}
        for reply in walk.images
    ]
    assert all(found == headers[0] for found in headers)


def test_an_image_carries_pixels_and_nothing_else() -> None:
    for reply in Walk(make_telling_study()).go().images:
        assert reply["Content-Type"] == "image/png"
        names = chunks_of(reply.content)
        assert set(names) == {"IHDR", "IDAT", "IEND"}


def test_an_image_is_kept_by_its_own_browser_alone_and_has_no_validators() -> None:
    for reply in Walk(make_telling_study()).go().images:
        assert "ETag" not in reply.headers
        assert "Last-Modified" not in reply.headers
        assert "private" in reply["Cache-Control"]
        assert "public" not in reply["Cache-Control"]


def test_trial_json_has_no_more_than_the_page_needs() -> None:
    study = make_telling_study()
    walk = Walk(study).go()
    leases = [reply for where, reply in walk.replies if where.endswith(("/lease", "/judgments"))]
    trials = [trial for reply in leases for trial in reply.json()["trials"]]
    allowed = {"id", "position", "width", "height", "original", "left", "right"}
    assert {key for trial in trials for key in trial} == allowed
    for reply in leases:
        assert "private" in reply["Cache-Control"]
        assert "no-store" in reply["Cache-Control"]


def test_an_images_address_is_a_random_id_and_a_side_of_the_screen() -> None:
    study = make_telling_study()
    walk = Walk(study).go()
    assert set(Trial.objects.values_list("first_on_left", flat=True)) == {True, False}
    shown = [where.split("/i/")[1].split("/") for where, _ in walk.replies if "/i/" in where]
    assert {side for _, side in shown} == set(blinding.SIDES)
    # Random, so that neither order nor kinship of two trials can be read from their ids.
    assert {uuid.UUID(trial_id).version for trial_id, _ in shown} == {4}


def test_the_sides_show_what_the_trial_says() -> None:
    study = make_telling_study()
    for trial in planning.lease_trials(make_session(study), 9):
        left, top, right, bottom = trial.triplet.box
        first, second = trial.triplet.first, trial.triplet.second
        shown = {"original": trial.triplet.source.path, "left": second.path, "right": first.path}
        if trial.first_on_left:
            shown |= {"left": first.path, "right": second.path}
        for side, path in shown.items():
            expected = storing.read_pixels(path)[top:bottom, left:right]
            found = _decoded(blinding.image_of(trial, side))
            assert np.array_equal(found, expected)


def _decoded(png: bytes) -> Any:
    return storing.read_pixels(storing.store(png, folder="read-back", extension="png"))


def test_an_unknown_side_is_refused() -> None:
    (trial, *_) = planning.lease_trials(make_session(make_study()), 1)
    with pytest.raises(ValueError, match="expected one of original, left, right"):
        blinding.image_of(trial, "first")


def test_another_browser_may_not_read_an_image() -> None:
    study = make_study()
    walk = Walk(study)
    walk.post("begin")
    session = study.sessions.get()
    trial = planning.lease_trials(session, 1)[0]
    path = reverse("trial_image", args=[study.slug, trial.pk, "left"])
    assert walk.client.get(path).status_code == 200
    assert Client().get(path).status_code == 404
    other = Client()
    begin_in(other, study)
    assert other.get(path).status_code == 404


def test_an_image_has_one_address_only() -> None:
    study, other = make_study(), make_study("other")
    walk = Walk(study)
    walk.post("begin")
    trial = planning.lease_trials(study.sessions.get(), 1)[0]
    for slug, trial_id, side in (
        (other.slug, trial.pk, "left"),
        (study.slug, uuid.uuid4(), "left"),
        (study.slug, trial.pk, "first"),
    ):
        path = reverse("trial_image", args=[slug, trial_id, side])
        assert walk.client.get(path).status_code == 404


def test_an_image_takes_few_queries(django_assert_num_queries: Any) -> None:
    study = make_study()
    walk = Walk(study)
    walk.post("begin")
    trial: Trial = planning.lease_trials(study.sessions.get(), 1)[0]
    path = reverse("trial_image", args=[study.slug, trial.pk, "left"])
    with django_assert_num_queries(2):
        walk.client.get(path)


def test_the_trial_page_says_only_what_its_script_needs() -> None:
    study = make_telling_study()
    walk = Walk(study)
    walk.post("begin")
    page = walk.get(f"/s/{study.slug}/trial").content.decode()
    config = json.loads(page.split('id="trial-config" type="application/json">')[1].split("<")[0])
    assert set(config) == {
        "session", "lease_url", "judgments_url", "finish_url", "thanks_url", "welcome_url",
        "total", "allow_not_sure", "question", "ahead",
    }  # fmt: skip
