"""A downstream report end to end: real streams, real boxes, the command, the pages."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from numpy.typing import NDArray
from PIL import Image
from skimage import data

from codecs_eval import coco_importing, detecting, downstream_reports, encoding, run_parts, runs
from codecs_eval.detecting import DownstreamConfig
from codecs_eval.downstream import pixels
from codecs_eval.downstream.coco_classes import VOC_20
from codecs_eval.models import Reconstruction, Run, SourceImage
from codecs_eval.named_codecs import learned_name
from tests.codecs_eval.metrics.pretrained import weight_source
from tests.factories import make_ada, make_cleo

pytestmark = pytest.mark.usefixtures("transactional_db", "home_with_weights")

PERSON, CAT = 3, 0


@pytest.fixture
def home_with_weights(triad_home: Path, settings: Any) -> Path:
    """YOLOX's file is there already: commands do not fetch it once a test."""
    settings.TRIAD_WEIGHTS = str(weight_source()("yolox-nano").parent)
    return triad_home


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(make_ada())
    return client


def make_files(folder: Path) -> tuple[Path, Path]:
    """The astronaut (PNG with alpha), the cat (JPEG), and a grey picture of nothing."""
    images = folder / "zoo" / "images"
    images.mkdir(parents=True)
    astronaut = Image.fromarray(data.astronaut()).reduce(2).convert("RGBA")
    # One corner is transparent, as in pictures that were cut out.
    astronaut.putpixel((0, 0), (0, 0, 0, 0))
    astronaut.save(images / "astronaut.png")
    Image.fromarray(data.chelsea()[:, :450]).resize((300, 200)).save(images / "cat.jpg", quality=95)
    Image.fromarray(np.full((80, 100), 128, dtype=np.uint8)).save(images / "grey.png")
    (images / "unnamed.png").write_bytes((images / "grey.png").read_bytes())
    sizes = {"astronaut.png": (256, 256), "cat.jpg": (300, 200), "grey.png": (100, 80)}
    tree = {
        "images": [
            {"id": 4 * i, "file_name": name, "width": width, "height": height}
            for i, (name, (width, height)) in enumerate(
                [*sizes.items(), ("gone.png", (10, 10))]
            )
        ],
        "categories": [
            {"id": CAT, "name": "Cat"}, {"id": PERSON, "name": "Person"}, {"id": 9, "name": "Moon"},
        ],
        "annotations": [
            {"id": 0, "image_id": 0, "category_id": PERSON, "bbox": [5, 5, 180, 250],
             "area": 45000, "iscrowd": 0},
            {"id": 5, "image_id": 4, "category_id": CAT, "bbox": [0, 0, 294, 200],
             "area": 58800, "iscrowd": 0},
            {"id": 6, "image_id": 8, "category_id": 9, "bbox": [1, 1, 5, 5], "area": 25},
        ],
    }  # fmt: skip
    coco = folder / "zoo" / "instances.json"
    coco.write_text(json.dumps(tree))
    return coco, images


def make_report_run(folder: Path, **values: Any) -> Run:
    """Worked through in this process, as a worker does it."""
    coco, images = make_files(folder)
    found = coco_importing.import_coco(coco, images, collection="zoo")
    config = DownstreamConfig(
        **{
            "collection": "zoo", "codecs": ("jpeg",), "rates_bpp": (0.5, 2.0),
            "annotations": found.annotations, "resamples": 200, **values,
        }
    )  # fmt: skip
    run = runs.create("downstream", config, title="The zoo")
    work(run)
    return run


def work(run: Run) -> None:
    assert runs.claim(run.pk, "ada")
    assert run_parts.begin(run, "ada") > 0
    run_parts.drain("ada", run.pk)
    run.refresh_from_db()


def test_only_photos_that_the_file_names_come_in_and_the_others_are_told(tmp_path: Path) -> None:
    coco, images = make_files(tmp_path)
    found = coco_importing.import_coco(coco, images, collection="zoo")
    assert found.without_file == ("gone.png",) and found.without_entry == ("unnamed.png",)
    assert {s.name for s in SourceImage.objects.all()} == {"astronaut", "cat", "grey"}
    astronaut = SourceImage.objects.get(name="astronaut")
    assert any("flattened on white" in words for words in astronaut.conversions)


def test_a_folder_without_any_of_the_photos_is_refused(tmp_path: Path) -> None:
    coco, _ = make_files(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="found none of the 4 photos that instances.json names"):
        coco_importing.import_coco(coco, tmp_path / "empty", collection="zoo")


