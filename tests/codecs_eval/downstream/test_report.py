"""The report: what codec, rate and photo lost, with intervals that are paired."""

import csv
import io
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from codecs_eval.downstream import masks, plots, tables
from codecs_eval.downstream.ap import Photo
from codecs_eval.downstream.by_photo import judged
from codecs_eval.downstream.found import Found
from codecs_eval.downstream.intervals import interval, left_out
from codecs_eval.downstream.report import Asked, Cell, evaluate
from codecs_eval.downstream.without_truth import agreed, f1, recall
from tests.codecs_eval.downstream.coco_files import make_found, make_instance, make_photo

LABELS = {"apple": 1}
N = 40


def make_cell(codec: str, rate: float, shift: float, *, lost: int = 0) -> Cell:
    """Every find moved by `shift` px; of the first `lost` photos none."""
    found = tuple(make_found() if i < lost else make_found((shift, 0.9, "apple")) for i in range(N))
    return Cell(codec, codec.upper(), "#000000", "o", rate, (rate,) * N, ("hit",) * N, found)


def make_report(*cells: Cell, labels: dict[str, int] | None = None) -> dict[str, Any]:
    photos = [make_photo(i, make_instance(0)) for i in range(N)]
    before = [make_found((1, 0.9, "apple")) for _ in range(N)]
    asked = Asked("detection", LABELS if labels is None else labels, resamples=400)
    report = evaluate(photos, before, cells, asked)
    return {
        **report, "collection": "apples", "n_photos": N,
        "model": {"label": "Model", "name": "m", "definition": "", "version": "1"},
    }  # fmt: skip


def test_the_loss_is_the_compressed_ap_minus_the_uncompressed_one() -> None:
    report = make_report(make_cell("jpeg", 0.5, 20), make_cell("jpeg", 1.0, 1))
    worst, same = report["cells"]
    # By hand: a shift of 1 overlaps 49/51 = .961; one of 20 overlaps 30/70 = .43.
    assert report["uncompressed"]["box"]["ap"]["value"] == pytest.approx(1)
    assert worst["box"]["ap"]["value"] == pytest.approx(0)
    assert worst["box"]["difference"]["value"] == pytest.approx(-1)
    assert same["box"]["difference"] == {"value": 0, "low": None, "high": None}
    assert worst["agreement"]["value"] == 0 and same["agreement"]["value"] == 1


def test_the_interval_of_a_loss_holds_what_chance_may_do() -> None:
    report = make_report(make_cell("jpeg", 0.5, 1, lost=10))
    gap = report["cells"][0]["box"]["difference"]
    # A quarter of the photos lost everything: the true loss is .25 with s.e. .068.
    assert -0.45 < gap["low"] < -0.33 and -0.17 < gap["high"] < -0.10
    assert gap["low"] < gap["value"] < gap["high"]


def test_resamples_are_paired_so_a_shared_difficulty_widens_no_difference() -> None:
    """Both lose the same ten photos: AP is uncertain, their difference is not."""
    photos = [make_photo(i, make_instance(0)) for i in range(N)]
    cell = make_cell("jpeg", 0.5, 1, lost=10)
    report = evaluate(photos, cell.found, [cell], Asked("detection", LABELS, 500))
    found = report["cells"][0]["box"]
    assert found["ap"]["high"] - found["ap"]["low"] > 0.15
    assert found["difference"] == {"value": 0, "low": None, "high": None}


def test_bca_of_a_mean_is_near_what_theory_says() -> None:
    rng = np.random.default_rng(5)
    values = rng.normal(size=400)
    weights = rng.multinomial(400, np.full(400, 1 / 400), size=4000)
    groups = left_out(400)
    found = interval(
        float(values.mean()), weights @ values / 400, groups @ values / groups.sum(axis=1)
    )
    error = values.std(ddof=1) / 20
    assert found.low == pytest.approx(values.mean() - 1.96 * error, abs=0.02)
    assert found.high == pytest.approx(values.mean() + 1.96 * error, abs=0.02)


def test_bd_rate_on_ap_sees_half_the_rate() -> None:
    def curve(codec: str, factor: float) -> list[Cell]:
        lost = {0.25: 30, 0.5: 20, 1.0: 10, 2.0: 0}
        return [make_cell(codec, factor * rate, 1, lost=n) for rate, n in lost.items()]

    (row,) = make_report(*curve("webp", 0.5), *curve("jpeg", 1.0))["bd_rates"]
    assert row["codec"] == "webp" and row["against"] == "JPEG"
    assert row["percent"] == pytest.approx(-50)
    assert row["low"] is None or row["low"] <= -50 <= row["high"]


