"""Class maps: IoU by hand and by a confusion matrix, crowds, and what DeepLab sees."""

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from skimage import data

from codecs_eval.downstream import deeplab, pixels, plots, tables
from codecs_eval.downstream.ap import Photo
from codecs_eval.downstream.coco import Instance
from codecs_eval.downstream.coco_classes import VOC_20
from codecs_eval.downstream.drawing import class_colour, coloured
from codecs_eval.downstream.found import from_json
from codecs_eval.downstream.masks import box_of, rle_of
from codecs_eval.downstream.pixels import found_of
from codecs_eval.downstream.report import Asked, Cell, evaluate
from codecs_eval.downstream.table import load_model
from codecs_eval.weights import WeightsUnavailable
from tests.codecs_eval.metrics.pretrained import ROOT, weight_source

LABELS = {"cat": 17, "dog": 18}


def make_map(*squares: tuple[int, int, int, int, int]) -> NDArray[np.int64]:
    """20x10 of background with (number, left, top, width, height)."""
    classes = np.zeros((10, 20), dtype=np.int64)
    for number, left, top, width, height in squares:
        classes[top : top + height, left : left + width] = number
    return classes


def make_truth(*squares: tuple[int, int, int, int, int], crowd: int = -1) -> Photo:
    truth = []
    for i, (category, left, top, width, height) in enumerate(squares):
        mask = rle_of(make_map((1, left, top, width, height)) > 0)
        truth.append(Instance(0, category, box_of(mask), width * height, i == crowd, mask))
    return Photo(1, "p", 20, 10, tuple(truth))


def test_mean_iou_and_accuracy_are_those_by_hand() -> None:
    """A cat of 100 px of which half is found; the other half is called dog, which is nowhere."""
    truth = pixels.of_truth(make_truth((17, 0, 0, 10, 10)), LABELS)
    found = found_of(make_map((1, 0, 0, 5, 10), (2, 5, 0, 5, 10)), list(LABELS))
    counts = pixels.counted([truth], [found], list(LABELS))
    # Background 100/100, cat 50/100; a dog that is nowhere has no IoU of its own.
    assert pixels.mean_iou(counts, np.ones((1, 1)))[0] == pytest.approx((1 + 0.5) / 2)
    assert pixels.accuracy(counts, np.ones((1, 1)))[0] == pytest.approx(150 / 200)


def test_a_smaller_thing_stands_in_front_and_a_crowd_counts_neither_way() -> None:
    photo = make_truth((17, 0, 0, 10, 10), (18, 2, 2, 4, 4), (17, 8, 0, 12, 10), crowd=2)
    truth = pixels.of_truth(photo, LABELS)
    # The crowd's 120 px less the 20 that a cat of its own has.
    assert pixels.area_of(truth.void) == 100
    assert {k: pixels.area_of(m) for k, m in truth.masks.items()} == {"cat": 84, "dog": 16}
    everywhere = found_of(make_map((1, 0, 0, 20, 10), (2, 2, 2, 4, 4)), list(LABELS))
    assert pixels.photo_iou(truth, everywhere, list(LABELS)) == 1


def test_a_class_that_is_not_evaluated_is_background() -> None:
    truth = pixels.of_truth(make_truth((17, 0, 0, 5, 10)), {"cat": 17})
    found = found_of(make_map((1, 0, 0, 5, 10), (2, 5, 0, 15, 10)), ["cat", "sofa"])
    assert pixels.photo_iou(truth, found, ["cat"]) == 1


def test_counts_in_run_lengths_are_those_of_a_confusion_matrix() -> None:
    rng = np.random.default_rng(3)
    labels = ["a", "b", "c"]
    maps = rng.integers(0, 4, size=(2, 6, 10, 20))
    photo = Photo(1, "p", 20, 10, ())
    there, found = ([found_of(each, labels) for each in some] for some in maps)
    counts = pixels.counted([pixels.of_found(f, photo) for f in there], found, labels)
    matrix = np.zeros((4, 4))
    np.add.at(matrix, (maps[0].ravel(), maps[1].ravel()), 1)
    iou = np.diag(matrix) / (matrix.sum(0) + matrix.sum(1) - np.diag(matrix))
    assert pixels.mean_iou(counts, np.ones((1, 6)))[0] == pytest.approx(iou.mean())
    assert pixels.accuracy(counts, np.ones((1, 6)))[0] == pytest.approx(
        np.diag(matrix).sum() / 1200
    )


