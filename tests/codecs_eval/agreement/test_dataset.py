import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codecs_eval.agreement.dataset import read_dataset
from codecs_eval.agreement.manifest import split_sources
from codecs_eval.agreement.pixels import encode_png

MakeRows = Callable[..., Any]


def test_a_dataset_reads_back_as_it_was_written(tmp_path: Path, make_rows: MakeRows) -> None:
    written = make_rows().write(tmp_path / "frozen")
    read = read_dataset(tmp_path / "frozen", verify=True)
    assert read.manifest == written.manifest
    assert read.triplets.equals(written.triplets)
    assert read.judgments.equals(written.judgments)
    assert read.manifest.counts.judgments == 24
    assert read.manifest.counts.observers == 3
    image = read.image(read.triplets["first_image"][0])
    assert image.shape == (8, 12, 3)
    assert image.dtype == np.uint8
    assert set(np.unique(image)) == {1}


def test_the_same_rows_give_the_same_files(tmp_path: Path, make_rows: MakeRows) -> None:
    rows = make_rows()
    first = rows.write(tmp_path / "one")
    rows.triplets = rows.triplets.sample(frac=1, random_state=1)
    rows.judgments = rows.judgments.sample(frac=1, random_state=1)
    second = rows.write(tmp_path / "two")
    assert first.manifest.files == second.manifest.files


def test_every_file_but_the_manifest_is_hashed(tmp_path: Path, make_rows: MakeRows) -> None:
    dataset = make_rows().write(tmp_path / "frozen")
    found = {p.relative_to(dataset.folder).as_posix() for p in dataset.folder.rglob("*.p*")}
    assert found == set(dataset.manifest.files)
    stated = json.loads((dataset.folder / "manifest.json").read_text())
    assert stated["format"] == "triad-dataset/1"
    assert stated["filters"] == [{"rule": "excluded sessions", "dropped": 3}]


def test_verifying_finds_a_changed_a_missing_and_a_foreign_file(
    tmp_path: Path, make_rows: MakeRows
) -> None:
    folder = make_rows().write(tmp_path / "frozen").folder
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"does not list: \['notes.txt'\]"):
        read_dataset(folder, verify=True)
    (folder / "notes.txt").unlink()
    image = next((folder / "images").iterdir())
    image.write_bytes(image.read_bytes() + b"x")
    with pytest.raises(ValueError, match="its manifest says"):
        read_dataset(folder, verify=True)
    image.unlink()
    with pytest.raises(ValueError, match="missing"):
        read_dataset(folder, verify=True)


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not a frozen dataset"):
        read_dataset(tmp_path)


def test_a_manifest_of_another_format_is_refused(tmp_path: Path, make_rows: MakeRows) -> None:
    folder = make_rows().write(tmp_path / "frozen").folder
    text = (folder / "manifest.json").read_text().replace("triad-dataset/1", "triad-dataset/9")
    (folder / "manifest.json").write_text(text)
    with pytest.raises(ValueError, match="triad-dataset/9"):
        read_dataset(folder)


def _break_judgment(column: str, value: object) -> Callable[[Any], None]:
    def change(rows: Any) -> None:
        rows.judgments.loc[0, column] = value

    return change


def _break_triplet(column: str, value: object) -> Callable[[Any], None]:
    def change(rows: Any) -> None:
        rows.triplets.loc[0, column] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_break_judgment("triplet_id", "t99"), "not in the dataset: t99"),
        (_break_judgment("choice", "left"), "unknown choices left"),
        (_break_judgment("judgment_id", "t0-0.23-1"), "duplicate judgment_id: t0-0.23-1"),
        (_break_judgment("choice", None), "without choice"),
        (_break_judgment("is_simulated", True), "1 of 24 judgments are simulated"),
        (_break_triplet("triplet_id", "t1-1.0"), "duplicate triplet_id: t1-1.0"),
        (_break_triplet("kind", "sentinel"), "kind sentinel"),
        (_break_triplet("source", ""), "without source"),
        (_break_triplet("first_image", "0" * 64), "1 images of triplets are missing"),
        (lambda rows: rows.images.popitem(), "1 images of triplets are missing"),
        (lambda rows: rows.images.update({"f" * 64: b""}), "belongs to no triplet"),
        (
            lambda rows: rows.images.update(dict.fromkeys(rows.images, b"other")),
            "has the sha256",
        ),
        (lambda rows: rows.triplets.pop("kind"), r"missing.*'kind'"),
    ],
)
def test_faulty_rows_are_refused_and_leave_nothing_behind(
    tmp_path: Path, make_rows: MakeRows, change: Callable[[Any], None], message: str
) -> None:
    rows = make_rows()
    change(rows)
    with pytest.raises(ValueError, match=message):
        rows.write(tmp_path / "frozen")
    assert list(tmp_path.iterdir()) == []


