"""The tables of a report: whole, readable by their own tools, and never silent about simulation."""

import io
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from codecs_eval.agreement import tables
from codecs_eval.agreement.intervals import Bootstrap
from codecs_eval.agreement.judged import Judged
from codecs_eval.agreement.report import evaluate
from codecs_eval.agreement.results import Subject
from tests.codecs_eval.agreement.simulated import judged_of

AWKWARD = "50% of $x_1 & {y} ~ #2 | <b>\\"


def make_report(is_simulated: bool = False) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    source = np.repeat(np.arange(6), 2)
    votes = rng.integers(0, 2, (12, 3)).astype(float)
    raters = np.tile(np.arange(3), (12, 1))
    judged = judged_of(source, raters, votes, tuple(rng.normal(size=(2, 12))))
    metrics = list(judged.metrics)
    metrics[1] = type(metrics[1])("m1", AWKWARD, False, "#000000", "s", metrics[1].values)
    subject = Subject("garden", "study:garden", "Which?", "closer", "all", is_simulated)
    named = Judged(judged.table, tuple(metrics), judged.distances, judged.ballots)
    return evaluate(named, subject, Bootstrap(resamples=100)).to_json()


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_markdown_holds_the_numbers_of_the_report() -> None:
    report = make_report()
    lines = tables.markdown(report).splitlines()
    head, rule, *rows = [line for line in lines if line.startswith("|")]
    assert _cells(head) == list(tables.HEAD)
    assert {len(_cells(line)) for line in (head, rule, *rows)} == {len(tables.HEAD)}
    assert len(rows) == 5 + 2
    best = max(report["metrics"], key=lambda row: row["agreement"])
    first = _cells(rows[5])
    assert first[1] == f"{100 * best['agreement']:.1f}"
    assert first[2] == f"{100 * best['low']:.1f} to {100 * best['high']:.1f}"
    assert first[3:] == ["12", "36", "6"]
    assert "6 sources, 12 triplets, 36 judgments" in lines[0]


def test_latex_balances_its_groups_and_rows() -> None:
    text = tables.latex(make_report())
    body = text[text.index("\\midrule") : text.index("\\bottomrule")]
    rows = [line for line in body.splitlines() if line.endswith("\\\\")]
    assert len(rows) == 5 + 2
    assert {len(re.split(r"(?<!\\)&", row)) for row in rows} == {len(tables.HEAD)}
    bare = re.sub(r"\\[{}]", "", text)
    assert bare.count("{") == bare.count("}")
    assert r"50\% of \$x\_1 \& \{y\} \textasciitilde{} \#2" in text
    assert text.isascii() or "’" in text


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX on this machine")
def test_latex_compiles(tmp_path: Path) -> None:
    document = (
        "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\n"
        f"{tables.latex(make_report(is_simulated=True))}\\end{{document}}\n"
    )
    (tmp_path / "table.tex").write_text(document)
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "table.tex"],
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode()[-2000:]


def test_the_csv_files_hold_the_numbers_of_the_json() -> None:
    report = make_report()
    differences = pd.read_csv(io.StringIO(tables.differences_csv(report)))
    (row,) = report["differences"]["rows"]
    assert differences.loc[0, "difference"] == row["difference"]
    assert differences.loc[0, "p_adjusted"] == row["p_adjusted"]
    assert differences.loc[0, "label"] == AWKWARD
    calibration = pd.read_csv(io.StringIO(tables.calibration_csv(report)))
    for metric in report["calibration"]["metrics"]:
        mine = calibration[calibration["name"] == metric["name"]]
        assert (mine["row"] == "all").sum() == 1
        assert mine.iloc[0]["nll"] == metric["nll"]["value"]
        assert list(mine.iloc[1:]["observed"]) == [one["observed"] for one in metric["bins"]]


def test_what_was_held_out_has_a_row_each() -> None:
    report = make_report(is_simulated=True)
    gone = {"unmet": None, "met": None, "untouched": None, "gain": None}
    estimate = {"value": 0.7, "low": 0.6, "high": 0.8}
    counts = {"n_triplets": 9, "n_judgments": 27, "n_sources": 3, "n_trained_on": 5}
    report["held_out"] = [
        {
            "label": "Trained alex",
            "rows": [
                {"by": "codec", "label": "jpeg", **counts, **gone, "reason": "none is left"},
                {"by": "codec", "label": "webp", **counts, "reason": None}
                | dict.fromkeys(gone, estimate),
            ],
        }
    ]
    found = pd.read_csv(io.StringIO(tables.held_out_csv(report)))
    assert list(found["label"]) == ["jpeg", "webp"]
    assert np.isnan(found.loc[0, "unmet"]) and found.loc[0, "reason"] == "none is left"
    assert (found.loc[1, "unmet"], found.loc[1, "gain_high"]) == (0.7, 0.8)
    assert found["is_simulated"].all()


def test_every_form_says_where_nobody_answered() -> None:
    real, simulated = make_report(), make_report(is_simulated=True)
    for write in (tables.latex, tables.markdown):
        assert "SIMULATED: no person gave these answers." in write(simulated)
        assert "SIMULATED" not in write(real)
        assert "People with each other" not in write(simulated)
    for write in (tables.differences_csv, tables.calibration_csv):
        assert pd.read_csv(io.StringIO(write(simulated)))["is_simulated"].all()
        assert not pd.read_csv(io.StringIO(write(real)))["is_simulated"].any()
