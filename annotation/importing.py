"""Judgments from elsewhere -> a frozen dataset, or a closed study where they came as a table."""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.contrib.auth.models import User

from annotation.import_formats import READERS
from annotation.models import QUESTION
from codecs_eval import datasets
from codecs_eval.agreement.dataset import write_dataset
from codecs_eval.models import Dataset


@dataclass(frozen=True)
class Imported:
    """The new dataset, and every row that could not go in with its reason."""

    dataset: Dataset
    accepted: int
    refused: list[tuple[int, str]]


def import_judgments(
    folder: Path,
    *,
    file_format: str,
    name: str,
    licence: str,
    attribution: str = "",
    n_raters: int = 0,
    seed: int = 1,
    test_share: float = 0.25,
    user: User | None = None,
    dataset_id: UUID | None = None,
) -> Imported:
    """Read a folder of outside judgments with its images and freeze it.

    Raises ValueError for an unknown format, an unreadable folder, or when no row is left.
    """
    if file_format not in READERS:
        raise ValueError(f"Found format {file_format!r}; expected one of {', '.join(READERS)}.")
    if seed < 0:
        raise ValueError(f"Found seed {seed}; expected 0 or more.")
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder.")
    pairs = READERS[file_format](folder, n_raters, None)
    if pairs.report.accepted == 0:
        line, reason = pairs.report.refused[0] if pairs.report.refused else (1, "no rows")
        raise ValueError(f"No row of {folder} could be imported; line {line}: {reason}.")
    dataset = datasets.register(
        name,
        lambda target: write_dataset(
            target,
            name=name,
            origin=f"import:{file_format}",
            question=QUESTION,
            polarity="closer",
            is_simulated=pairs.is_simulated,
            licence=licence,
            attribution=attribution,
            filters=[{"rule": "row refused on import", "dropped": len(pairs.report.refused)}],
            triplets=pairs.triplets,
            judgments=pairs.judgments,
            images=pairs.images,
            seed=seed,
            test_share=test_share,
        ),
        user=user,
        dataset_id=dataset_id,
    )
    return Imported(dataset, pairs.report.accepted, pairs.report.refused)
