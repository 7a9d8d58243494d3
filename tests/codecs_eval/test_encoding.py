"""Ladders as rows: real streams, counted bytes, nothing encoded twice, parts drained by anybody."""

from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone
from skimage import data

from codecs_eval import encoding, run_parts, runs, storing
from codecs_eval.agreement.pixels import pixels_sha256
from codecs_eval.codecs.table import load_codec
from codecs_eval.encoding import LadderConfig
from codecs_eval.models import Reconstruction, Run, RunPart, SourceImage

pytestmark = pytest.mark.usefixtures("db", "triad_home")

RATES = (0.5, 1.0)


def make_source(name: str = "cat", size_px: int = 128) -> SourceImage:
    left = 40 * (ord(name[0]) % 5)
    pixels = np.ascontiguousarray(data.chelsea()[60 : 60 + size_px, left : left + size_px])
    return SourceImage.objects.create(
        collection="cats",
        name=name,
        sha256=pixels_sha256(pixels),
        path=storing.store(storing.png_of(pixels), folder="sources", extension="png"),
        width=size_px,
        height=size_px,
        original_format="PNG",
        licence="CC0-1.0",
    )


def make_ladder(*codecs: str) -> Run:
    config = LadderConfig(collection="cats", codecs=codecs, rates_bpp=RATES)
    return runs.create("encode_ladder", config, title="Ladder")


def test_the_rate_is_the_bytes_of_the_stored_file() -> None:
    for row in encoding.encode_source(make_source(), "webp", RATES):
        stored = storing.read(row.bitstream_path)
        assert row.bitstream_bytes == len(stored)
        assert row.bpp == 8 * len(stored) / (128 * 128)
        assert row.state != "hit" or abs(row.miss) <= 0.02


def test_the_stored_pixels_are_what_the_stored_stream_decodes_to() -> None:
    row = encoding.encode_source(make_source(), "jpeg", (1.0,))[0]
    decoded = load_codec("jpeg").decode(storing.read(row.bitstream_path))
    assert np.array_equal(decoded, storing.read_pixels(row.path))
    assert row.pixels_sha256 == pixels_sha256(decoded)


def test_what_is_stored_is_not_encoded_again() -> None:
    source = make_source()
    before = encoding.encode_source(source, "jpeg", RATES)
    after = encoding.encode_source(source, "jpeg", RATES)
    assert [row.pk for row in after] == [row.pk for row in before]
    assert Reconstruction.objects.count() == len(RATES)


def test_a_ladder_resumes_with_the_parts_that_are_missing() -> None:
    make_source("a"), make_source("b")
    run = make_ladder("jpeg")
    assert runs.claim(run.pk, "ada")
    assert run_parts.begin(run, "ada") == 2
    done = RunPart.objects.filter(run=run).first()
    assert done is not None
    RunPart.objects.filter(pk=done.pk).update(is_done=True)
    assert run_parts.begin(run, "ada") == 2
    assert run_parts.drain("ben", run.pk) == 1


def test_a_ladder_ends_when_its_last_part_does() -> None:
    make_source("a"), make_source("b")
    run = make_ladder("jpeg", "webp")
    assert runs.claim(run.pk, "ada")
    run_parts.begin(run, "ada")
    assert run_parts.drain("ada") == 4
    run.refresh_from_db()
    assert run.state == "done" and run.progress == 1
    cells = {(cell["codec"], cell["target_bpp"]): cell for cell in run.result["cells"]}
    assert set(cells) == {(codec, rate) for codec in ("jpeg", "webp") for rate in RATES}
    assert cells["webp", 1.0]["n"] == 2 and cells["webp", 1.0]["psnr_mean_db"] > 25


def test_a_part_whose_worker_died_is_taken_by_another() -> None:
    make_source()
    run = make_ladder("jpeg")
    assert runs.claim(run.pk, "ada")
    run_parts.begin(run, "ada")
    parts = RunPart.objects.filter(run=run)
    parts.update(owner="ada", lease_until=timezone.now() + timedelta(seconds=60))
    assert run_parts.drain("ben") == 0
    parts.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert run_parts.drain("ben") == 1


def test_a_part_that_takes_every_worker_down_is_told_and_costs_no_other() -> None:
    make_source("a"), make_source("b")
    run = make_ladder("jpeg")
    assert runs.claim(run.pk, "ada")
    run_parts.begin(run, "ada")
    deadly = RunPart.objects.filter(run=run).order_by("pk").first()
    assert deadly is not None
    RunPart.objects.filter(pk=deadly.pk).update(attempts=runs.MAX_ATTEMPTS)
    run_parts.drain("ben")
    run.refresh_from_db()
    assert run.state == "done" and run.result["n_failed_parts"] == 1
    deadly.refresh_from_db()
    assert "worker stopped" in deadly.error


def test_an_error_that_nobody_foresaw_ends_its_part_with_its_name() -> None:
    source = make_source()
    run = make_ladder("jpeg")
    assert runs.claim(run.pk, "ada")
    run_parts.begin(run, "ada")
    source.delete()
    run_parts.drain("ben")
    run.refresh_from_db()
    assert run.state == "failed" and "DoesNotExist" in run.error


def test_a_worker_that_died_after_its_last_part_leaves_no_run_behind() -> None:
    make_source()
    run = make_ladder("jpeg")
    assert runs.claim(run.pk, "ada")
    run_parts.begin(run, "ada")
    encoding.encode_part(run, RunPart.objects.get(run=run).key)
    RunPart.objects.filter(run=run).update(is_done=True)
    run_parts.sweep()
    run.refresh_from_db()
    assert run.state == "done" and len(run.result["cells"]) == len(RATES)


def test_a_cancelled_ladder_keeps_what_it_made() -> None:
    make_source()
    run = make_ladder("jpeg")
    assert runs.claim(run.pk, "ada")
    run_parts.begin(run, "ada")
    runs.cancel(run)
    assert run_parts.drain("ben") == 0
    run_parts.sweep()
    run.refresh_from_db()
    assert run.state == "cancelled"


def test_one_photo_that_cannot_be_encoded_does_not_cost_the_others_their_ladder() -> None:
    good, bad = make_source("a"), make_source("b")
    SourceImage.objects.filter(pk=bad.pk).update(path="sources/gone.png")
    run = make_ladder("jpeg")
    assert runs.claim(run.pk, "ada")
    run_parts.begin(run, "ada")
    run_parts.drain("ada")
    run.refresh_from_db()
    assert run.state == "done" and run.result["n_failed_parts"] == 1
    assert set(Reconstruction.objects.values_list("source", flat=True)) == {good.pk}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"codecs": ("jpge",)}, "jpge"),
        ({"codecs": ()}, "expected some of"),
        ({"rates_bpp": (0.0,)}, "0.01..24"),
        ({"tolerance": 0}, "tolerance"),
    ],
)
def test_a_ladder_that_cannot_be_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        LadderConfig(**{"collection": "cats", "codecs": ("jpeg",), **changes})  # type: ignore[arg-type]


def test_an_empty_collection_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'dogs'"):
        encoding.check_available(LadderConfig(collection="dogs", codecs=("jpeg",)))


def test_a_ladder_whose_photos_are_gone_fails_and_says_so() -> None:
    run = make_ladder("jpeg")
    assert runs.claim(run.pk, "ada")
    assert run_parts.begin(run, "ada") == 0
    run.refresh_from_db()
    assert run.state == "failed" and "No photo in collection 'cats'" in run.error