def test_the_command_reports_ap_at_real_rates(tmp_path: Path) -> None:
    coco, images = make_files(tmp_path)
    told = io.StringIO()
    # Its helpers would see another database: the parts are done in this process.
    call_command(
        "downstream", coco=coco, images=images, codecs=["jpeg"], rates=[1.0], resamples=200,
        queue=True, stdout=told,
    )  # fmt: skip
    run = Run.objects.get()
    assert run.config["collection"] == "zoo" and run.config["model"] == "yolox-nano"
    work(run)
    assert run.state == "done", run.error
    found = run.result
    # By the truth drawn here and the model's real weights: both animals are found.
    assert found["uncompressed"]["box"]["ap50"]["value"] == pytest.approx(1)
    (cell,) = found["cells"]
    rows = Reconstruction.objects.filter(codec="jpeg")
    assert cell["bpp_mean"] == pytest.approx(np.mean([row.bpp for row in rows]))
    assert cell["hit"] + cell["nearest"] + cell["unreachable"] == found["n_photos"] == 3
    said = " ".join(found["notes"])
    assert "Moon (1)" in said and "gone.png" in said
    assert found["n_jpeg_born"] == 1


def test_a_task_and_a_model_must_fit(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="maskrcnn, deeplabv3-mobilenet"):
        call_command("downstream", collection="zoo", task="segmentation", model="yolox-nano")
    with pytest.raises(CommandError, match="yolox-nano, which does detection"):
        call_command("downstream", collection="zoo", task="segmentation", model="yolox-nano")
    with pytest.raises(CommandError, match="expected the photos"):
        call_command("downstream")


def test_shrinking_shrinks_the_truth_too(tmp_path: Path) -> None:
    coco, images = make_files(tmp_path)
    found = coco_importing.import_coco(coco, images, collection="zoo", shrink_jpeg_born=True)
    config = DownstreamConfig(
        collection="zoo", codecs=("jpeg",), rates_bpp=(1.0,), annotations=found.annotations,
        resamples=200,
    )  # fmt: skip
    run = runs.create("downstream", config, title="The zoo")
    work(run)
    assert run.result["n_shrunk"] == 1 and run.result["n_jpeg_born"] == 0
    assert run.result["uncompressed"]["box"]["ap50"]["value"] == pytest.approx(1)
    cat = SourceImage.objects.get(name="cat")
    truth = json.loads((run.folder / "truth" / f"{cat.pk}.json").read_text())
    assert truth[0]["box"] == [0, 0, 147, 100]


def test_done_work_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_report_run(tmp_path)
    before = list(Reconstruction.objects.values_list("pk", flat=True))
    kept = {path: path.stat().st_mtime_ns for path in _finds()}
    again = runs.again(run)
    work(again)
    assert list(Reconstruction.objects.values_list("pk", flat=True)) == before
    assert {path: path.stat().st_mtime_ns for path in _finds()} == kept
    assert again.result["cells"] == run.result["cells"]


def _finds() -> list[Path]:
    found = sorted(Path(default_storage.path("finds")).rglob("*.json"))
    assert len(found) >= 3
    return found


def test_without_a_coco_file_the_uncompressed_finds_are_the_yardstick(tmp_path: Path) -> None:
    run = make_report_run(tmp_path, annotations="")
    assert run.state == "done", run.error
    assert run.result["kinds"] == [] and run.result["n_instances"] == 0
    assert all(0 <= cell["agreement"]["value"] <= 1 for cell in run.result["cells"])
    low, high = run.result["cells"][:2]
    assert low["agreement"]["value"] <= high["agreement"]["value"]


def test_a_photo_that_one_codec_lacks_is_left_out_of_all(tmp_path: Path) -> None:
    run = make_report_run(tmp_path)
    Reconstruction.objects.filter(target_bpp=2.0, source__name="grey").delete()
    found = downstream_reports.report_of(run)
    assert found["n_photos"] == 2 and all(cell["n"] == 2 for cell in found["cells"])
    assert any("Left out of every codec" in note and "grey" in note for note in found["notes"])


