"""Names of a model's classes -> categories of a file; what was not mapped is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from codecs_eval.downstream.coco import CocoFile

# Only other names of the very same thing; a bag, say, may be a handbag, a backpack or a suitcase.
SYNONYMS: dict[str, str] = {
    "aeroplane": "airplane",
    "bananas": "banana",
    "banan": "banana",
    "bike": "bicycle",
    "cell phone": "cell phone",
    "cellphone": "cell phone",
    "diningtable": "dining table",
    "hairdryer": "hair drier",
    "hair dryer": "hair drier",
    "mobile phone": "cell phone",
    "motor bike": "motorcycle",
    "motorbike": "motorcycle",
    "necktie": "tie",
    "people": "person",
    "pottedplant": "potted plant",
    "sofa": "couch",
    "television": "tv",
    "tvmonitor": "tv",
    "tv monitor": "tv",
}


@dataclass(frozen=True)
class Mapped:
    """`by_label`: class of the model -> category id of the file.

    `unknown`: categories of the file that the model has no class for, with their instances: they
    are not evaluated. `renamed`: mapped by another name of the same thing.
    """

    by_label: Mapping[str, int]
    unknown: Mapping[str, int]
    renamed: Mapping[str, str]
    n_instances: int

    def notes(self) -> tuple[str, ...]:
        said = []
        if self.renamed:
            pairs = ", ".join(f"{theirs} as {ours}" for theirs, ours in self.renamed.items())
            said.append(f"Categories read under another name of the same thing: {pairs}.")
        if self.unknown:
            listed = ", ".join(f"{name} ({n})" for name, n in self.unknown.items())
            said.append(
                f"Not evaluated, for the model has no class of that name: {listed} "
                "(instances in brackets)."
            )
        return tuple(said)


def mapped(labels: Sequence[str], file: CocoFile) -> Mapped:
    """Categories of the file by name: case, underscores and hyphens apart, then by synonym.

    Raises ValueError where not one category is known to the model.
    """
    by_key = {_key(label): label for label in labels}
    counts = Counter(each.category_id for each in file.instances)
    by_label: dict[str, int] = {}
    unknown: dict[str, int] = {}
    renamed: dict[str, str] = {}
    for category_id, name in file.categories.items():
        key = _key(name)
        label = by_key.get(key) or by_key.get(SYNONYMS.get(key, ""))
        # Two categories of one name (Banan, Banana): the second would share the first's finds.
        if label is None or label in by_label:
            unknown[name] = counts[category_id]
            continue
        by_label[label] = category_id
        if _key(label) != key:
            renamed[name] = label
    if not by_label:
        raise ValueError(
            f"found the categories {', '.join(file.categories.values())}; expected at least one "
            f"that the model knows: {', '.join(labels)}"
        )
    n = sum(counts[category_id] for category_id in by_label.values())
    return Mapped(by_label, unknown, renamed, n)


def _key(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").replace("-", " ").split())
