import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from PIL import Image

from codecs_eval.agreement import plots
from codecs_eval.agreement.drawing import png, svg
from codecs_eval.agreement.judged import MetricDistances
from codecs_eval.agreement.reliability_plot import reliability_figure
from codecs_eval.agreement.report import evaluate_dataset

MakeRows = Callable[..., Any]


@pytest.fixture
def make_report(tmp_path: Path, make_rows: MakeRows) -> Callable[..., dict[str, Any]]:
    def make(is_simulated: bool = False, n_judgments: int = 3) -> dict[str, Any]:
        rows = make_rows(n_sources=6, is_simulated=is_simulated, n_judgments=n_judgments)
        folder = tmp_path / f"frozen-{is_simulated}-{n_judgments}"
        dataset = rows.write(folder, is_simulated=is_simulated, name="costs $5 and $6")
        rng = np.random.default_rng(0)
        metrics = [
            MetricDistances(
                name,
                label,
                False,
                colour,
                marker,
                pd.DataFrame(
                    {
                        "triplet_id": dataset.triplets["triplet_id"],
                        "d_first": rng.random(12),
                        "d_second": rng.random(12),
                    }
                ),
            )
            for name, label, colour, marker in (
                ("psnr", "PSNR", "#0072B2", "o"),
                ("run:7", "My run $x", "#D55E00", "s"),
            )
        ]
        return evaluate_dataset(dataset, metrics, part="all").to_json()

    return make


def _texts(figure: Figure) -> str:
    return " ".join(str(text.get_text()) for text in figure.findobj(Text)).replace("\n", " ")


FIGURES = [plots.agreement_figure, plots.rate_figure, reliability_figure]
OF_PEOPLE = FIGURES[:2]


@pytest.mark.parametrize("draw", FIGURES)
def test_the_same_report_gives_the_same_bytes(
    draw: Callable[[Any], Figure], make_report: Callable[..., Any]
) -> None:
    report = make_report()
    once, again = svg(draw(report)), svg(draw(report))
    assert once == again
    assert once.startswith(b"<?xml")
    assert b"<dc:date>" not in once
    figure = draw(report)
    assert svg(figure) == svg(figure)


@pytest.mark.parametrize("draw", FIGURES)
def test_a_figure_says_what_how_many_and_how(
    draw: Callable[[Any], Figure], make_report: Callable[..., Any]
) -> None:
    said = _texts(draw(make_report()))
    assert "PSNR" in said
    assert "My run $x" in said
    assert "costs $5 and $6" in said
    assert "n = 12 triplets, 36 judgments, 6 sources." in said
    assert "95 % intervals, Student's t over sources and raters (two-way jackknife)" in said
    assert ("people with each other" in said) == (draw in OF_PEOPLE)
    assert "SIMULATED" not in said


@pytest.mark.parametrize("draw", FIGURES)
def test_simulated_answers_cannot_be_taken_for_people(
    draw: Callable[[Any], Figure], make_report: Callable[..., Any]
) -> None:
    said = _texts(draw(make_report(is_simulated=True)))
    assert said.count("SIMULATED") == 3
    assert ("agreement with simulated observers (%)" in said) == (draw in OF_PEOPLE)
    assert "people" not in said


def test_people_who_cannot_be_estimated_are_said_and_not_drawn(
    make_report: Callable[..., Any],
) -> None:
    report = make_report(n_judgments=1)
    said = _texts(plots.agreement_figure(report))
    assert "People with each other: not estimable (0 of 12 triplets" in said
    assert "plug-in" not in said
    assert "people with each other" not in _texts(plots.rate_figure(report))


def test_all_four_human_lines_are_labelled(make_report: Callable[..., Any]) -> None:
    said = _texts(plots.agreement_figure(make_report()))
    for label in ("people with each other 33.3", "plug-in human (biased up) 55.6", "oracle of"):
        assert label in said
    assert "ideal observer (fitted)" in said


@pytest.mark.parametrize("draw", OF_PEOPLE)
def test_a_line_that_rests_on_some_of_the_triplets_is_dashed_and_says_so(
    draw: Callable[[Any], Figure], make_report: Callable[..., Any]
) -> None:
    report = make_report()

    def people_line(figure: Figure) -> Line2D:
        [found] = [line for line in figure.findobj(Line2D) if line.get_linewidth() == 1.6]
        return found

    assert people_line(draw(report)).get_linestyle() == "-"
    for part in (report, *report["slices"]):
        reason = "estimated on the 4 of 12 triplets with two judgments"
        part["people"] |= {"n_qualifying": part["people"]["n_triplets"] - 1, "reason": reason}
    figure = draw(report)
    assert people_line(figure).get_linestyle() == "--"
    assert "Dashed, people with each other: estimated on the 4 of 12" in _texts(figure)


def test_the_caption_says_that_the_ideal_observer_weighs_otherwise(
    make_report: Callable[..., Any],
) -> None:
    said = _texts(plots.agreement_figure(make_report()))
    assert "Every judgment counts the same; in the ideal observer every triplet does." in said


def test_a_report_without_rates_has_no_rate_figure(make_report: Callable[..., Any]) -> None:
    report = make_report() | {"slices": []}
    assert not plots.has_rates(report)
    with pytest.raises(ValueError, match="no slices by rate"):
        plots.rate_figure(report)


@pytest.mark.parametrize("draw", FIGURES)
def test_no_text_leaves_the_page(
    draw: Callable[[Any], Figure], make_report: Callable[..., Any]
) -> None:
    figure = draw(make_report(is_simulated=True))
    with Image.open(io.BytesIO(png(figure, dpi=100))) as picture:
        assert picture.width == 720
    width, height = figure.bbox.width, figure.bbox.height
    for text in figure.findobj(Text):
        if text.get_text() and text.get_visible():
            box = text.get_window_extent()
            assert box.x0 >= -1 and box.x1 <= width + 1, text.get_text()
            assert box.y0 >= -1 and box.y1 <= height + 1, text.get_text()


def test_the_label_of_a_training_stands_whole_in_the_figure(
    make_report: Callable[..., Any],
) -> None:
    report = make_report()
    label = "squeeze + psnr, scratch, 1a2b, 5-fold"
    report["metrics"][0]["label"] = label
    figure = plots.agreement_figure(report)
    figure.canvas.draw()
    [found] = [text for text in figure.findobj(Text) if text.get_text() == label]
    assert found.get_window_extent().x0 >= -1


def test_a_reliability_diagram_says_whose_probability_it_shows(
    make_report: Callable[..., Any],
) -> None:
    report = make_report()
    said = _texts(reliability_figure(report))
    assert "a fitted on the other sources of this report (6 folds by source)" in said
    report["calibration"]["metrics"] = []
    with pytest.raises(ValueError, match="no probabilities"):
        reliability_figure(report)