def test_the_report_tells_loss_and_agreement_with_paired_intervals() -> None:
    photos = [replace(make_truth((17, 0, 0, 10, 10)), id=i) for i in range(8)]
    whole = found_of(make_map((1, 0, 0, 10, 10)), list(LABELS))
    half = found_of(make_map((1, 0, 0, 5, 10)), list(LABELS))
    cells = [
        Cell(codec, codec, "#000000", "o", 0.5, (0.5,) * 8, ("hit",) * 8, found)
        for codec, found in (("jpeg", (half,) * 2 + (whole,) * 6), ("webp", (whole,) * 8))
    ]
    report = evaluate(photos, [whole] * 8, cells, Asked("semantic", LABELS, 300))
    assert report["kinds"] == ["pixel"] and "shown_from" not in report
    lost, same = report["cells"]
    # By hand: cat 700/800, background 800/900.
    miou = (7 / 8 + 8 / 9) / 2
    assert report["uncompressed"]["pixel"]["miou"]["value"] == 1
    assert lost["pixel"]["miou"]["value"] == pytest.approx(miou)
    gap = lost["pixel"]["difference"]
    assert gap["value"] == pytest.approx(miou - 1) and gap["low"] < miou - 1 < gap["high"] <= 0
    assert lost["agreement"]["value"] == pytest.approx(miou)
    assert lost["agreement_accuracy"] == pytest.approx(1 - 100 / 1600)
    assert same["pixel"]["difference"] == {"value": 0, "low": None, "high": None}
    head, *_ = tables.table_csv(report).splitlines()
    assert "pixel_miou_low" in head and "agreement_miou_high" in head and "recall" not in head
    assert "mean IoU with uncompressed" in tables.markdown(report)
    told = {**report, "collection": "c", "model": {"label": "m"}}
    assert plots.rate_figure(told).axes[0].get_ylabel() == "mean IoU (%)"


def test_classes_are_laid_over_in_voc_s_colours() -> None:
    # From the development kit's own table.
    assert class_colour("airplane") == (128, 0, 0) and class_colour("person") == (192, 128, 128)
    found = found_of(np.kron(make_map((15, 0, 0, 10, 10)), np.ones((20, 20), dtype=int)), VOC_20)
    drawn = coloured(np.zeros((200, 400, 3), dtype=np.uint8), [], found)
    assert drawn[199, 199].tolist() == pytest.approx([0.55 * 192, 0.55 * 128, 0.55 * 128], abs=1)
    assert not drawn[:, 200:].any()


def test_a_class_map_comes_back_from_its_file() -> None:
    found = found_of(make_map((3, 0, 0, 4, 4), (15, 8, 2, 6, 6)), VOC_20)
    again = from_json(found.to_json())
    assert again.labels == ("bird", "person") and again.masks == found.masks
    assert found_of(make_map(), VOC_20).labels == ()


def test_torchvision_s_scores_become_a_class_map_of_the_photo_s_size() -> None:
    class Network(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
            scores = torch.zeros(1, 21, 4, 8)
            scores[0, 8, :, 4:] = 1
            return {"out": scores}

    model = deeplab.DeepLabTorchvision(Network(), lambda tensor: tensor.float())
    found = model.find(np.zeros((40, 80, 3), dtype=np.uint8))
    assert found.labels == ("cat",)
    assert found.boxes[0].tolist() == pytest.approx([40, 0, 40, 40], abs=5)


def test_deeplab_out_of_reach_says_where_its_file_belongs(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(url: str) -> None:
        raise WeightsUnavailable(f"the weights {url} are missing: go online once")

    monkeypatch.setattr(deeplab, "hub_state", offline)
    with pytest.raises(WeightsUnavailable, match="deeplabv3_mobilenet_v3_large-fc3c493d"):
        load_model("deeplabv3-mobilenet", weight_source())


def test_without_an_interpreter_the_model_says_what_to_install() -> None:
    if importlib.util.find_spec("ai_edge_litert"):
        pytest.skip("ai-edge-litert is installed here")
    with pytest.raises(RuntimeError, match=r"pip install ai-edge-litert==2\.3\.0"):
        load_model("deeplabv3-mnv2-tflite", weight_source())


def test_deeplab_sees_the_astronaut_and_the_cat() -> None:
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed here")
    beside = ROOT.parent / "shared" / "weights"
    model = load_model("deeplabv3-mnv2-tflite", _from(beside))
    person = model.find(data.astronaut())
    at = person.labels.index("person")
    assert pixels.area_of(person.masks[at]) / 512**2 == pytest.approx(0.45, abs=0.03)
    cat = model.find(data.chelsea())
    assert cat.labels == ("cat",) and cat.to_json() == model.find(data.chelsea()).to_json()
    # A wide photo stands top left in the square: nothing is found below it.
    wide = model.find(np.ascontiguousarray(data.astronaut()[:150]))
    assert all(mask.height == 150 and mask.width == 512 for mask in wide.masks)


def _from(folder: Path) -> Callable[[str], Path]:
    from codecs_eval.weights import obtain

    def find(name: str) -> Path:
        try:
            return obtain(name, folder / "none", folder)
        except WeightsUnavailable as error:
            pytest.skip(str(error))

    return find