def test_without_truth_the_finds_in_the_original_are_the_yardstick() -> None:
    before = make_found((0, 0.9, "apple"), (200, 0.9, "apple"), (400, 0.1, "apple"))
    after = make_found((5, 0.8, "apple"), (300, 0.8, "apple"), (200, 0.9, "dog"))
    counts = agreed(before, after, "detection")
    assert (counts.n_common, counts.n_before, counts.n_after) == (1, 2, 3)
    assert f1([counts]) == pytest.approx(2 / 5) and recall([counts]) == pytest.approx(1 / 2)
    report = make_report(make_cell("jpeg", 0.5, 20, lost=5), labels={})
    assert report["kinds"] == [] and report["uncompressed"] == {}


def test_segmentation_is_scored_by_boxes_and_by_masks() -> None:
    """By hand: inside the right box, a mask of half the square has IoU .5."""
    whole, half = np.zeros((480, 640), dtype=bool), np.zeros((480, 640), dtype=bool)
    whole[:50, :50] = True
    half[:25, :50] = True
    truth = replace(make_instance(0), mask=masks.rle_of(whole))
    photos = [make_photo(i, truth) for i in range(3)]

    def found(mask: masks.Mask) -> tuple[Found, ...]:
        finds = make_found((0, 0.9, "apple"))
        return tuple(
            Found(finds.boxes, finds.scores, finds.labels, (masks.rle_of(mask),)) for _ in range(3)
        )

    cell = Cell("jpeg", "JPEG", "#000000", "o", 0.5, (0.5,) * 3, ("hit",) * 3, found(half))
    report = evaluate(photos, found(whole), [cell], Asked("segmentation", LABELS, 100))
    assert report["kinds"] == ["box", "mask"]
    assert report["uncompressed"]["mask"]["ap"]["value"] == pytest.approx(1)
    (row,) = report["cells"]
    assert row["box"]["ap"]["value"] == pytest.approx(1)
    # Ten thresholds, of which .50 alone is met.
    assert row["mask"]["ap"]["value"] == pytest.approx(0.1)
    assert row["mask"]["ap50"]["value"] == pytest.approx(1)


def test_words_agree_as_words_wherever_they_stand() -> None:
    before = make_found((0, 0.9, "stop"), (1, 0.9, "here"), (2, 0.9, "stop"))
    after = make_found((90, 0.9, "stop"), (91, 0.9, "hare"))
    counts = agreed(before, after, "text")
    assert (counts.n_common, counts.n_before, counts.n_after) == (1, 3, 2)


def test_a_photo_tells_what_was_found_missed_and_made_up() -> None:
    photo = Photo(
        1, "p", 640, 480,
        (make_instance(0), make_instance(100), make_instance(300, size=100, is_crowd=True)),
    )  # fmt: skip
    found = make_found((1, 0.9, "apple"), (200, 0.9, "apple"), (310, 0.9, "apple"))
    at = judged(photo, found, LABELS)
    assert (at.n_right, at.n_missed, at.n_false) == (1, 1, 1)


def test_tables_and_figure_hold_the_same_numbers_every_time() -> None:
    report = make_report(make_cell("jpeg", 0.5, 4), make_cell("webp", 0.5, 1, lost=3))
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    rows = list(csv.DictReader(io.StringIO(tables.table_csv(report))))
    assert [row["codec"] for row in rows] == ["uncompressed", "jpeg", "webp"]
    assert float(rows[2]["box_ap"]) == report["cells"][1]["box"]["ap"]["value"]
    assert float(rows[2]["box_difference_low"]) < 0
    assert tables.markdown(report).count("\n") == 5
    figure = plots.rate_figure(report)
    words = {text.get_text() for text in figure.axes[0].texts}
    assert {"uncompressed", "JPEG", "WEBP"} <= words


def test_one_photo_is_too_few() -> None:
    with pytest.raises(ValueError, match="found 1 photo"):
        evaluate([make_photo(0)], [make_found()], [], Asked("detection", LABELS))


def test_finds_have_one_box_and_score_each() -> None:
    with pytest.raises(ValueError, match="expected"):
        Found(np.zeros((2, 4)), np.zeros(1), ("apple", "apple"))
