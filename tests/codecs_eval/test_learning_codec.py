"""A learned codec from its run to the ladder, its names, its pages and its refusals."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from skimage import data

from codecs_eval import comparing_codecs, learning_codec, runs
from codecs_eval.comparing_codecs import CompareCodecsConfig
from codecs_eval.encoding import LadderConfig, check_available, encode_source
from codecs_eval.models import Run, SourceImage
from codecs_eval.named_codecs import codec_entry, learned_name, learned_run, probe_named
from codecs_eval.training.codec.config import TrainCodecConfig
from tests.factories import make_ada, make_cleo, make_source

pytestmark = pytest.mark.usefixtures("transactional_db", "triad_home")

TINY = TrainCodecConfig(
    collection="learned-from", steps=2, batch_size=2, crop_px=64, held_out=1, measure_every=2
)


@pytest.fixture
def photos() -> list[SourceImage]:
    pixels = [data.astronaut()[:160, :160], data.coffee()[:160, :160], data.chelsea()[:160, :160]]
    rows = [
        make_source("learned-from", f"photo-{index}", pixels=np.ascontiguousarray(part))
        for index, part in enumerate(pixels[:2])
    ]
    return [*rows, make_source("unseen", "cat", pixels=np.ascontiguousarray(pixels[2]))]


def as_sent(form: Any) -> dict[str, Any]:
    """What a browser sends of a form that nobody has changed."""
    return {
        f"train_codec-{name}": ", ".join(map(str, value)) if isinstance(value, tuple) else value
        for name, value in form.initial.items()
        if value is not False
    }


def trained(title: str = "First codec", **values: Any) -> Run:
    run = runs.create("train_codec", replace(TINY, **values), title=title)
    owner = runs.new_owner()
    assert runs.claim(run.pk, owner)
    runs.execute(run.pk, owner)
    run.refresh_from_db()
    assert run.state == Run.State.DONE, run.error
    return run


def test_a_trained_codec_is_a_codec_like_any_other(photos: list[SourceImage]) -> None:
    run = trained()
    name = learned_name(run)
    assert run.result["codec"] == name
    assert learned_run(name) == run
    assert probe_named(name).is_available
    assert codec_entry(name).label == "First codec"
    check_available(LadderConfig(collection="unseen", codecs=("jpeg", name), rates_bpp=(1.5,)))
    [row] = encode_source(photos[2], name, [1.5])
    assert row.checkpoint == run and row.codec_label == "First codec"
    assert row.bpp == 8 * row.bitstream_bytes / photos[2].pixels
    assert row.codec_version == probe_named(name).version
    assert encode_source(photos[2], name, [1.5]) == [row]


def test_a_name_that_no_training_has_is_refused(photos: list[SourceImage]) -> None:
    with pytest.raises(ValueError, match="Found 0 trainings called learned-0badc0de"):
        learned_run("learned-0badc0de")
    assert codec_entry("learned-0badc0de").note == "not known here"
    with pytest.raises(ValueError, match="or a trained one as learned-XXXXXXXX"):
        LadderConfig(collection="unseen", codecs=("learned-nothex!!",))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"collection": "none"}, "Found 0 photos in collection 'none'"),
        ({"held_out": 2}, "expected more than the 2 that are held out"),
        ({"metric": "psnr"}, "expected run:ID of a trained metric"),
        ({"metric": "run:none"}, "No training run 'none'"),
        ({"saliency": "eyes"}, "Found saliency 'eyes'"),
        ({"start": "none"}, "Found start 'none'"),
    ],
)
def test_a_training_of_what_is_not_there_is_refused(
    photos: list[SourceImage], values: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        learning_codec.check_codec_training(replace(TINY, **values))


def compared(*names: str) -> Run:
    config = CompareCodecsConfig(
        codecs=names, collection="unseen", rates_bpp=(1.5, 2.0), saliency="spectral-residual"
    )
    comparing_codecs.check_comparison(config)
    run = comparing_codecs.create_comparison(config)
    owner = runs.new_owner()
    assert runs.claim(run.pk, owner)
    runs.execute(run.pk, owner)
    run.refresh_from_db()
    assert run.state == Run.State.DONE, run.error
    return run


def test_codecs_are_compared_on_photos_that_none_has_seen(
    photos: list[SourceImage], client: Client
) -> None:
    first = trained()
    second = trained(
        "Guided codec", saliency="spectral-residual", start=str(first.pk), metric="lpips-alex"
    )
    names = (learned_name(first), learned_name(second))
    run = compared(*names)
    rows = run.result["rows"]
    assert [(row["codec"], row["target_bpp"]) for row in rows] == [
        (name, rate) for rate in (1.5, 2.0) for name in names
    ]
    assert {facts["name"] for facts in run.result["metrics"]} == {
        "psnr", "lpips-alex", "ssimulacra2",
    }  # fmt: skip
    assert run.result["in_losses"] == {names[0]: "", names[1]: "lpips-alex"}
    assert {picture["title"].split()[0] for picture in run.result["pictures"]} >= {
        "saliency", "bits",
    }  # fmt: skip
    client.force_login(make_ada())
    page = client.get(run.get_absolute_url()).content.decode()
    assert "Guided codec" in page and "in a loss" in page and "bits of Guided codec" in page
    picture = run.result["pictures"][0]["file"]
    assert client.get(reverse("comparison_picture", args=[run.pk, picture])).status_code == 200
    assert client.get(reverse("comparison_picture", args=[run.pk, "x.png"])).status_code == 404
    table = client.get(reverse("comparison_csv", args=[run.pk])).content.decode()
    assert len(table.splitlines()) == 5 and "salient_db" in table


def test_a_codec_is_not_compared_on_photos_that_it_learned_from(
    photos: list[SourceImage],
) -> None:
    first, second = trained(), trained("Second codec", seed=1)
    config = CompareCodecsConfig(
        codecs=(learned_name(first), learned_name(second)),
        collection="learned-from",
        rates_bpp=(1.5,),
    )
    with pytest.raises(ValueError, match="which holds 2 of these photos"):
        comparing_codecs.check_comparison(config)


def test_a_training_is_launched_from_its_page_and_seen_there(
    photos: list[SourceImage], client: Client
) -> None:
    client.force_login(make_ada())
    page = client.get(reverse("train_codec") + "?preset=demo&collection=unseen")
    assert page.status_code == 200 and 'value="400"' in page.content.decode()
    form = page.context["form"]
    sent = as_sent(form)
    refused = client.post(reverse("train_codec"), sent)
    assert refused.status_code == 400
    assert "expected more than the 1 that are held out" in refused.content.decode()
    sent["train_codec-collection"] = "learned-from"
    client.post(reverse("train_codec"), sent)
    run = Run.objects.get(kind="train_codec")
    assert run.config["ladder_px"][:2] == [240, 130]
    assert run.config["steps"] == 400 and run.created_by.username == "ada"


def test_a_training_s_page_shows_its_pictures_and_rates(
    photos: list[SourceImage], client: Client
) -> None:
    run = trained()
    client.force_login(make_ada())
    page = client.get(run.get_absolute_url()).content.decode()
    assert "Step 2: the original" in page and learned_name(run) in page
    assert client.get(reverse("codec_sample", args=[run.pk, 2]))["Content-Type"] == "image/png"
    assert client.get(reverse("codec_sample", args=[run.pk, 3])).status_code == 404
    assert b"<svg" in client.get(reverse("codec_rates_svg", args=[run.pk])).content
    codecs = client.get(reverse("codecs")).content.decode()
    assert "First codec" in codecs and "trained on learned-from" in codecs


def test_the_admin_launches_a_training_too(photos: list[SourceImage], client: Client) -> None:
    client.force_login(make_ada(is_superuser=True))
    listed = client.get(reverse("admin:codecs_eval_run_changelist")).content.decode()
    address = reverse("admin:codecs_eval_run_launch", args=["train-codec"])
    assert address in listed
    form = client.get(address).context["form"]
    sent = as_sent(form)
    client.post(
        address, sent | {"train_codec-collection": "learned-from", "train_codec-held_out": 1}
    )
    assert Run.objects.get(kind="train_codec").config["steps"] == 8000
    assert client.get(address.replace("train-codec", "nothing")).status_code == 404


def test_others_do_not_go_in(photos: list[SourceImage], client: Client) -> None:
    client.force_login(make_cleo())
    for name in ("train_codec", "compare_codecs"):
        assert client.get(reverse(name)).status_code in (302, 403)
    address = reverse("admin:codecs_eval_run_launch", args=["train-codec"])
    assert client.get(address).status_code in (302, 403)
