import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from codecs_eval.agreement.intervals import Bootstrap
from codecs_eval.agreement.judged import MetricDistances
from codecs_eval.agreement.people import people_score
from codecs_eval.agreement.report import evaluate, evaluate_dataset
from codecs_eval.agreement.results import Subject
from tests.codecs_eval.agreement.simulated import judged_of

MakeRows = Callable[..., Any]

# subset: plug-in and unbiased in percent (issue); from the facts: a vote against the majority of
# the other four, ideal observer (an unconstrained fit), in-sample majority.
BAPPS = {
    "traditional": (80.8, 76.1, 79.1, 82.7, 85.8),
    "cnn": (84.4, 80.4, 83.3, 86.0, 88.5),
    "superres": (73.6, 67.0, 70.0, 75.3, 80.1),
    "deblur": (66.1, 57.6, 59.6, 66.2, 74.0),
    "color": (68.8, 61.0, 64.1, 69.8, 76.4),
    "frameinterp": (68.6, 60.8, 62.8, 69.6, 76.0),
}


def _metric(name: str, dataset: Any, first: float, second: float, **facts: Any) -> MetricDistances:
    values = pd.DataFrame(
        {"triplet_id": dataset.triplets["triplet_id"], "d_first": first, "d_second": second}
    )
    facts = {"label": name.upper(), "higher_is_better": False, **facts}
    return MetricDistances(name=name, colour="#0072B2", marker="o", values=values, **facts)


@pytest.fixture
def judged(tmp_path: Path, make_rows: MakeRows) -> Any:
    """Eight sources, two triplets each; of three judgments two are for the second."""
    return make_rows(n_sources=8).write(tmp_path / "frozen")


@pytest.mark.parametrize("subset", list(BAPPS))
def test_the_human_scores_of_bapps_are_those_published(
    subset: str, shared_data: Callable[[str], Path]
) -> None:
    rows = pd.read_csv(shared_data("bapps_judge_shares") / "bapps_2afc_val.csv.gz")
    assert len(rows) == 36_344
    rows = rows[rows["subset"] == subset]
    votes = pd.DataFrame(
        {
            "triplet_id": rows["index"].astype(str),
            "source": rows["index"].astype(str),
            "n": 5,
            "k_second": (rows["judge"] * 5).round(),
            "n_not_sure": 0,
        }
    )
    found = people_score(votes, Bootstrap(resamples=100))
    plugin, unbiased, left_out, ideal, in_sample = BAPPS[subset]
    assert found.plugin and found.unbiased and found.ideal and found.oracle and found.left_out
    # The shares themselves give 84.346 for cnn, where 84.4 was printed.
    assert 100 * found.plugin.value == pytest.approx(plugin, abs=0.055)
    assert 100 * found.unbiased.value == pytest.approx(unbiased, abs=0.05)
    assert 100 * found.ideal.value == pytest.approx(ideal, abs=0.2)
    assert 100 * found.left_out.value == pytest.approx(left_out, abs=0.055)
    assert 100 * found.oracle.value == pytest.approx(in_sample, abs=0.055)
    assert found.left_out.value < found.ideal.value < found.oracle.value
    assert found.unbiased.value < found.plugin.value < found.oracle.value


def test_a_metric_is_scored_on_held_out_sources_beside_people(judged: Any) -> None:
    right = _metric("right", judged, 2.0, 1.0)
    wrong = _metric("wrong", judged, 1.0, 2.0)
    tied = _metric("tied", judged, 1.0, 1.0)
    found = evaluate_dataset(judged, [right, wrong, tied]).to_json()
    assert found["part"] == "test"
    counts = {"sources": 2, "triplets": 4, "judgments": 12, "not_sure": 0, "raters": 3}
    assert found["counts"] == counts
    scores = {row["name"]: row for row in found["metrics"]}
    assert scores["right"]["agreement"] == pytest.approx(2 / 3)
    assert scores["wrong"]["agreement"] == pytest.approx(1 / 3)
    assert scores["tied"]["agreement"] == 0.5
    assert (scores["tied"]["n_ties"], scores["right"]["n_ties"]) == (4, 0)
    assert scores["right"]["n_judgments"] == 12
    people = found["people"]
    assert people["status"] == "estimated"
    assert people["unbiased"]["value"] == pytest.approx(1 / 3)
    assert people["plugin"]["value"] == pytest.approx(5 / 9)
    assert people["oracle"]["value"] == pytest.approx(2 / 3)
    differences = found["differences"]
    assert differences["reference"] == "right"
    assert differences["level"] == 0.95
    assert differences["correction"] == "Holm's step-down"
    assert [row["difference"] for row in differences["rows"]] == pytest.approx([-1 / 3, -1 / 6])


