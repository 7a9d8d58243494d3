"""Frozen folders and their rows: the door by which judgments reach the machine's half."""

import hashlib
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from codecs_eval.agreement.dataset import FrozenDataset, read_dataset
from codecs_eval.models import Dataset

LONGEST_NAME = 120


def register(
    name: str,
    write: Callable[[Path], FrozenDataset],
    *,
    user: User | None = None,
    dataset_id: uuid.UUID | None = None,
    beside: Callable[[Dataset], object] | None = None,
) -> Dataset:
    """Let `write` freeze a new folder and enter it as a row; both or neither.

    `beside` writes what belongs to the row, in the row's own transaction.

    Raises ValueError where a dataset of that name exists or the rows cannot be frozen.
    """
    if not 0 < len(name) <= LONGEST_NAME:
        raise ValueError(f"Found a name of {len(name)} characters; expected 1..{LONGEST_NAME}.")
    if Dataset.objects.filter(name=name).exists():
        raise ValueError(f"A dataset called {name!r} exists; a frozen dataset never changes.")
    dataset = Dataset(pk=dataset_id or uuid.uuid4(), name=name, created_by=user)
    dataset.folder.parent.mkdir(parents=True, exist_ok=True)
    if dataset.folder.exists():
        # An attempt that was killed left the folder without its row.
        shutil.rmtree(dataset.folder)
    frozen = write(dataset.folder)
    manifest = frozen.manifest
    dataset.origin = manifest.origin
    dataset.question = manifest.question
    dataset.polarity = manifest.polarity
    dataset.is_simulated = manifest.is_simulated
    dataset.n_sources = manifest.counts.sources
    dataset.n_triplets = manifest.counts.triplets
    dataset.n_judgments = manifest.counts.judgments
    dataset.manifest_sha256 = hashlib.sha256(
        (dataset.folder / "manifest.json").read_bytes()
    ).hexdigest()
    try:
        with transaction.atomic():
            dataset.save(force_insert=True)
            if beside:
                beside(dataset)
    except IntegrityError:
        shutil.rmtree(dataset.folder)
        raise ValueError(f"A dataset called {name!r} was made a moment ago.") from None
    return dataset


def frozen(dataset: Dataset) -> FrozenDataset:
    return read_dataset(dataset.folder)


def by_name_or_id(text: str) -> Dataset:
    """A dataset as a person names it. Raises ValueError listing the known names."""
    found = Dataset.objects.filter(name=text).first()
    if found is None:
        try:
            found = Dataset.objects.filter(pk=uuid.UUID(text)).first()
        except ValueError:
            found = None
    if found is None:
        known = ", ".join(Dataset.objects.values_list("name", flat=True)) or "none yet"
        raise ValueError(f"No dataset is called {text!r}; known: {known}.")
    return found
