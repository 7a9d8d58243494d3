"""The saliency page: who gets in, what it shows and starts; overlays; the admin's action."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image

from codecs_eval.mask_agreement import agree_where_missing
from codecs_eval.models import Run, SaliencyMap
from codecs_eval.overlays import heated
from tests.codecs_eval.saliency_rows import make_map, make_values
from tests.factories import make_ada, make_ben, make_cleo, make_picture, make_source

pytestmark = pytest.mark.usefixtures("db", "triad_home")

PAGE = "/sources/park/saliency/"


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(make_ada())
    return client


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


def make_compared(*names: str) -> None:
    """Photos with maps of both models and a mask, compared."""
    for name in names:
        source = make_source("park", name)
        make_map(source, "u2netp")
        make_map(source, "spectral-residual", make_values(source, left=0.5))
        make_map(source, "imported:hand")
    agree_where_missing("park")


def test_only_ada_goes_in(client: Client) -> None:
    row = make_map(make_source("park", "lake"))
    urls = [PAGE, f"{PAGE}agreement.csv", reverse("saliency_overlay", args=[row.pk])]
    assert [client.get(url).status_code for url in urls] == [302, 302, 302]
    for person in (make_ben(), make_cleo()):
        client.force_login(person)
        assert [client.get(url).status_code for url in urls] == [403, 403, 403]
    assert client.post(PAGE, {"saliency-model": "u2netp"}).status_code == 403
    client.force_login(make_ada())
    assert [client.get(url).status_code for url in urls] == [200, 200, 200]
    assert Run.objects.count() == 0


def test_an_empty_page_says_what_to_do_next(desk: Client) -> None:
    make_source("park", "lake")
    said = text_of(desk.get(PAGE))
    assert 'class="empty"' in said and "Find saliency" in said and "--import-masks" in said
    assert desk.get("/sources/nowhere/saliency/").status_code == 404


def test_a_page_without_masks_says_how_they_come_in(desk: Client) -> None:
    make_map(make_source("park", "lake"))
    said = text_of(desk.get(PAGE))
    assert "No masks to compare with" in said and "Agreement with given masks" not in said


def test_each_photo_stands_beside_its_map_and_mask_with_its_numbers(desk: Client) -> None:
    make_compared("lake")
    make_source("park", "unmapped")
    response = desk.get(PAGE)
    lake, unmapped = response.context["photos"]
    assert (lake.map.model, lake.mask.model, lake.agreement.mae) == ("u2netp", "imported:hand", 0)
    assert unmapped.map is unmapped.mask is unmapped.agreement is None
    said = text_of(response)
    assert reverse("saliency_overlay", args=[lake.map.pk]) in said and "no map" in said
    assert "MAE&nbsp;0.000, F&nbsp;1.000, largest F&nbsp;1.000" in said
    assert [row.label for row in response.context["agreements"]] == [
        "U2-Net-p",
        "Spectral residual",
    ]


def test_the_model_and_the_masks_are_chosen_by_address(desk: Client) -> None:
    make_compared("lake")
    make_map(make_source("park", "tree"), "imported:second")
    shown = desk.get(f"{PAGE}?model=spectral-residual&masks=imported:second").context
    assert (shown["chosen"].model, shown["masks"].model) == (
        "spectral-residual",
        "imported:second",
    )
    [lake, _] = shown["photos"]
    assert lake.map.model == "spectral-residual" and lake.agreement is None
    masks = desk.get(f"{PAGE}?model=imported:hand").context
    assert masks["photos"][0].map.model == "imported:hand"
    assert desk.get(f"{PAGE}?model=eyes").context["chosen"].model == "u2netp"


def test_maps_of_an_older_version_are_not_shown(desk: Client) -> None:
    make_map(make_source("park", "lake"), model_version="0")
    assert 'class="empty"' in text_of(desk.get(PAGE))
    make_map(SaliencyMap.objects.get().source)
    [photo] = desk.get(PAGE).context["photos"]
    assert photo.map.model_version == "1"


def test_find_saliency_queues_a_run(
    desk: Client, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    make_source("park", "lake")
    form = text_of(desk.get(reverse("collection", args=["park"])))
    assert f'action="{PAGE}"' in form and 'name="saliency-model"' in form
    with django_capture_on_commit_callbacks(execute=True) as bells:
        response = desk.post(PAGE, {"saliency-model": "spectral-residual"})
    run = Run.objects.get()
    assert response["Location"] == run.get_absolute_url() and len(bells) == 1
    assert run.config == {"collection": "park", "model": "spectral-residual"}
    assert run.created_by is not None and run.created_by.get_username() == "ada"
    assert desk.post(PAGE, {"saliency-model": "eyes"}).status_code == 400
    Run.objects.update(state="done")
    assert f"{PAGE}?model=spectral-residual" in text_of(desk.get(run.get_absolute_url()))


def test_numbers_come_as_a_file(desk: Client) -> None:
    make_compared("lake")
    response = desk.get(f"{PAGE}agreement.csv")
    assert "park-saliency.csv" in response["Content-Disposition"]
    assert len(response.content.decode().splitlines()) == 3


def test_an_overlay_is_small_or_large_and_private(desk: Client) -> None:
    source = make_source("park", "lake", pixels=make_picture(1, width=900, height=300))
    url = reverse("saliency_overlay", args=[make_map(source).pk])
    for _ in ("made", "found"):
        response = desk.get(url)
        assert Image.open(io.BytesIO(response.content)).size == (320, 107)
    assert "private" in response["Cache-Control"] and response["Content-Type"] == "image/webp"
    large = Image.open(io.BytesIO(desk.get(f"{url}?large").content))
    assert large.size == (900, 300)
    pixels = np.asarray(large.convert("RGB")).astype(float).mean(axis=2)
    assert pixels[:, 20:430].mean() > 2 * pixels[:, 470:880].mean()


def test_one_map_of_two_photos_gives_two_overlays(desk: Client) -> None:
    maps = [make_map(make_source("park", name)) for name in ("lake", "tree")]
    assert maps[0].path == maps[1].path
    first, second = (desk.get(reverse("saliency_overlay", args=[row.pk])).content for row in maps)
    assert first != second


def test_heat_grows_lighter_with_the_map_over_any_photo() -> None:
    levels = np.arange(256, dtype=np.uint8)[None]
    for grey in (0, 255):
        shown = heated(np.full_like(levels, grey), levels)[0].astype(float)
        luma = shown @ [0.299, 0.587, 0.114]
        assert luma[-1] - luma[0] > 100 and (np.diff(luma) >= -0.7).all()


@pytest.mark.parametrize("n_more", [0, 5])
def test_the_page_asks_the_database_the_same_however_much_there_is(
    desk: Client, n_more: int, django_assert_num_queries: Any
) -> None:
    make_compared("lake", *(f"more-{number}" for number in range(n_more)))
    with django_assert_num_queries(9):
        assert len(desk.get(PAGE).context["photos"]) == 1 + n_more


def test_the_admin_finds_saliency_in_the_collections_of_chosen_photos(
    client: Client, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    client.force_login(make_ada(is_superuser=True))
    chosen = [make_source("park", "lake"), make_source("park", "tree"), make_source("zoo", "owl")]
    asked = {"action": "find_saliency", "_selected_action": [row.pk for row in chosen]}
    with django_capture_on_commit_callbacks() as bells:
        client.post(reverse("admin:codecs_eval_sourceimage_changelist"), asked)
    configs = Run.objects.order_by("title").values_list("config", flat=True)
    assert [config["collection"] for config in configs] == ["park", "zoo"] and len(bells) == 2


def test_rows_of_saliency_are_read_only_in_the_admin(client: Client) -> None:
    client.force_login(make_ada(is_superuser=True))
    make_compared("lake")
    for model in ("saliencymap", "maskagreement"):
        assert client.get(reverse(f"admin:codecs_eval_{model}_changelist")).status_code == 200
        assert client.get(reverse(f"admin:codecs_eval_{model}_add")).status_code == 403


def test_help_defines_the_numbers(client: Client) -> None:
    said = text_of(client.get(reverse("help")))
    assert "U2-Net-p (Qin et al. 2020)" in said and "precision × recall" in said
