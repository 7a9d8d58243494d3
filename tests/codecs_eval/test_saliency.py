"""Saliency as rows: found in a run, given as masks, compared; by command and by run."""

import io
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from PIL import Image

from codecs_eval import runs
from codecs_eval.finding_saliency import SaliencyConfig, find_in_run
from codecs_eval.importing_masks import import_coco_masks, import_masks
from codecs_eval.mask_agreement import agree_where_missing, agreements, agreements_csv, read_map
from codecs_eval.models import MaskAgreement, Run, SaliencyMap
from tests.codecs_eval.metrics.pretrained import weight_source
from tests.codecs_eval.saliency_rows import make_map, make_values
from tests.factories import make_source

# A run renews its lease from a thread of its own, which sees only rows that are committed.
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("triad_home"),
]


def find(model: str = "spectral-residual") -> Run:
    run = runs.create("saliency", SaliencyConfig("park", model), title="Saliency of park")
    assert runs.claim(run.pk, "ada")
    runs.execute(run.pk, "ada")
    run.refresh_from_db()
    return run


def command(**options: Any) -> str:
    out = io.StringIO()
    call_command("saliency", collection="park", stdout=out, **options)
    return out.getvalue()


def save_mask(folder: Path, name: str, values: np.ndarray) -> None:
    folder.mkdir(exist_ok=True)
    Image.fromarray((values * 255).astype(np.uint8)).save(folder / name)


def test_every_photo_gets_a_map_of_its_size_once() -> None:
    for name in ("lake", "tree"):
        make_source("park", name)
    make_source("elsewhere", "hill")
    run = find()
    assert (run.state, run.result["n_photos"], run.result["n_new"]) == ("done", 2, 2), run.error
    for row in SaliencyMap.objects.all():
        values = read_map(row.path)
        assert row.source.collection == "park" and row.origin == "no weights"
        assert values.shape == (row.source.height, row.source.width)
        assert (values.min(), values.max()) == (0, 1)
    make_source("park", "pond")
    assert find().result["n_new"] == 1
    assert SaliencyMap.objects.count() == 3


def test_u2netp_tells_of_its_weights(settings: Any) -> None:
    settings.TRIAD_WEIGHTS = str(weight_source()("u2netp").parent)
    make_source("park", "lake")
    run = find("u2netp")
    assert run.state == "done", run.error
    assert SaliencyMap.objects.get().origin == "u2netp.onnx 309c8469258d"


def test_a_new_version_of_a_model_makes_new_maps_and_hides_the_old() -> None:
    old = make_map(make_source("park", "lake"), "spectral-residual", model_version="0")
    assert find().result["n_new"] == 1
    shown = SaliencyMap.objects.in_collection("park")
    assert SaliencyMap.objects.count() == 2 and old not in shown and len(shown) == 1


def test_a_run_without_photos_fails_and_says_why() -> None:
    assert "no photo with pixels in a collection 'park'" in find().error


def test_a_run_that_was_asked_to_stop_stops_before_the_next_photo() -> None:
    make_source("park", "lake")
    run = runs.create("saliency", SaliencyConfig("park", "spectral-residual"), title="Saliency")
    assert runs.claim(run.pk, "ada")
    runs.cancel(run)
    with runs.RunReporter(run, "ada") as reporter:
        while not reporter.should_stop():
            time.sleep(0.05)
        with pytest.raises(runs.Cancelled):
            find_in_run(run, reporter)
    assert SaliencyMap.objects.count() == 0


def test_an_unknown_model_is_no_configuration() -> None:
    with pytest.raises(ValueError, match="'eyes'; expected one of u2netp, spectral-residual"):
        SaliencyConfig("park", "eyes")


def test_a_source_has_one_map_of_a_model_and_version() -> None:
    source = make_source("park", "lake")
    make_map(source)
    with pytest.raises(IntegrityError), transaction.atomic():
        make_map(source)


def test_masks_are_paired_by_name_and_what_is_alone_is_named(tmp_path: Path) -> None:
    lake, tree = make_source("park", "lake"), make_source("park", "tree-1")
    make_source("park", "pond")
    folder = tmp_path / "masks"
    # In this order the first file would go to the first photo, were they not paired by name.
    save_mask(folder, "a stray.png", make_values(lake))
    save_mask(folder, "lake.png", make_values(lake))
    save_mask(folder, "tree 1.png", 1 - make_values(tree))
    report = import_masks(folder, collection="park", name="hand")
    assert report.imported == ("lake", "tree-1") and report.refused == ()
    assert report.photos_without_mask == ("pond",)
    assert report.files_without_photo == ("a stray.png",)
    rows = {row.source.name: row for row in SaliencyMap.objects.filter(model="imported:hand")}
    assert np.array_equal(read_map(rows["lake"].path), make_values(lake))
    assert np.array_equal(read_map(rows["tree-1"].path), 1 - make_values(tree))
    assert rows["tree-1"].origin == "tree 1.png"


def test_masks_come_twice_but_never_differ_under_one_name(tmp_path: Path) -> None:
    lake = make_source("park", "lake")
    save_mask(tmp_path / "masks", "lake.png", make_values(lake))
    import_masks(tmp_path / "masks", collection="park", name="hand")
    again = import_masks(tmp_path / "masks", collection="park", name="hand")
    assert (again.imported, again.already_there) == ((), ("lake",))
    save_mask(tmp_path / "masks", "lake.png", 1 - make_values(lake))
    [reason] = import_masks(tmp_path / "masks", collection="park", name="hand").refused
    assert "found another mask of lake than hand has" in reason
    assert import_masks(tmp_path / "masks", collection="park", name="other").imported == ("lake",)


