"""What each score is called wherever it is told: table, figure, page, command."""

from __future__ import annotations

from dataclasses import dataclass

from codecs_eval.downstream.ap import NUMBERS


@dataclass(frozen=True)
class Kind:
    """Scores against the truth. `main` is compared over rates; `numbers`: all, the main one first.

    `shown`: those that stand beside the main one on a page, each with its head.
    """

    label: str
    definition: str
    main: str
    numbers: tuple[str, ...]
    with_ends: tuple[str, ...]
    shown: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Agreement:
    """Scores against what was found in the uncompressed photos.

    `column`, `beside`: what the main one and the one beside it are called in a CSV file;
    `by_photo`: the main one of one photo.
    """

    label: str
    definition: str
    axis: str
    column: str
    beside: str
    by_photo: str


_AP = "average precision over IoU .50:.95"
_BY_SIZE = (("ap50", "AP50"), ("ap_small", "small"), ("ap_medium", "medium"), ("ap_large", "large"))

KINDS = {
    "box": Kind("box AP", _AP, "ap", NUMBERS, ("ap", "ap50"), _BY_SIZE),
    "mask": Kind("mask AP", _AP, "ap", NUMBERS, ("ap", "ap50"), _BY_SIZE),
    "pixel": Kind(
        "mean IoU",
        "mean IoU of classes and background",
        "miou",
        ("miou", "accuracy"),
        ("miou", "accuracy"),
        (("accuracy", "pixel accuracy"),),
    ),
}

_F1 = Agreement(
    "F1",
    "F1 at IoU .5 and score .3",
    "F1 with the uncompressed finds",
    "agreement",
    "recall",
    "f1",
)
_CLASS_MAPS = Agreement(
    "mean IoU",
    "mean IoU with the class maps of the uncompressed photos",
    "mean IoU with the uncompressed class maps",
    "agreement_miou",
    "agreement_accuracy",
    "agreement_miou",
)


def agreement_of(task: str) -> Agreement:
    return _CLASS_MAPS if task == "semantic" else _F1
