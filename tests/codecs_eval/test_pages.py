"""The researcher's desk: who gets in, what each page says, what each button starts."""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from codecs_eval import storing
from codecs_eval.metrics.table import USUAL
from codecs_eval.models import Run, RunMetric, SourceImage
from codecs_eval.training.config import PRESETS, TrainMetricConfig
from tests.codecs_eval.desk_rows import make_dataset, make_report, make_run
from tests.factories import make_ada, make_cleo, make_picture, make_reconstruction, make_source

pytestmark = pytest.mark.usefixtures("db", "triad_home")

LISTS = ["sources", "codecs", "metrics", "datasets", "runs", "reports", "help"]


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(make_ada())
    return client


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


@pytest.mark.parametrize("name", [name for name in LISTS if name != "help"])
def test_a_visitor_is_asked_to_log_in_and_cleo_is_told_no(client: Client, name: str) -> None:
    url = reverse(name)
    visited = client.get(url)
    assert visited.status_code == 302 and visited["Location"] == f"/login/?next={url}"
    client.force_login(make_cleo())
    assert client.get(url).status_code == 403


def test_no_button_of_the_desk_works_for_cleo(client: Client) -> None:
    dataset = make_dataset()
    run = make_run(dataset=dataset)
    client.force_login(make_cleo())
    for name, key in [
        ("train_on_dataset", dataset.pk),
        ("report_on_dataset", dataset.pk),
        ("cancel_run", run.pk),
        ("run_again", run.pk),
    ]:
        assert client.post(reverse(name, args=[key])).status_code == 403
    assert Run.objects.count() == 1


@pytest.mark.parametrize("name", LISTS)
def test_an_empty_page_says_what_to_do_next(desk: Client, name: str) -> None:
    response = desk.get(reverse(name))
    assert response.status_code == 200
    if name not in {"help", "codecs"}:
        assert 'class="empty"' in text_of(response)


def test_the_login_page_is_a_plain_form(client: Client) -> None:
    assert 'name="username"' in text_of(client.get(reverse("login")))


def test_an_upload_tells_of_every_file(desk: Client) -> None:
    good = SimpleUploadedFile("lake.png", storing.png_of(make_picture(3)))
    bad = SimpleUploadedFile("broken.png", b"\x89PNG\r\n\x1a\n but not really")
    response = desk.post(
        reverse("sources"), {"collection": "lakes", "licence": "CC0", "files": [good, bad]}
    )
    said = text_of(response)
    assert "1 imported, 0 already there, 1 refused" in said and "broken.png" in said
    assert SourceImage.objects.get().name == "lake"


def test_an_upload_without_a_licence_is_sent_back(desk: Client) -> None:
    good = SimpleUploadedFile("lake.png", storing.png_of(make_picture(3)))
    response = desk.post(reverse("sources"), {"collection": "lakes", "files": [good]})
    assert response.status_code == 400 and SourceImage.objects.count() == 0


def make_small_ladder() -> None:
    for name in ("a", "b"):
        source = make_source("lakes", name)
        make_reconstruction(source, "jpeg", 0.5)
        make_reconstruction(source, "webp", 0.5, state="unreachable" if name == "a" else "hit")


def test_a_collection_shows_its_ladder_with_states(desk: Client) -> None:
    make_small_ladder()
    response = desk.get(reverse("collection", args=["lakes"]))
    cells = {cell["codec"]: cell for cell in response.context["ladders"][0]["cells"]}
    assert (cells["webp"]["hit"], cells["webp"]["unreachable"]) == (1, 1)
    assert (cells["jpeg"]["hit"], cells["jpeg"]["unreachable"]) == (2, 0)
    assert "unreachable" in text_of(response)
    assert desk.get(reverse("collection", args=["nowhere"])).status_code == 404


def test_the_ladder_comes_as_csv_and_as_a_figure(desk: Client) -> None:
    make_small_ladder()
    table = desk.get(reverse("ladder_csv", args=["lakes"])).content.decode().splitlines()
    assert table[0].startswith("collection,tolerance,codec,label,target_bpp,n,hit")
    assert len(table) == 3
    figure = desk.get(reverse("ladder_svg", args=["lakes", 0]))
    assert ElementTree.fromstring(figure.content).tag.endswith("svg")
    assert "sandbox" in figure["Content-Security-Policy"]
    assert desk.get(reverse("ladder_svg", args=["lakes", 1])).status_code == 404


