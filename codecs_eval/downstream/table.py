"""The table of models: name -> task, definition, dotted path. Imports no torch, no onnxruntime."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from codecs_eval.downstream.coco_classes import COCO_80, VOC_20
from codecs_eval.downstream.found import Found

TASKS = ("detection", "segmentation", "semantic", "text", "faces")
# Tasks whose finds a COCO file can judge; the others are compared with the uncompressed photo.
TRUE_TASKS = ("detection", "segmentation", "semantic")
# Those whose truth is masks: of each thing, or of each class.
MASK_TASKS = ("segmentation", "semantic")


class Model(Protocol):
    """Looks at one photo, (height, width, 3) uint8 sRGB; the same photo gives the same finds."""

    @property
    def labels(self) -> tuple[str, ...]: ...
    def find(self, image: NDArray[np.uint8]) -> Found: ...


@dataclass(frozen=True)
class ModelEntry:
    """`path` is module:function of a factory that takes `weights` and returns the model.

    `labels`: the classes that the categories of a COCO file are mapped to.
    """

    name: str
    label: str
    task: str
    definition: str
    version: str
    path: str
    needs_weights: tuple[str, ...] = ()
    obtained: str = ""
    labels: tuple[str, ...] = COCO_80


MODELS: dict[str, ModelEntry] = {
    "yolox-nano": ModelEntry(
        name="yolox-nano",
        label="YOLOX-Nano",
        task="detection",
        definition="YOLOX-Nano, COCO-80, ONNX on one thread; bilinear letterbox to 416 px "
        "without smoothing, as its authors do; objectness x class from 0.01, NMS 0.45 by class, "
        "100 finds",
        version="1",
        path="codecs_eval.downstream.yolox:yolox_nano",
        needs_weights=("yolox-nano",),
        obtained="manage.py weights",
    ),
    "fasterrcnn": ModelEntry(
        name="fasterrcnn",
        label="Faster R-CNN R50-FPN",
        task="detection",
        definition="torchvision's fasterrcnn_resnet50_fpn, weights COCO_V1, its own transform; "
        "scores from 0.05, 100 finds",
        version="1",
        path="codecs_eval.downstream.torchvision_models:faster_rcnn",
        obtained="160 MB from download.pytorch.org on first use, checked",
    ),
    "maskrcnn": ModelEntry(
        name="maskrcnn",
        label="Mask R-CNN R50-FPN",
        task="segmentation",
        definition="torchvision's maskrcnn_resnet50_fpn, weights COCO_V1, its own transform; "
        "scores from 0.05, masks from 0.5, 100 finds",
        version="1",
        path="codecs_eval.downstream.torchvision_models:mask_rcnn",
        obtained="170 MB from download.pytorch.org on first use, checked",
    ),
    "deeplabv3-mobilenet": ModelEntry(
        name="deeplabv3-mobilenet",
        label="DeepLabv3 MobileNetV3",
        task="semantic",
        definition="torchvision's deeplabv3_mobilenet_v3_large, weights COCO_WITH_VOC_LABELS_V1, "
        "its own transform (520 px on the shorter side); VOC's 20 classes and background, scores "
        "back to the photo's size, the highest of each pixel",
        version="1",
        path="codecs_eval.downstream.deeplab:mobilenet_v3",
        obtained="42 MB from download.pytorch.org on first use, checked",
        labels=VOC_20,
    ),
    "deeplabv3-mnv2-tflite": ModelEntry(
        name="deeplabv3-mnv2-tflite",
        label="DeepLabv3 MobileNetV2 (development weights)",
        task="semantic",
        definition="TensorFlow's DeepLabv3 on MobileNetV2 (depth multiplier .5), TFLite on one "
        "thread, 513 px on the longer side; VOC's 20 classes and background; weights for "
        "development offline, not for publication",
        version="1",
        path="codecs_eval.downstream.deeplab:mobilenet_v2_tflite",
        needs_weights=("deeplabv3-mnv2",),
        obtained="deeplabv3_mnv2_dm05_voc_513.tflite in the folder that TRIAD_WEIGHTS names, and "
        "pip install ai-edge-litert==2.3.0",
        labels=VOC_20,
    ),
    "rapidocr": ModelEntry(
        name="rapidocr",
        label="PP-OCR words",
        task="text",
        definition="words that rapidocr reads, split at spaces, compared with those that it reads "
        "in the uncompressed photo",
        version="1",
        path="codecs_eval.downstream.reading_words:rapid_ocr",
        obtained="pip install rapidocr==3.10.0",
    ),
    "mtcnn": ModelEntry(
        name="mtcnn",
        label="MTCNN faces",
        task="faces",
        definition="faces that MTCNN (facenet-pytorch) finds, compared with those that it finds in "
        "the uncompressed photo",
        version="1",
        path="codecs_eval.downstream.faces:mtcnn",
        obtained="pip install --no-deps facenet-pytorch==2.6.0",
    ),
}


def model_entry(name: str) -> ModelEntry:
    if name not in MODELS:
        raise ValueError(f"unknown model {name!r}; expected one of {', '.join(MODELS)}")
    return MODELS[name]


def load_model(name: str, weights: Callable[[str], Path]) -> Model:
    """The model, ready to look; `weights` turns a name of `needs_weights` into a file.

    Raises RuntimeError saying how to get what is missing.
    """
    entry = model_entry(name)
    module, _, factory = entry.path.partition(":")
    model: Model = getattr(import_module(module), factory)(weights)
    return model
