"""Judgments from elsewhere: whole where it can be, refused by name where it cannot."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from annotation.import_report import report_of
from annotation.importing import import_judgments
from codecs_eval.agreement.dataset import read_dataset
from codecs_eval.models import Dataset
from tests.factories import make_picture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]

GOOD = {"original": "cat", "first": "jpeg-q10", "second": "jpeg-q50", "closer": "second"}


def make_folder(folder: Path, *rows: dict[str, str], columns: tuple[str, ...] = ()) -> Path:
    """originals/ and stimuli/ of two photos, and the rows as answers.csv."""
    for index, name in enumerate(("cat", "dog", "fox")):
        path = folder / "originals" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray(make_picture(index))
        picture.save(path)
        for quality in (10, 50):
            path = folder / "stimuli" / f"jpeg-q{quality}" / f"{name}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            picture.save(path, quality=quality)
    names = columns or tuple(rows[0] if rows else GOOD)
    with (folder / "answers.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)
    return folder


def bring_in(folder: Path, **values: Any) -> Any:
    return import_judgments(
        folder, **{"file_format": "pairs", "name": "outside", "licence": "CC0-1.0", **values}
    )


def test_rows_of_real_people_become_a_dataset(tmp_path: Path) -> None:
    rows = [
        {**GOOD, "original": name, "observer": "o1", "response_ms": "1200.5"}
        for name in ("cat", "dog", "fox")
    ]
    rows.append({**GOOD, "closer": "first", "observer": "o2", "response_ms": ""})
    imported = bring_in(make_folder(tmp_path / "in", *rows))
    assert (imported.accepted, imported.refused) == (4, [])
    frozen = read_dataset(imported.dataset.folder, verify=True)
    assert imported.dataset.n_triplets == 3
    assert imported.dataset.origin == "import:pairs"
    assert not imported.dataset.is_simulated
    assert list(frozen.votes().query("source == 'cat'")[["n", "k_second"]].iloc[0]) == [2, 1]


def test_rows_that_cannot_go_in_are_named_and_counted(tmp_path: Path) -> None:
    folder = make_folder(
        tmp_path / "in",
        GOOD,
        {**GOOD, "original": "dog"},
        {**GOOD, "original": "ghost"},
        {**GOOD, "closer": "both"},
        {**GOOD, "original": "../../etc/passwd"},
        {**GOOD, "second": "jpeg-q10"},
    )
    imported = bring_in(folder)
    assert imported.accepted == 2
    assert [line for line, _ in imported.refused] == [4, 5, 6, 7]
    for (_, reason), said in zip(
        imported.refused, ("originals/ghost", "'both'", "plain name", "same setting"), strict=True
    ):
        assert said in reason
    manifest = read_dataset(imported.dataset.folder).manifest
    assert [(found.rule, found.dropped) for found in manifest.filters] == [
        ("row refused on import", 4)
    ]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"file_format": "spreadsheet"}, "expected one of pairs"),
        ({"test_share": 2.0}, "share"),
        ({"licence": ""}, "licence"),
    ],
)
def test_bad_options_are_refused_and_leave_nothing(
    tmp_path: Path, values: dict[str, Any], said: str
) -> None:
    folder = make_folder(tmp_path / "in", GOOD, {**GOOD, "original": "dog"})
    with pytest.raises(ValueError, match=said):
        bring_in(folder, **values)
    assert not Dataset.objects.exists()
    assert not list((tmp_path / "datasets").glob("*"))


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="ghost is not a folder"):
        bring_in(tmp_path / "ghost")


def test_a_folder_without_answers_is_refused(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "in", GOOD)
    (folder / "answers.csv").unlink()
    with pytest.raises(ValueError, match="answers.csv is missing"):
        bring_in(folder)


def test_answers_without_a_column_are_refused_by_its_name(tmp_path: Path) -> None:
    rows = [{"original": "cat", "first": "a", "second": "b"}]
    with pytest.raises(ValueError, match="closer"):
        bring_in(make_folder(tmp_path / "in", *rows))


def test_a_folder_of_which_no_row_can_go_in_says_why(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "in", {**GOOD, "original": "ghost"})
    with pytest.raises(ValueError, match="line 2: no file originals/ghost"):
        bring_in(folder)
    assert not Dataset.objects.exists()


def test_an_empty_answers_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no rows"):
        bring_in(make_folder(tmp_path / "in"))


def test_an_image_that_is_not_what_its_name_says_is_refused(tmp_path: Path) -> None:
    folder = make_folder(
        tmp_path / "in", GOOD, {**GOOD, "original": "dog"}, {**GOOD, "original": "fox"}
    )
    Image.fromarray(make_picture(1)).save(folder / "stimuli" / "jpeg-q50" / "cat.jpg", "PNG")
    imported = bring_in(folder)
    assert [line for line, _ in imported.refused] == [2]
    assert "cat.jpg" in imported.refused[0][1]


def test_a_name_that_is_taken_is_refused_and_the_first_dataset_stays(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "in", GOOD, {**GOOD, "original": "dog"})
    first = bring_in(folder).dataset
    with pytest.raises(ValueError, match="never changes"):
        bring_in(folder)
    assert Dataset.objects.get() == first


@pytest.mark.slow
def test_every_choice_of_human_jpeg_pairs_goes_in(shared_data: Callable[[str], Path]) -> None:
    imported = bring_in(shared_data("human_jpeg_pairs"), licence="CC0-1.0")
    assert (imported.accepted, imported.refused) == (452, [])
    dataset = imported.dataset
    assert (dataset.n_sources, dataset.n_judgments) == (23, 452)
    frozen = read_dataset(dataset.folder)
    split = frozen.manifest.split
    assert len(split.train) + len(split.test) == 23
    assert not set(split.train) & set(split.test)
    assert set(frozen.judgments["choice"]) == {"first", "second"}


@pytest.mark.parametrize(("most", "n_read", "is_partial"), [(2, 2, True), (None, 3, False)])
def test_a_look_at_pairs_reads_the_first_rows_and_says_so(
    tmp_path: Path, most: int | None, n_read: int, is_partial: bool
) -> None:
    report = report_of(make_folder(tmp_path / "in", GOOD, GOOD, GOOD), "pairs", most=most)
    assert (report.n_read, report.n_good, report.is_partial) == (n_read, n_read, is_partial)