def test_thumbnails_are_small_private_and_for_researchers(desk: Client) -> None:
    source = make_source(pixels=make_picture(1, width=900, height=300))
    url = reverse("photo_thumbnail", args=[source.pk])
    for _ in ("made", "found"):
        response = desk.get(url)
        from PIL import Image

        assert Image.open(io.BytesIO(response.content)).size == (320, 107)
        assert "private" in response["Cache-Control"]
    assert Client().get(url).status_code == 302


def test_encode_ladder_queues_a_run(
    desk: Client, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    make_source("lakes", "a")
    with django_capture_on_commit_callbacks(execute=True) as bells:
        response = desk.post(
            reverse("collection", args=["lakes"]),
            {
                "encode_ladder-codecs": ["jpeg", "webp"],
                "encode_ladder-rates_bpp": "0.23, 1",
                "encode_ladder-tolerance": "0.05",
            },
        )
    run = Run.objects.get()
    assert response["Location"] == run.get_absolute_url()
    assert run.config == {
        "collection": "lakes",
        "codecs": ["jpeg", "webp"],
        "rates_bpp": [0.23, 1.0],
        "tolerance": 0.05,
    }
    assert len(bells) == 1 and run.sent_at is not None


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("rates_bpp", "0.23, many", "expected numbers with commas"),
        ("rates_bpp", "400", "expected bits per pixel in 0.01..24"),
        ("codecs", ["gif"], "Select a valid choice"),
        ("tolerance", "0.9", "expected 0.001..0.5"),
    ],
)
def test_a_wrong_ladder_is_sent_back_with_the_reason(
    desk: Client, field: str, value: Any, said: str
) -> None:
    make_source("lakes", "a")
    asked = {"codecs": ["jpeg"], "rates_bpp": "1", "tolerance": "0.02", field: value}
    response = desk.post(
        reverse("collection", args=["lakes"]),
        {f"encode_ladder-{name}": given for name, given in asked.items()},
    )
    assert response.status_code == 400 and said in text_of(response)
    assert Run.objects.count() == 0


def test_a_dataset_page_says_what_was_frozen(desk: Client) -> None:
    dataset = make_dataset()
    said = text_of(desk.get(dataset.get_absolute_url()))
    for fact in (
        "study:garden v1",
        "superseded by an undo",
        dataset.manifest_sha256,
        "Seed 5, 25 %",
        "that image is the closer one",
        "Train, 3",
        "Held out, 1",
    ):
        assert fact in said
    assert "SIMULATED" not in said and "badge-simulated" not in said


def test_simulated_judgments_cannot_be_missed(desk: Client) -> None:
    dataset = make_dataset(is_simulated=True)
    report = make_report(dataset)
    for url in (
        dataset.get_absolute_url(),
        report.get_absolute_url(),
        reverse("report", args=[report.pk]),
    ):
        said = text_of(desk.get(url))
        assert "badge-simulated" in said and "<b>SIMULATED.</b>" in said, url
    for name in ("datasets", "runs", "reports"):
        assert "badge-simulated" in text_of(desk.get(reverse(name)))
    said = text_of(desk.get(reverse("report", args=[report.pk])))
    assert "agrees with people" not in said and "agrees with simulated observers" in said
    file = desk.get(reverse("report_file", args=[report.pk, "report.csv"]) + "?download")
    assert "SIMULATED" in file["Content-Disposition"]


def test_a_dataset_downloads_whole_and_streamed(desk: Client) -> None:
    dataset = make_dataset()
    response = desk.get(reverse("dataset_zip", args=[dataset.pk]))
    assert response.streaming
    with zipfile.ZipFile(io.BytesIO(b"".join(response))) as archive:
        assert archive.testzip() is None
        manifest = json.loads(archive.read("garden/manifest.json"))
        papers = ["manifest.json", "datasheet.md", "croissant.json"]
        assert sorted(archive.namelist()) == sorted(
            f"garden/{name}" for name in [*papers, *manifest["files"]]
        )


def train_settings(**changes: str) -> dict[str, str]:
    """What the form of the small-data recipe sends, with some of it changed."""
    recipe = PRESETS["small_data"].to_json() | {"epochs_flat": 2, "epochs_decay": 2, "seed": 3}
    settings = {
        name: "on" if value is True else str(value)
        for name, value in recipe.items()
        if value is not False and value != ()
    }
    return {f"train_metric-{name}": value for name, value in (settings | changes).items()}