def test_images_of_different_sizes_in_a_triplet_are_refused(
    tmp_path: Path, make_rows: MakeRows
) -> None:
    rows = make_rows()
    data = encode_png(np.zeros((9, 12, 3), dtype=np.uint8))
    sha = hashlib.sha256(data).hexdigest()
    old = rows.triplets.loc[0, "first_image"]
    rows.triplets = rows.triplets.replace({"first_image": {old: sha}})
    rows.images = {key: kept for key, kept in rows.images.items() if key != old} | {sha: data}
    with pytest.raises(ValueError, match="different sizes"):
        rows.write(tmp_path / "frozen")


def test_a_frozen_folder_is_never_overwritten(tmp_path: Path, make_rows: MakeRows) -> None:
    make_rows().write(tmp_path / "frozen")
    with pytest.raises(ValueError, match="never overwritten"):
        make_rows().write(tmp_path / "frozen")
    read_dataset(tmp_path / "frozen", verify=True)


def test_simulated_judgments_stay_simulated(tmp_path: Path, make_rows: MakeRows) -> None:
    with pytest.raises(ValueError, match="are real in a dataset stated to be simulated"):
        make_rows().write(tmp_path / "frozen", is_simulated=True)
    make_rows(is_simulated=True).write(tmp_path / "frozen", is_simulated=True)
    assert read_dataset(tmp_path / "frozen").is_simulated


def test_missing_observers_and_times_stay_missing(tmp_path: Path, make_rows: MakeRows) -> None:
    rows = make_rows()
    rows.judgments["observer"] = None
    rows.judgments["response_ms"] = None
    dataset = rows.write(tmp_path / "frozen")
    read = read_dataset(tmp_path / "frozen")
    assert dataset.manifest.counts.observers == 0
    assert read.judgments["observer"].isna().all()
    assert read.judgments["response_ms"].isna().all()


def test_a_not_sure_is_half_a_vote_and_counted_apart(tmp_path: Path, make_rows: MakeRows) -> None:
    rows = make_rows(n_sources=1)
    rows.judgments.loc[0, "choice"] = "not_sure"
    votes = rows.write(tmp_path / "frozen").votes().set_index("triplet_id")
    assert tuple(votes.loc["t0-0.23"]) == ("photo0", 3, 2.5, 1)
    assert tuple(votes.loc["t0-1.0"]) == ("photo0", 3, 2.0, 0)


def test_a_question_for_the_difference_turns_the_votes(tmp_path: Path, make_rows: MakeRows) -> None:
    closer = make_rows().write(tmp_path / "closer").votes()
    differs = make_rows().write(tmp_path / "differs", polarity="differs").votes()
    assert (closer["k_second"] == 2).all()
    assert (differs["k_second"] == 1).all()
    with pytest.raises(ValueError, match="polarity 'nearer'"):
        make_rows().write(tmp_path / "other", polarity="nearer")


def test_parts_share_no_source_and_restricting_keeps_whole_sources(
    tmp_path: Path, make_rows: MakeRows
) -> None:
    dataset = make_rows(n_sources=8).write(tmp_path / "frozen")
    train, test = dataset.sources("train"), dataset.sources("test")
    assert len(test) == 2
    assert set(train) | set(test) == set(dataset.sources("all"))
    assert not set(train) & set(test)
    held_out = dataset.restricted_to(test)
    assert set(held_out.triplets["source"]) == set(test)
    assert len(held_out.judgments) == 12
    assert held_out.sources("train") == ()
    with pytest.raises(ValueError, match="nowhere"):
        dataset.restricted_to(["nowhere"])


@pytest.mark.parametrize(("n_sources", "n_test"), [(1, 0), (2, 1), (3, 1), (4, 1), (23, 6)])
def test_the_split_holds_out_at_least_one_of_two_sources(n_sources: int, n_test: int) -> None:
    names = [f"photo{number}" for number in range(n_sources)]
    split = split_sources(names, seed=3, test_share=0.25)
    assert len(split.test) == n_test
    assert sorted((*split.train, *split.test)) == sorted(names)
    assert split == split_sources(names[::-1], seed=3, test_share=0.25)


def test_another_seed_draws_another_split() -> None:
    names = [f"photo{number:02}" for number in range(40)]
    drawn = {split_sources(names, seed=seed, test_share=0.25).test for seed in range(5)}
    assert len(drawn) == 5


def test_a_share_outside_zero_and_one_is_refused() -> None:
    with pytest.raises(ValueError, match=r"test_share 1\.0"):
        split_sources(["a", "b"], seed=0, test_share=1.0)
