"""A classifier on all that surrounds an image's pixels does not beat chance at its codec."""

import http.client
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from django.test import Client
from django.urls import reverse
from numpy.typing import NDArray

from annotation import blinding, planning
from annotation.models import Study, Trial
from codecs_eval import storing
from codecs_eval.codecs.table import load_codec
from tests.annotation.guessing import guess
from tests.factories import begin_in, make_reconstruction, make_source, make_study
from tests.processes import LiveSite

# About 0.25, 0.5 and 1 bpp on photographs.
SETTINGS: dict[str, list[dict[str, float]]] = {
    "jpeg": [{"quality": 12}, {"quality": 38}, {"quality": 75}],
    "webp": [{"quality": 4}, {"quality": 42}, {"quality": 80}],
    "jpeg2000": [{"ratio": 96}, {"ratio": 48}, {"ratio": 24}],
}
RATES_BPP = (0.25, 0.5, 1.0)
N_PHOTOS = 8
# One run in a thousand finds by chance what is not there.
BEYOND_CHANCE = 0.001


def make_coded_study(kodak: Path) -> Study:
    """Real photos after real codecs: 72 triplets."""
    for photo in sorted(kodak.glob("*.png"))[:N_PHOTOS]:
        with PIL.Image.open(photo) as picture:
            pixels = np.asarray(picture.convert("RGB"))
        source = make_source("kodak", photo.stem, pixels=pixels)
        for name, each in SETTINGS.items():
            codec = load_codec(name)
            for rate_bpp, settings in zip(RATES_BPP, each, strict=True):
                data = codec.encode(pixels, {**codec.defaults, **settings})
                make_reconstruction(source, name, rate_bpp, pixels=codec.decode(data))
    return make_study(
        collection="kodak",
        codecs=tuple(SETTINGS),
        rates_bpp=RATES_BPP,
        crop_px=384,
        session_length=N_PHOTOS * 9,
    )


def row_of(trial: Trial, side: str) -> Any:
    if side == "original":
        return trial.triplet.source
    is_first = trial.choice_of_side(side) == "first"
    return trial.triplet.first if is_first else trial.triplet.second


Rows = list[list[float]]


def asked_for(site: LiveSite, client: Client, trials: list[Trial]) -> dict[str, Rows]:
    """What a browser can note of each response apart from its pixels, by kind of note.

    Three rows a trial: its original, its left and its right copy, in the order of asking.
    """
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    line = http.client.HTTPConnection("127.0.0.1", site.listener.getsockname()[1])
    seen: dict[str, int] = {}
    found: dict[str, Rows] = {"bytes": [], "headers": [], "time": [], "order": []}
    for trial in trials:
        for side in blinding.SIDES:
            path = reverse("trial_image", args=["which", trial.pk, side])
            begun_s = time.perf_counter()
            line.request("GET", path, headers={"Host": "localhost", "Cookie": cookie})
            reply = line.getresponse()
            first_s = time.perf_counter() - begun_s
            body = reply.read()
            last_s = time.perf_counter() - begun_s
            assert reply.status == 200
            headers = [f"{name}: {value}" for name, value in reply.getheaders() if name != "Date"]
            codes = [seen.setdefault(header, len(seen)) for header in headers]
            found["bytes"].append([len(body), sum(len(header) for header in headers)])
            found["headers"].append([float(len(headers)), float(sum(codes)), float(max(codes))])
            found["time"].append([first_s, last_s])
            found["order"].append([float(trial.position), float(side == "left")])
    line.close()
    return found


def compared(rows: Rows) -> NDArray[np.float64]:
    """For both copies of each trial: what was noted, and how it differs from the other two."""
    original, left, right = np.swapaxes(np.array(rows).reshape(-1, 3, len(rows[0])), 0, 1)
    each = [
        np.hstack([own, own - original, own - other])
        for own, other in ((left, right), (right, left))
    ]
    return np.stack(each, axis=1).reshape(2 * len(left), -1)


def shortest_ms(act: Callable[[], object]) -> float:
    """Of this thread's own time: other tests on the same machine shall not blur it."""
    times_ms = []
    for _ in range(3):
        begun_s = time.thread_time()
        act()
        times_ms.append(1000 * (time.thread_time() - begun_s))
    return min(times_ms)


@pytest.mark.alone
@pytest.mark.slow
def test_what_surrounds_an_image_tells_a_classifier_nothing_of_its_codec(
    site: LiveSite,
    shared_data: Callable[[str], Path],
    record_property: Callable[[str, object], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    study = make_coded_study(shared_data("kodak"))
    client = Client()
    begin_in(client, study)
    trials = planning.lease_trials(study.sessions.get(), N_PHOTOS * 9)
    asked = [(trial, side) for trial in trials for side in blinding.SIDES]
    assert len(asked) >= 200
    shown = [row_of(trial, side).codec for trial, side in asked if side != "original"]
    labels = np.array([list(SETTINGS).index(codec) for codec in shown])
    assert set(np.bincount(labels)) == {len(labels) // 3}

    noted = {kind: compared(rows) for kind, rows in asked_for(site, client, trials).items()}
    noted["all"] = np.hstack(list(noted.values()))
    for kind, features in noted.items():
        found = guess(features, labels)
        record_property(f"by {kind}", f"{found.accuracy:.3f} right, p {found.p:.4f}")
        assert found.p > BEYOND_CHANCE, f"{kind} tell the codec: {found}"

    # From the sizes as stored, the same classifier tells it: it would have found it above, too.
    sizes = [[float(len(storing.read(row_of(*copy).path)))] for copy in asked]
    found = guess(compared(sizes), labels)
    assert found.p <= BEYOND_CHANCE, f"the size of the stored file: {found}"

    # How much the time tells where no step of time hides it depends on how busy a machine is.
    monkeypatch.setattr(blinding, "_KEPT", blinding._Kept(0))
    made_ms = [[shortest_ms(partial(blinding.crop_of, *copy))] for copy in asked]
    found = guess(compared(made_ms), labels)
    record_property("by time without steps", f"{found.accuracy:.3f} right, p {found.p:.4f}")