def test_a_metric_that_points_upwards_is_turned_by_its_own_fact(judged: Any) -> None:
    distance = _metric("distance", judged, 2.0, 1.0)
    quality = _metric("quality", judged, 30.0, 35.0, higher_is_better=True)
    found = evaluate_dataset(judged, [distance, quality], part="all").metrics
    assert found[0].agreement.value == found[1].agreement.value == pytest.approx(2 / 3)


def test_one_judgment_a_triplet_gives_no_human_number(tmp_path: Path, make_rows: MakeRows) -> None:
    dataset = make_rows(n_sources=8, n_judgments=1).write(tmp_path / "frozen")
    found = evaluate_dataset(dataset, [_metric("m", dataset, 1.0, 2.0)], part="all").to_json()
    people = found["people"]
    assert people["status"] == "not estimable"
    assert people["reason"].startswith("0 of 16 triplets")
    assert all(
        people[name] is None for name in ("unbiased", "plugin", "oracle", "left_out", "ideal")
    )
    assert {row["people"]["status"] for row in found["slices"]} == {"not estimable"}
    assert "difficulty" not in {row["by"] for row in found["slices"]}


def _with_second_judgments(rows: Any, share: float) -> None:
    seconds = rows.judgments.groupby("triplet_id").nth(1)
    firsts = rows.judgments.groupby("triplet_id").nth(0)
    kept = seconds.head(round(share * len(firsts)))
    rows.judgments = pd.concat([firsts, kept], ignore_index=True)


def test_people_are_estimated_on_the_triplets_that_have_two_judgments(
    tmp_path: Path, make_rows: MakeRows
) -> None:
    rows = make_rows(n_sources=10)
    _with_second_judgments(rows, 0.5)
    people = people_score(rows.write(tmp_path / "frozen").votes(), Bootstrap())
    assert people.unbiased
    assert (people.unbiased.n_triplets, people.n_triplets) == (10, 20)
    assert people.unbiased.value == 0.0
    assert people.reason == "estimated on the 10 of 20 triplets with two judgments"


def test_a_few_repeats_cannot_stand_for_a_dataset(tmp_path: Path, make_rows: MakeRows) -> None:
    rows = make_rows(n_sources=10)
    _with_second_judgments(rows, 0.05)
    people = people_score(rows.write(tmp_path / "frozen").votes(), Bootstrap())
    assert people.unbiased is None
    assert people.reason
    assert people.reason.startswith("1 of 20 triplets")


@pytest.mark.parametrize(("n_sources", "unit"), [(6, "source x rater"), (1, "source")])
def test_the_unit_is_that_of_the_intervals_and_not_of_what_is_known(
    n_sources: int, unit: str
) -> None:
    rng = np.random.default_rng(2)
    source = np.repeat(np.arange(n_sources), 4)
    votes = rng.integers(0, 2, (len(source), 2)).astype(float)
    raters = np.tile(np.arange(2), (len(source), 1))
    judged = judged_of(source, raters, votes, (rng.normal(size=len(source)),))
    assert judged.ballots is not None
    subject = Subject("garden", "study:garden", "Which?", "closer", "all", False)
    made = evaluate(judged, subject, Bootstrap(resamples=100)).to_json()
    assert made["intervals"]["unit"] == unit


def test_every_judgment_counts_the_same_and_the_other_weighting_stands_beside(
    tmp_path: Path, make_rows: MakeRows
) -> None:
    rows = make_rows(n_sources=1)
    rows.judgments = rows.judgments.iloc[[0, 3, 4, 5]]
    dataset = rows.write(tmp_path / "frozen")
    found = evaluate_dataset(dataset, [_metric("m", dataset, 1.0, 2.0)], part="all").metrics[0]
    # One judgment for the first; of the other triplet's three one: 2 of 4, and (1 + 1/3) / 2.
    assert found.agreement.value == pytest.approx(0.5)
    assert found.by_triplet == pytest.approx(2 / 3)


