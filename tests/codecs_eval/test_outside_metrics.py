"""Scores from a person's own file, as a metric of an agreement report."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from codecs_eval import datasets
from codecs_eval.models import Dataset, Run
from codecs_eval.reports import AgreementConfig
from tests.codecs_eval.training.datasets import make_dataset

# A run renews its lease from a thread of its own, which sees only rows that are committed.
pytestmark = pytest.mark.usefixtures("transactional_db", "triad_home")


@pytest.fixture
def dataset() -> Dataset:
    return datasets.register("planted", make_dataset)


def scores_file(dataset: Dataset, path: Path, offset: float = 0.0) -> Path:
    """What everybody chose, as distances: nobody can agree more."""
    votes = datasets.frozen(dataset).votes().set_index("triplet_id")
    lines = ["triplet_id,d_first,d_second"]
    for triplet, row in votes.iterrows():
        lines.append(f"{triplet},{offset + row['k_second'] / row['n']},{offset + 0.5}")
    path.write_text("\n".join(lines))
    return path


def report(dataset: Dataset, *scores: str) -> Run:
    call_command(
        "agreement", "--dataset", dataset.name, "--metrics", "psnr", "--sources", "all",
        "--resamples", "100", "--scores", *scores,
    )  # fmt: skip
    return Run.objects.get(kind="agreement")


def test_scores_from_a_file_stand_in_the_report(dataset: Dataset, tmp_path: Path) -> None:
    path = scores_file(dataset, tmp_path / "mine.csv")
    run = report(dataset, f"{path}:Mine:lower", f"{path}:Turned round:higher")
    rows = {row["name"]: row for row in run.result["metrics"]}
    assert rows["file:Mine"]["label"] == "Mine (from a file)"
    people = run.result["people"]["oracle"]["value"]
    mine, turned = (rows[f"file:{name}"]["agreement"] for name in ("Mine", "Turned round"))
    assert mine == pytest.approx(1.0 - turned)
    assert mine >= rows["psnr"]["agreement"]
    assert mine == pytest.approx(people)
    # The file may go: the report was made from what the store keeps.
    path.unlink()
    assert all(text.startswith("outside_scores/") for text in run.config["scores"])


def test_what_is_wrong_with_a_file_is_told(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"cannot be read .*; expected a CSV file of scores"):
        report(dataset, f"{tmp_path / 'nowhere.csv'}:Mine:lower")
    (tmp_path / "short.csv").write_text("triplet_id,d_first,d_second\n")
    with pytest.raises(CommandError, match=r"found no score for .* triplets"):
        report(dataset, f"{tmp_path / 'short.csv'}:Mine:lower")
    with pytest.raises(ValueError, match=r"expected FILE:NAME:higher or FILE:NAME:lower"):
        AgreementConfig(scores=("x.csv:mine:sideways",))
