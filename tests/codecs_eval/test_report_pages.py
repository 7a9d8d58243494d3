"""What a report's page says in words, from its JSON alone."""

from typing import Any

import numpy as np
import pytest

from codecs_eval import report_pages
from codecs_eval.agreement.intervals import Bootstrap
from codecs_eval.agreement.report import evaluate
from codecs_eval.agreement.results import Subject
from codecs_eval.report_conclusion import conclusion
from tests.codecs_eval.agreement.simulated import judged_of


def make_report(reference: str = "first", n_sources: int = 24) -> dict[str, Any]:
    """m0 sees what people see, m1 nearly so, m2 tosses a coin; the raters are known."""
    rng = np.random.default_rng(8)
    source = np.repeat(np.arange(n_sources), 6)
    preference = rng.normal(size=len(source))
    p = 1 / (1 + np.exp(-3 * preference))
    votes = (rng.random((len(source), 3)) < p[:, None]).astype(float)
    raters = np.stack([rng.permutation(24)[:3] for _ in source])
    near = preference + rng.normal(scale=0.02, size=len(source))
    coin = rng.normal(size=len(source))
    judged = judged_of(source, raters, votes, (preference, near, coin))
    subject = Subject("garden", "study:garden", "Which?", "closer", "all", False)
    return evaluate(judged, subject, Bootstrap(resamples=200), reference).to_json()


def test_the_conclusion_speaks_by_paired_comparisons_where_they_are_there() -> None:
    said = conclusion(make_report())
    assert "In pairs it is not told from M1; it differs from the others (adjusted p)." in said
    assert "interval meets" not in said


def test_where_the_leader_was_not_compared_the_intervals_speak() -> None:
    report = make_report("m2")
    assert report_pages.sorted_metrics(report)[0]["name"] != "m2"
    assert "Its interval meets that of" in conclusion(report)


def test_every_pair_has_no_reference_and_still_a_conclusion() -> None:
    report = make_report("pairs")
    assert report_pages.reference_label(report) == ""
    assert "In pairs it is not told from" in conclusion(report)


def test_the_ideal_observer_stands_between_its_brackets() -> None:
    report = make_report()
    rows = {row["name"]: row for row in report_pages.people_rows(report)}
    low, high = rows["left_out"]["value"], rows["oracle"]["value"]
    assert f"bracketed by {100 * low:.1f} and {100 * high:.1f}" in rows["ideal"]["remark"]
    assert "every triplet counts the same" in rows["ideal"]["remark"]
    # The metrics' intervals are over sources and raters; this one's are not, and it says so.
    assert "interval: BCa bootstrap over sources" in rows["oracle"]["remark"]
    assert "interval:" not in rows["unbiased"]["remark"]


def test_probabilities_come_best_first_with_how_they_were_made() -> None:
    report = make_report()
    rows = report_pages.probabilities(report)
    assert [row["nll"]["value"] for row in rows] == sorted(row["nll"]["value"] for row in rows)
    (how,) = report_pages.probability_heads(report)
    assert "10 folds by source" in how


@pytest.mark.parametrize("missing", ["calibration", "left_out"])
def test_a_report_made_before_these_were_there_still_opens(missing: str) -> None:
    report = make_report(n_sources=6)
    report.pop(missing, None)
    report["people"].pop(missing, None)
    report_pages.probabilities(report)
    assert "bracketed" not in str(report_pages.people_rows(report)) or missing != "left_out"
