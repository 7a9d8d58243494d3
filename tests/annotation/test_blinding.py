"""What an image's bytes tell of its codec: nothing. And what a whole session's browser receives."""

import json
import statistics
import struct
import threading
import time
import uuid
from functools import partial
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from annotation import blinding, planning
from annotation.models import Study, Trial
from codecs_eval import storing
from tests.annotation.telling import beside_pixels, make_telling_study, secrets_of, told_in
from tests.factories import (
    begin_in,
    make_picture,
    make_reconstruction,
    make_session,
    make_source,
    make_study,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that look at bytes, not at times."""
    monkeypatch.setattr(blinding, "STEP_S", 0.0005)


def everything_in(response: Any) -> str:
    head = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
    is_image = response.headers.get("Content-Type") == "image/png"
    body = beside_pixels(response.content) if is_image else response.content.decode("latin-1")
    return f"{head}\n{response.cookies.output()}\n{body}"


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
            agreed = {"consent": "on", "flicker_consent": "on"}
            return self._kept("POST", path, self.client.post(path, agreed))
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


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("mode", Study.Mode.values)
def test_nothing_that_a_browser_receives_tells_of_a_codec_a_rate_a_file_or_a_check(
    mode: str,
) -> None:
    study = make_telling_study(mode=mode)
    walk = Walk(study).go()
    trials = study.sessions.get().trials
    assert len(walk.images) == 22 * 3
    assert {"practice", "main", "sentinel", "identical"} == set(
        trials.values_list("triplet__kind", flat=True)
    )
    assert trials.filter(is_repeat=True).exists() and trials.filter(is_warm_up=True).exists()
    secrets = secrets_of(study)
    for where, reply in walk.replies:
        # The address is received too: it stood in an earlier reply.
        told = told_in(f"{where}\n{everything_in(reply)}", secrets)
        assert not told, f"{where} tells {told}"


@pytest.mark.usefixtures("at_once")
def test_all_images_of_one_crop_have_the_same_head_and_length_to_the_byte() -> None:
    walk = Walk(make_telling_study()).go()
    assert {len(reply.content) for reply in walk.images} == {len(walk.images[0].content)}
    headers = [
        {name: value for name, value in reply.headers.items() if name != "Date"}
        for reply in walk.images
    ]
    assert all(found == headers[0] for found in headers)
    assert {tuple(found) for found in headers} == {tuple(headers[0])}


@pytest.mark.usefixtures("at_once")
def test_an_image_carries_pixels_and_nothing_else() -> None:
    for reply in Walk(make_telling_study()).go().images:
        assert reply["Content-Type"] == "image/png"
        size = struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0).decode("latin-1")
        assert beside_pixels(reply.content) == f"IHDR {size}IDAT IEND "


@pytest.mark.usefixtures("at_once")
def test_an_image_is_kept_by_its_own_browser_alone_and_has_no_validators() -> None:
    for reply in Walk(make_telling_study()).go().images:
        assert "ETag" not in reply.headers
        assert "Last-Modified" not in reply.headers
        assert "private" in reply["Cache-Control"]
        assert "public" not in reply["Cache-Control"]


@pytest.mark.usefixtures("at_once")
def test_trial_json_has_no_more_than_the_page_needs() -> None:
    study = make_telling_study()
    walk = Walk(study).go()
    leases = [reply for where, reply in walk.replies if where.endswith(("/lease", "/judgments"))]
    trials = [trial for reply in leases for trial in reply.json()["trials"]]
    allowed = {
        "id", "position", "width", "height", "original", "left", "right", "is_practice", "feedback",
    }  # fmt: skip
    assert {key for trial in trials for key in trial} == allowed
    # Only practice tells what is right.
    told = {(trial["is_practice"], trial["feedback"] is not None) for trial in trials}
    assert told == {(True, True), (False, False)}
    for reply in leases:
        assert "private" in reply["Cache-Control"]
        assert "no-store" in reply["Cache-Control"]


@pytest.mark.usefixtures("at_once")
def test_an_images_address_is_a_random_id_and_a_side_of_the_screen() -> None:
    study = make_telling_study()
    walk = Walk(study).go()
    assert set(Trial.objects.values_list("first_on_left", flat=True)) == {True, False}
    shown = [where.split("/i/")[1].split("/") for where, _ in walk.replies if "/i/" in where]
    assert {side for _, side in shown} == set(blinding.SIDES)
    # Random, so that neither order nor kinship of two trials can be read from their ids.
    assert {uuid.UUID(trial_id).version for trial_id, _ in shown} == {4}


@pytest.mark.usefixtures("at_once")
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


@pytest.mark.usefixtures("at_once")
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


@pytest.mark.usefixtures("at_once")
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


@pytest.mark.usefixtures("at_once")
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
        "session", "key", "lease_url", "judgments_url", "finish_url", "thanks_url",
        "screen_out_url", "welcome_url",
        "login_url", "language", "question", "ahead", "total", "n_practice", "allow_not_sure",
        "mode", "flicker_hz", "min_switches", "shortest_view_ms", "time_limit_s", "largest_zoom",
        "when_small", "smallest_crop_px", "break_every", "gate",
    }  # fmt: skip


# Time: a picture that a codec smoothed decodes faster; nobody may see that.


def trials_that_decode_unequally(width: int, height: int) -> list[Trial]:
    """Two trials, of a flat and of a noisy photo, whose left copies are as flat and as noisy."""
    flat = np.full((height, width, 3), 90, dtype=np.uint8)
    for index, pixels in enumerate([flat, make_picture(5, width=width, height=height)]):
        source = make_source("unequal", f"photo-{index}", pixels=pixels)
        for codec in ("jpeg", "webp"):
            make_reconstruction(source, codec, pixels=pixels)
    study = make_study("unequal", collection="unequal", session_length=2, crop_px=384)
    trials = planning.lease_trials(make_session(study), 2)
    return sorted(trials, key=lambda trial: trial.triplet.source.name)


@pytest.fixture
def nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blinding, "_KEPT", blinding._Kept(0))


def shortest_s(act: Any) -> float:
    """Of several tries: a busy machine only ever makes it longer."""
    times = []
    for _ in range(7):
        begun_s = time.perf_counter()
        act()
        times.append(time.perf_counter() - begun_s)
    return min(times)


@pytest.mark.usefixtures("nothing_is_kept")
def test_an_image_comes_after_the_same_time_whatever_there_is_to_decode() -> None:
    flat, noisy = trials_that_decode_unequally(768, 512)
    made_s = [shortest_s(lambda t=t: blinding.crop_of(t, "left")) for t in (flat, noisy)]
    assert made_s[1] > 1.3 * made_s[0], "the photos were meant to decode unequally"
    given_s = [shortest_s(lambda t=t: blinding.image_of(t, "left")) for t in (flat, noisy)]
    assert given_s == pytest.approx([blinding.STEP_S] * 2, abs=0.01)


@pytest.mark.usefixtures("nothing_is_kept")
def test_a_photo_of_two_steps_takes_two_steps() -> None:
    (flat, _) = trials_that_decode_unequally(1000, 600)
    given_s = shortest_s(lambda: blinding.image_of(flat, "left"))
    assert given_s == pytest.approx(2 * blinding.STEP_S, abs=0.01)


def test_an_image_that_was_made_before_comes_no_sooner() -> None:
    (_, noisy) = trials_that_decode_unequally(768, 512)
    blinding.image_of(noisy, "left")
    times = []
    for _ in range(5):
        begun_s = time.perf_counter()
        blinding.image_of(noisy, "left")
        times.append(time.perf_counter() - begun_s)
    assert statistics.median(times) >= blinding.STEP_S


# What was cut is kept for the next one who asks.


def test_images_are_made_once_and_the_oldest_go_first() -> None:
    kept, made = blinding._Kept(25), []

    def ask(key: str) -> bytes:
        def make() -> bytes:
            made.append(key)
            return key.encode() * 10

        return kept.get(key, make)

    for key in "abab":
        assert ask(key) == key.encode() * 10
    assert made == ["a", "b"]
    ask("c")  # 30 bytes are too many: "a" was asked for longest ago
    ask("b")
    assert made == ["a", "b", "c"]
    ask("a")
    assert made == ["a", "b", "c", "a"]


def test_an_image_too_large_to_keep_is_given_all_the_same() -> None:
    kept = blinding._Kept(5)
    assert kept.get("a", lambda: b"longer than five") == b"longer than five"
    assert kept.get("b", lambda: b"four") == b"four"
    assert kept.get("b", lambda: b"anew") == b"four"


def test_many_threads_keep_within_the_bound() -> None:
    kept = blinding._Kept(40)

    def ask(seed: int) -> None:
        for number in np.random.default_rng(seed).integers(0, 12, 300):
            image = bytes([number]) * 10
            assert kept.get(int(number), partial(bytes, image)) == image

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kept._n_bytes == 40 == sum(len(image) for image in kept._images.values())