def test_train_metric_queues_a_run_on_the_dataset(
    desk: Client, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    dataset = make_dataset(is_simulated=True)
    with django_capture_on_commit_callbacks() as bells:
        response = desk.post(reverse("train_on_dataset", args=[dataset.pk]), train_settings())
    run = Run.objects.get()
    assert response["Location"] == run.get_absolute_url() and len(bells) == 1
    assert (run.kind, run.dataset_id, run.is_simulated) == ("train_metric", dataset.pk, True)
    assert run.config["seed"] == 3 and run.config["noise"] is False
    assert run.created_by is not None and run.created_by.get_username() == "ada"


def test_a_wrong_training_opens_the_fold_out_with_its_reason(desk: Client) -> None:
    dataset = make_dataset()
    response = desk.post(
        reverse("train_on_dataset", args=[dataset.pk]), train_settings(batch_size="0")
    )
    assert response.status_code == 400 and "<details open>" in text_of(response)
    response = desk.post(reverse("train_on_dataset", args=[dataset.pk]), train_settings(folds="1"))
    assert "found folds 1; expected 0 (none) or at least 2" in text_of(response)
    assert Run.objects.count() == 0


def test_a_report_may_be_asked_of_trained_metrics_too(desk: Client) -> None:
    dataset = make_dataset()
    trained = make_run("done", dataset=dataset)
    Run.objects.filter(pk=trained.pk).update(
        kind="train_metric", config=TrainMetricConfig().to_json()
    )
    name = f"run:{trained.pk}"
    assert f'value="{name}"' in text_of(desk.get(dataset.get_absolute_url()))
    desk.post(
        reverse("report_on_dataset", args=[dataset.pk]),
        {
            "agreement-metrics": ["psnr", name],
            "agreement-sources": "all",
            "agreement-reference": name,
            "agreement-hold_out": "codecs",
            "agreement-resamples": "200",
            "agreement-seed": "1",
        },
    )
    run = Run.objects.get(kind="agreement")
    assert run.config["metrics"] == ["psnr", name] and run.config["sources"] == "all"
    assert run.config["reference"] == name and run.config["hold_out"] == "codecs"


def test_a_report_begins_with_what_needs_no_download_and_every_training(desk: Client) -> None:
    dataset = make_dataset()
    trained = make_run("done", dataset=dataset)
    config = TrainMetricConfig(mode="tune", combine_with=("psnr",)).to_json()
    Run.objects.filter(pk=trained.pk).update(kind="train_metric", config=config)
    response = desk.get(dataset.get_absolute_url())
    form = response.context["agreement_form"]
    name = f"run:{trained.pk}"
    assert form["metrics"].initial == [*USUAL, name, f"{name}+combined"]
    assert f"alex + psnr, tune, {str(trained.pk)[:4]}" in text_of(response)
    assert 'value="dists"' in text_of(response)


def test_a_report_takes_scores_from_an_uploaded_file(desk: Client) -> None:
    dataset = make_dataset()
    url = reverse("report_on_dataset", args=[dataset.pk])
    settings = {
        "agreement-metrics": ["psnr"],
        "agreement-sources": "all",
        "agreement-reference": "first",
        "agreement-hold_out": "none",
        "agreement-resamples": "200",
        "agreement-seed": "1",
        "agreement-scores_better": "lower",
    }
    assert "multipart/form-data" in text_of(desk.get(dataset.get_absolute_url()))

    def scores() -> SimpleUploadedFile:
        return SimpleUploadedFile("mine.csv", b"triplet_id,d_first,d_second\nt0,1,2\n")

    response = desk.post(url, {**settings, "agreement-scores_file": scores()})
    assert response.status_code == 400 and "together with its metric’s name" in text_of(response)
    named = {**settings, "agreement-scores_file": scores(), "agreement-scores_name": "My metric"}
    desk.post(url, named)
    [text] = Run.objects.get(kind="agreement").config["scores"]
    assert text.startswith("outside_scores/") and text.endswith(".csv:My metric:lower")
    assert storing.read(text.removesuffix(":My metric:lower")) == scores().read()
    wrong = {**settings, "agreement-scores_file": scores(), "agreement-scores_name": "a:b"}
    assert "with a colon" in text_of(desk.post(url, wrong))


def test_a_report_of_no_metric_is_sent_back(desk: Client) -> None:
    dataset = make_dataset()
    response = desk.post(
        reverse("report_on_dataset", args=[dataset.pk]), {"agreement-sources": "all"}
    )
    assert response.status_code == 400 and Run.objects.count() == 0


def test_a_report_page_shows_the_best_first_with_people_above(desk: Client) -> None:
    run = make_report(make_dataset(n_judgments=3))
    response = desk.get(reverse("report", args=[run.pk]))
    said = text_of(response)
    assert [row["name"] for row in response.context["metrics"]] == ["psnr", "ssim"]
    assert response.context["conclusion"].startswith("PSNR (RGB) agrees with people most often")
    # One of three chose the first: two thirds agree with a metric that takes the second,
    # and 1 - 2 * 2 * 1 / (3 * 2) of the pairs of people agree.
    assert "66.7" in said and "33.3" in said and "A note of the report." in said
    assert "biased upward" in said and "not estimable" not in said
    for name in ("report.json", "report.csv", "agreement.svg"):
        assert reverse("report_file", args=[run.pk, name]) in said


def test_one_judgment_a_triplet_gives_no_number_for_people(desk: Client) -> None:
    run = make_report(make_dataset(n_judgments=1))
    response = desk.get(reverse("report", args=[run.pk]))
    assert "not estimable" in text_of(response)
    assert all("value" not in row for row in response.context["people"])


def test_a_report_gives_out_its_own_files_only(desk: Client) -> None:
    run = make_report(make_dataset())
    (run.folder / "secret.txt").write_text("not for the web")
    found = desk.get(reverse("report_file", args=[run.pk, "report.json"]))
    assert json.loads(found.content)["format"] == run.result["format"]
    assert desk.get(reverse("report_file", args=[run.pk, "secret.txt"])).status_code == 404
    assert desk.get(f"/reports/{run.pk}/..%2f..%2fsecret_key").status_code == 404
    figure = desk.get(reverse("report_file", args=[run.pk, "agreement.svg"]))
    assert (
        figure["Content-Type"] == "image/svg+xml" and "sandbox" in figure["Content-Security-Policy"]
    )
    url = reverse("report_file", args=[run.pk, "report.csv"])
    assert Client().get(url).status_code == 302


def test_an_unfinished_report_leads_to_its_run(desk: Client) -> None:
    run = make_run("running", dataset=make_dataset())
    response = desk.get(reverse("report", args=[run.pk]))
    assert response.status_code == 302 and response["Location"] == run.get_absolute_url()


@pytest.mark.parametrize(
    ("where", "n_queries"),
    [("collection", 10), ("dataset", 5), ("runs", 4), ("run", 6), ("report", 3), ("metrics", 3)],
)
def test_pages_ask_the_database_the_same_however_much_there_is(
    desk: Client, where: str, n_queries: int, django_assert_num_queries: Any
) -> None:
    dataset = make_dataset()
    report = make_report(dataset)
    make_small_ladder()
    for number in range(6):
        run = make_run("done", dataset=dataset)
        Run.objects.filter(pk=run.pk).update(
            kind="train_metric", config=TrainMetricConfig().to_json()
        )
        make_reconstruction(make_source("lakes", f"more-{number}"), "jpeg", 0.5)
        RunMetric.objects.create(run=run, step=1, name="train_loss", value=1)
    urls = {
        "collection": reverse("collection", args=["lakes"]),
        "dataset": dataset.get_absolute_url(),
        "runs": reverse("runs"),
        "run": run.get_absolute_url(),
        "report": reverse("report", args=[report.pk]),
        "metrics": reverse("metrics"),
    }
    desk.get(urls[where])
    with django_assert_num_queries(n_queries):
        assert desk.get(urls[where]).status_code == 200


def test_the_desk_never_loads_torch() -> None:
    """Every page's code and every form's configuration, in a fresh process."""
    code = (
        "import django; django.setup(); import sys\n"
        "import config.urls\n"
        "from codecs_eval import desk_plots, run_forms\n"
        "from codecs_eval.run_kinds import KINDS, load\n"
        "[load(kind.config) for kind in KINDS.values()]\n"
        "from codecs_eval.codecs.table import probe_all; probe_all()\n"
        "heavy = {'torch', 'torchvision', 'lpips', 'onnxruntime'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