def test_slices_name_their_size_and_cover_everything(judged: Any) -> None:
    found = evaluate_dataset(judged, [_metric("m", judged, 2.0, 1.0)], part="all").to_json()
    by: dict[str, list[Any]] = {}
    for row in found["slices"]:
        by.setdefault(row["by"], []).append(row)
    assert set(by) == {"codec pair", "codecs", "target rate", "difficulty"}
    assert [row["label"] for row in by["target rate"]] == ["0.23 bpp", "1 bpp"]
    assert [row["rate_bpp"] for row in by["target rate"]] == [0.23, 1.0]
    assert by["codec pair"][0]["label"] == "jpeg / webp"
    assert by["codecs"][0]["label"] == "different codecs"
    assert by["difficulty"][0]["label"] == "middle: majority over 60, up to 80 %"
    assert by["difficulty"][0]["note"]
    for rows in by.values():
        assert sum(row["n_triplets"] for row in rows) == 16
        assert sum(row["n_judgments"] for row in rows) == 48
        assert all(row["people"]["unbiased"]["n_triplets"] for row in rows)


def test_without_targets_rates_are_octaves(tmp_path: Path, make_rows: MakeRows) -> None:
    rows = make_rows(n_sources=4)
    rows.triplets[["first_target_bpp", "second_target_bpp"]] = None
    dataset = rows.write(tmp_path / "frozen")
    found = evaluate_dataset(dataset, [_metric("m", dataset, 2.0, 1.0)], part="all").slices
    rates = [row for row in found if row.by == "achieved rate"]
    assert [row.label for row in rates] == ["0.125 to 0.25 bpp", "1 to 2 bpp"]
    assert rates[1].rate_bpp == pytest.approx(np.sqrt(1.01))


def test_simulated_is_said_in_every_form_of_the_report(tmp_path: Path, make_rows: MakeRows) -> None:
    rows = make_rows(n_sources=4, is_simulated=True)
    dataset = rows.write(tmp_path / "frozen", is_simulated=True)
    report = evaluate_dataset(dataset, [_metric("m", dataset, 2.0, 1.0)])
    assert report.to_json()["is_simulated"] is True
    assert pd.read_csv(io.StringIO(report.to_csv()))["is_simulated"].all()


def test_the_report_is_plain_json_and_the_same_each_time(judged: Any) -> None:
    metrics = [_metric("a", judged, 2.0, 1.0), _metric("b", judged, 1.0, 2.0)]
    bootstrap = Bootstrap(level=0.9, resamples=300, seed=11)
    texts = {
        json.dumps(evaluate_dataset(judged, metrics, "all", bootstrap).to_json(), allow_nan=False)
        for _ in range(2)
    }
    assert len(texts) == 1
    found = json.loads(texts.pop())
    assert found["intervals"] == {
        "level": 0.9,
        "resamples": 300,
        "seed": 11,
        "unit": "source x rater",
    }


def test_the_table_holds_the_numbers_of_the_json(judged: Any) -> None:
    report = evaluate_dataset(judged, [_metric("m", judged, 2.0, 1.0)], "all")
    table = pd.read_csv(io.StringIO(report.to_csv()))
    row = table[(table["by"] == "all") & (table["name"] == "m")].iloc[0]
    assert row["agreement"] == report.metrics[0].agreement.value
    assert len(table) == 6 * (1 + len(report.slices))


def test_values_that_are_missing_doubled_or_nan_are_refused(judged: Any) -> None:
    lost = _metric("lost", judged, 1.0, 2.0)
    for values, message in (
        (lost.values.iloc[1:], "lost: no value for 1 judged triplets"),
        (lost.values.assign(d_first=np.nan), "lost: no value for 16"),
        (pd.concat([lost.values, lost.values]), "several rows"),
        (lost.values.drop(columns="d_second"), "lack the columns"),
    ):
        broken = MetricDistances("lost", "Lost", False, "#000000", "o", values)
        with pytest.raises(ValueError, match=message):
            evaluate_dataset(judged, [broken], part="all")
    with pytest.raises(ValueError, match="named twice"):
        evaluate_dataset(judged, [lost, lost], part="all")


def test_a_dataset_of_one_source_has_no_test_part(tmp_path: Path, make_rows: MakeRows) -> None:
    dataset = make_rows(n_sources=1).write(tmp_path / "frozen")
    metric = _metric("m", dataset, 1.0, 2.0)
    with pytest.raises(ValueError, match="no test sources"):
        evaluate_dataset(dataset, [metric])
    found = evaluate_dataset(dataset, [metric], part="all").to_json()["metrics"][0]
    assert found["low"] is None
    assert found["reason"] == "no interval: all triplets are of one source"