def test_a_collection_of_other_photos_is_told(tmp_path: Path) -> None:
    run = make_report_run(tmp_path)
    SourceImage.objects.filter(name="cat").update(width=299)
    found = downstream_reports.report_of(run)
    assert any("another size" in note and "cat (299x200" in note for note in found["notes"])


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"model": "eye"}, "Found model 'eye'; expected one of yolox-nano"),
        ({"resamples": 1}, "Found 1 resamples"),
        ({"codecs": ("gif",)}, "Found codecs"),
        ({"seed": -1}, "Found seed -1"),
    ],
)
def test_settings_are_checked(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        DownstreamConfig(**{"collection": "zoo", "codecs": ("jpeg",), **values})


def test_ada_reads_the_report_and_sees_the_boxes(desk: Client, tmp_path: Path) -> None:
    run = make_report_run(tmp_path, codecs=("jpeg", "webp"))
    assert run.state == "done", run.error
    page = desk.get(reverse("downstream", args=[run.pk])).content.decode()
    assert "Uncompressed" in page and "BD-rate" in page and "1 of 3 photos came as JPEG" in page
    for name in ("report.json", "table.csv", "table.md", "bd_rates.csv", "photos.csv"):
        assert desk.get(reverse("downstream_file", args=[run.pk, name])).status_code == 200
    svg = desk.get(reverse("downstream_file", args=[run.pk, "by_rate.svg"]))
    assert svg["Content-Type"] == "image/svg+xml" and svg.content.startswith(b"<?xml")
    source = SourceImage.objects.get(name="astronaut")
    photo = desk.get(reverse("downstream_photo", args=[run.pk, source.pk]) + "?codec=webp")
    assert "WebP" in photo.content.decode()
    for codec, rate in (("uncompressed", 0), ("webp", 2.0)):
        reply = desk.get(reverse("downstream_picture", args=[run.pk, source.pk, codec, rate]))
        drawn = np.asarray(Image.open(io.BytesIO(reply.content)).convert("RGB"))
        assert drawn.shape == (256, 256, 3)
        # The truth's green line stands where the file says.
        assert (np.abs(drawn[5, 50:150].astype(int) - [0, 158, 115]) < 40).all(axis=1).any()


def test_ada_reads_a_report_of_class_maps(desk: Client, tmp_path: Path) -> None:
    """What the model found is kept already, so no network is loaded: half of the cat is lost."""
    coco, images = make_files(tmp_path)
    kept = coco_importing.import_coco(coco, images, collection="zoo")
    config = DownstreamConfig(
        collection="zoo", codecs=("jpeg",), rates_bpp=(1.0,), annotations=kept.annotations,
        resamples=200, model="deeplabv3-mobilenet",
    )  # fmt: skip
    run = runs.create("downstream", config, title="The zoo")
    for source in SourceImage.objects.all():
        classes = np.zeros((source.height, source.width), dtype=np.int64)
        classes[:, : source.width // 2] = 8 * (source.name == "cat")
        keep_finds(source.sha256, classes)
        classes[: source.height // 2] = 0
        for row in encoding.encode_source(source, "jpeg", (1.0,), tolerance=0.02):
            keep_finds(row.pixels_sha256, classes)
    found = downstream_reports.report_of(run)
    Run.objects.filter(pk=run.pk).update(state=Run.State.DONE, result=found)
    assert found["categories"] == ["cat", "person"] and found["kinds"] == ["pixel"]
    (cell,) = found["cells"]
    assert cell["pixel"]["difference"]["value"] < 0 and cell["agreement"]["value"] < 1
    page = desk.get(reverse("downstream", args=[run.pk])).content.decode()
    assert "Mean IoU, %" in page and "Pixel accuracy, %" in page and "Box AP" not in page
    cat = SourceImage.objects.get(name="cat")
    photo = desk.get(reverse("downstream_photo", args=[run.pk, cat.pk])).content.decode()
    assert "Coloured areas" in photo
    picture = desk.get(reverse("downstream_picture", args=[run.pk, cat.pk, "uncompressed", 0]))
    assert picture.status_code == 200
    csv = desk.get(reverse("downstream_file", args=[run.pk, "photos.csv"])).content.decode()
    assert csv.splitlines()[0].endswith("state,miou,agreement_miou")


def keep_finds(pixels_sha256: str, classes: NDArray[np.int64]) -> None:
    path = detecting.finds_path("deeplabv3-mobilenet", pixels_sha256)
    if not default_storage.exists(path):
        found = pixels.found_of(classes, VOC_20)
        default_storage.save(path, ContentFile(found.to_json().encode()))


def test_what_a_report_lacks_is_not_found(desk: Client, tmp_path: Path) -> None:
    run = make_report_run(tmp_path)
    source = SourceImage.objects.get(name="cat")
    for url in (
        reverse("downstream_file", args=[run.pk, "secret.txt"]),
        reverse("downstream_photo", args=[run.pk, source.pk]) + "?codec=gif",
        reverse("downstream_picture", args=[run.pk, source.pk, "jpeg", "0.9"]),
        reverse("downstream_picture", args=[run.pk, source.pk, "jpeg", "x"]),
        reverse("downstream_on_collection", args=["nothing"]),
    ):
        assert desk.get(url).status_code == 404


def test_ada_launches_a_report_with_her_coco_file(desk: Client, tmp_path: Path) -> None:
    coco, images = make_files(tmp_path)
    coco_importing.import_coco(coco, images, collection="zoo")
    url = reverse("downstream_on_collection", args=["zoo"])
    assert "1 of 3 photos came as JPEG" in desk.get(url).content.decode()
    sent = {
        "downstream-codecs": ["jpeg"],
        "downstream-rates_bpp": "0.5",
        "downstream-model": "yolox-nano",
        "downstream-tolerance": "0.02",
        "downstream-resamples": "200",
        "downstream-seed": "1",
    }
    bad = SimpleUploadedFile("instances.json", b"[]")
    refused = desk.post(url, {**sent, "downstream-coco_file": bad})
    assert refused.status_code == 400 and "expected an object" in refused.content.decode()
    good = SimpleUploadedFile("instances.json", coco.read_bytes())
    reply = desk.post(url, {**sent, "downstream-coco_file": good})
    run = Run.objects.get()
    assert reply["Location"] == run.get_absolute_url()
    assert run.config["annotations"].startswith("annotations/")


def test_a_codec_that_learned_from_no_person_marks_its_report_and_every_file(
    desk: Client, tmp_path: Path
) -> None:
    config = {"collection": "zoo", "steps": 1}
    training = Run.objects.create(
        kind="train_codec", title="Made up", state="done", config=config, is_simulated=True
    )
    codecs = (learned_name(training), "jpeg")
    made = detecting.create_report(DownstreamConfig(collection="zoo", codecs=codecs), "The zoo")
    assert made.is_simulated
    honest = detecting.create_report(DownstreamConfig(collection="zoo", codecs=("jpeg",)), "Zoo")
    assert not honest.is_simulated
    run = make_report_run(tmp_path)
    assert "SIMULATED" not in desk.get(reverse("downstream", args=[run.pk])).content.decode()
    Run.objects.filter(pk=run.pk).update(is_simulated=True)
    assert "SIMULATED" in desk.get(reverse("downstream", args=[run.pk])).content.decode()
    reply = desk.get(reverse("downstream_file", args=[run.pk, "table.csv"]))
    assert 'filename="SIMULATED-' in reply["Content-Disposition"]


def test_cleo_sees_none_of_it(client: Client, tmp_path: Path) -> None:
    coco, images = make_files(tmp_path)
    coco_importing.import_coco(coco, images, collection="zoo")
    config = DownstreamConfig(collection="zoo", codecs=("jpeg",))
    run = runs.create("downstream", config, title="The zoo")
    source = SourceImage.objects.first()
    assert source is not None
    client.force_login(make_cleo())
    for url in (
        reverse("downstream_on_collection", args=["zoo"]),
        reverse("downstream", args=[run.pk]),
        reverse("downstream_photo", args=[run.pk, source.pk]),
        reverse("downstream_picture", args=[run.pk, source.pk, "jpeg", "0.5"]),
        reverse("downstream_file", args=[run.pk, "report.json"]),
    ):
        assert client.get(url).status_code == 403


def test_a_report_that_is_not_done_shows_its_run(desk: Client, tmp_path: Path) -> None:
    coco, images = make_files(tmp_path)
    coco_importing.import_coco(coco, images, collection="zoo")
    config = DownstreamConfig(collection="zoo", codecs=("jpeg",))
    run = runs.create("downstream", config, title="The zoo")
    reply = desk.get(reverse("downstream", args=[run.pk]))
    assert reply["Location"] == run.get_absolute_url()


def test_a_missing_model_fails_before_anything_is_encoded(tmp_path: Path) -> None:
    try:
        detecting.load_model("rapidocr", weight_source())
    except RuntimeError:
        coco, images = make_files(tmp_path)
        coco_importing.import_coco(coco, images, collection="zoo")
        config = DownstreamConfig(collection="zoo", codecs=("jpeg",), model="rapidocr")
        run = runs.create("downstream", config, title="The zoo")
        assert runs.claim(run.pk, "ada")
        assert run_parts.begin(run, "ada") == 0
        run.refresh_from_db()
        assert run.state == "failed" and "pip install rapidocr" in run.error
        assert not Reconstruction.objects.exists()