def test_a_mask_of_another_size_costs_no_other(tmp_path: Path) -> None:
    lake = make_source("park", "lake")
    make_source("park", "tree")
    save_mask(tmp_path / "masks", "lake.png", make_values(lake))
    save_mask(tmp_path / "masks", "tree.png", np.ones((3, 4)))
    report = import_masks(tmp_path / "masks", collection="park", name="hand")
    assert report.imported == ("lake",)
    assert report.refused == ("tree.png: found 4x3 px; expected 96x64 px as the photo has",)


def test_masks_that_name_no_photo_are_an_error(tmp_path: Path) -> None:
    lake = make_source("park", "lake")
    save_mask(tmp_path / "masks", "other.png", make_values(lake))
    with pytest.raises(ValueError, match=r"such as other\.png; expected .* such as lake"):
        import_masks(tmp_path / "masks", collection="park", name="hand")
    with pytest.raises(ValueError, match="the masks' name is 'my masks'"):
        import_masks(tmp_path / "masks", collection="park", name="my masks")


def test_coco_instances_become_masks(tmp_path: Path) -> None:
    make_source("park", "lake")
    make_source("park", "tree")
    path = tmp_path / "instances.json"
    images = [
        {"id": 1, "file_name": "lake.jpg", "width": 96, "height": 64},
        {"id": 2, "file_name": "tree.jpg", "width": 9, "height": 9},
    ]
    square = {"id": 1, "image_id": 1, "segmentation": [[0, 0, 9, 0, 9, 9, 0, 9]]}
    path.write_text(json.dumps({"images": images, "annotations": [square]}))
    report = import_coco_masks(path, collection="park", name="objects")
    assert report.imported == ("lake",)
    assert report.refused == ("tree.jpg: found 9x9 px; expected 96x64 px as the photo has",)
    assert read_map(SaliencyMap.objects.get().path).sum() == 100


def test_maps_and_masks_are_compared_whichever_comes_first(tmp_path: Path) -> None:
    lake = make_source("park", "lake")
    make_map(lake, "u2netp", make_values(lake, left=0.6))
    save_mask(tmp_path / "masks", "lake.png", make_values(lake))
    assert import_masks(tmp_path / "masks", collection="park", name="hand").n_agreements == 1
    row = MaskAgreement.objects.get()
    assert row.mae == pytest.approx(0.4 / 2) and row.f_adaptive == row.f_max == 1
    assert find().result["n_agreements"] == 1
    assert agree_where_missing("park") == 0
    models = [row.model for row in agreements("park")]
    assert models == ["u2netp", "spectral-residual"]
    assert agreements("park", "nobody") == []


def test_a_mask_is_compared_with_maps_of_its_own_photo_only() -> None:
    lake, tree = make_source("park", "lake"), make_source("park", "tree")
    make_map(lake, "u2netp")
    make_map(tree, "imported:hand")
    assert agree_where_missing("park") == 0


def test_the_table_has_a_row_a_photo_and_no_f_where_nothing_is_marked() -> None:
    lake, tree = make_source("park", "lake"), make_source("park", "tree")
    for source, mask in ((lake, make_values(lake)), (tree, 0 * make_values(tree))):
        make_map(source, "u2netp")
        make_map(source, "imported:hand", mask)
    agree_where_missing("park")
    [found] = agreements("park", "hand")
    assert (found.masks, found.mae.mean, found.mae.n) == ("hand", 0.25, 2)
    assert found.f_max is not None and (found.f_max.mean, found.f_max.n) == (1, 1)
    assert agreements_csv("park").splitlines() == [
        "collection,photo,model,model_version,masks,mae,f_adaptive,f_max,definition_version",
        "park,lake,u2netp,1,hand,0.000000,1.000000,1.000000,1",
        "park,tree,u2netp,1,hand,0.500000,,,1",
    ]


def test_the_command_finds_imports_and_compares(tmp_path: Path) -> None:
    for name in ("lake", "tree"):
        save_mask(tmp_path / "masks", f"{name}.png", make_values(make_source("park", name)))
    assert "n_new: 2" in command(model="spectral-residual")
    told = command(import_masks=tmp_path / "masks", name="hand")
    assert "2 imported, 0 already there, 0 refused" in told
    told = command(agreement_with="hand")
    assert told.startswith("Spectral residual") and "n 2)" in told
    [row] = json.loads(command(agreement_with="hand", json=True))
    assert row["model"] == "spectral-residual" and row["mae"]["n"] == 2


def test_the_command_queues() -> None:
    make_source("park", "lake")
    assert "queued" in command(queue=True)
    run = Run.objects.get()
    assert run.config == {"collection": "park", "model": "u2netp"} and run.sent_at is not None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"model": "eyes"}, "'eyes'; expected one of"),
        ({"agreement_with": "hand"}, "no photo with both a map and a mask called hand"),
        ({"import_masks": Path("/nowhere"), "name": "hand"}, "/nowhere is no folder"),
        ({"import_masks": Path("/tmp")}, "the masks' name is ''"),
    ],
)
def test_the_command_says_what_was_wrong(options: dict[str, Any], said: str) -> None:
    make_source("park", "lake")
    with pytest.raises(CommandError, match=said):
        command(**options)
