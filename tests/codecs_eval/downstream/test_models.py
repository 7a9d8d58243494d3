"""Models: the table, YOLOX's real weights on real photos, and what says how to get the rest."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage import data
from torchvision.models.detection import MaskRCNN_ResNet50_FPN_Weights

from codecs_eval.codecs.table import load_codec
from codecs_eval.downstream import masks, table, torchvision_models, yolox
from codecs_eval.downstream.coco_classes import COCO_80
from codecs_eval.downstream.table import MODELS, load_model, model_entry
from codecs_eval.downstream.torchvision_models import TorchvisionDetector
from codecs_eval.downstream.without_truth import agreed, f1
from codecs_eval.weights import WeightsUnavailable
from tests.codecs_eval.metrics.pretrained import weight_source


@pytest.fixture(scope="module")
def nano() -> table.Model:
    return load_model("yolox-nano", weight_source())


def test_yolox_finds_the_astronaut_and_the_cat(nano: table.Model) -> None:
    found = nano.find(data.astronaut())
    assert found.labels[0] == "person"
    assert found.scores[0] == pytest.approx(0.926, abs=0.01)
    left, top, width, height = found.boxes[0]
    assert left < 30 and top < 40 and width > 300 and height > 450
    assert nano.find(data.chelsea()).labels[0] == "cat"


def test_the_same_photo_gives_the_same_finds(nano: table.Model) -> None:
    assert nano.find(data.astronaut()).to_json() == nano.find(data.astronaut()).to_json()


def test_boxes_stay_inside_a_photo_of_any_shape(nano: table.Model) -> None:
    wide = np.ascontiguousarray(data.astronaut()[100:200])
    found = nano.find(wide)
    ends = found.boxes[:, :2] + found.boxes[:, 2:]
    assert (found.boxes >= 0).all() and (ends <= [512.001, 100.001]).all()


def test_agreement_with_the_original_rises_with_jpeg_quality(nano: table.Model) -> None:
    photos = [data.astronaut(), data.chelsea(), data.coffee(), data.rocket()]
    jpeg = load_codec("jpeg")
    before = [nano.find(photo) for photo in photos]

    def agreement(quality: float) -> float:
        after = [
            nano.find(jpeg.decode(jpeg.encode(photo, {"quality": quality}))) for photo in photos
        ]
        value = f1([agreed(b, a, "detection") for b, a in zip(before, after, strict=True)])
        assert value is not None
        return value

    values = [agreement(quality) for quality in (3, 20, 90)]
    assert values[0] < values[1] <= values[2]
    assert values[0] < 0.6 and values[2] > 0.9


def test_a_letterbox_keeps_the_shape_and_pads_with_grey() -> None:
    squared, scale = yolox.letterboxed(np.full((100, 200, 3), (10, 20, 30), dtype=np.uint8))
    assert squared.shape == (1, 3, 416, 416) and scale == pytest.approx(2.08)
    assert squared[0, :, 100, 100].tolist() == [30, 20, 10]
    assert squared[0, :, 300, 100].tolist() == [114, 114, 114]


def test_raw_numbers_become_boxes_around_their_grid_place() -> None:
    raw = np.zeros((3549, 85))
    # Third place of the coarsest grid: column 2, row 0, stride 32; twice as wide as a cell.
    at = 52 * 52 + 26 * 26 + 2
    raw[at, :5] = [0.5, 0.25, np.log(2), 0, 0.8]
    raw[at, 5 + 16] = 0.5
    corners, scores = yolox.decoded(raw)
    assert corners[at].tolist() == pytest.approx([80 - 32, 8 - 16, 80 + 32, 8 + 16])
    assert scores[at, 16] == pytest.approx(0.4) and COCO_80[16] == "dog"


def test_a_torchvision_network_gives_boxes_names_and_masks() -> None:
    """Its answer as torchvision documents it: corners, numbers of 91 classes, soft masks."""
    soft = torch.zeros(3, 1, 8, 10)
    soft[0, 0, 2:5, 1:7] = 0.9
    soft[1, 0, 0, 0] = 0.4
    answer = {
        "boxes": torch.tensor([[1.0, 2, 7, 5], [0, 0, 1, 1], [0, 0, 9, 7]]),
        "labels": torch.tensor([3, 1, 12]),
        "scores": torch.tensor([0.6, 0.9, 0.8]),
        "masks": soft,
    }

    class Network(torch.nn.Module):
        def forward(self, images: list[torch.Tensor]) -> list[dict[str, torch.Tensor]]:
            assert images[0].shape == (3, 8, 10) and float(images[0].max()) == 1.0
            return [answer]

    names = list(MaskRCNN_ResNet50_FPN_Weights.COCO_V1.meta["categories"])
    detector = TorchvisionDetector(Network(), names)
    assert detector.labels == COCO_80
    found = detector.find(np.full((8, 10, 3), 255, dtype=np.uint8))
    # Number 12 was never given to a class; the surest comes first.
    assert found.labels == ("person", "car") and found.scores.tolist() == pytest.approx([0.9, 0.6])
    assert found.boxes[1].tolist() == [1, 2, 6, 3]
    assert masks.box_of(found.masks[1]) == (1, 2, 6, 3) and masks.area_of(found.masks[0]) == 0


def test_weights_out_of_reach_are_told_with_what_to_put_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    with pytest.raises(WeightsUnavailable, match=r"maskrcnn-bf2d0c1e\.pth are missing .* into "):
        torchvision_models.hub_state("http://127.0.0.1:9/maskrcnn-bf2d0c1e.pth")
    wrong = tmp_path / "hub" / "checkpoints" / "maskrcnn-bf2d0c1e.pth"
    wrong.write_bytes(b"something else")
    with pytest.raises(ValueError, match="expected one that begins with bf2d0c1e"):
        torchvision_models.hub_state("http://127.0.0.1:9/maskrcnn-bf2d0c1e.pth")


def test_every_row_of_the_table_says_what_it_is() -> None:
    for name, entry in MODELS.items():
        assert entry.name == name and entry.task in table.TASKS
        assert entry.definition and entry.version and entry.obtained
    with pytest.raises(ValueError, match="unknown model 'eye'; expected one of yolox-nano"):
        model_entry("eye")


@pytest.mark.parametrize(("name", "package"), [("rapidocr", "rapidocr"), ("mtcnn", "facenet-py")])
def test_an_optional_model_says_what_to_install(name: str, package: str) -> None:
    try:
        load_model(name, weight_source())
    except RuntimeError as error:
        assert f"pip install {package}" in str(error).replace("--no-deps ", "")
    else:
        pytest.skip(f"{package} is installed here")


def test_the_table_loads_no_heavy_library() -> None:
    heavy = "{'torch', 'torchvision', 'onnxruntime', 'matplotlib'}"
    code = (
        "import sys, codecs_eval.downstream.table, codecs_eval.downstream.coco\n"
        f"sys.exit(' '.join({heavy} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
