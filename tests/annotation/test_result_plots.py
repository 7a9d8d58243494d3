"""The figures of a study's results: what their captions say."""

import pytest

from annotation.result_plots import N_AT_RATE, anchor_figure, scale_figure, share_figure
from tests.annotation.results_made import prefers, results, sit
from tests.factories import make_study

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]


def test_figures_by_rate_say_that_n_is_of_the_rate_and_not_of_a_dot() -> None:
    study = make_study(n_sources=2, judgments_per_triplet=99)
    for _ in range(6):
        sit(study, prefers("webp", "jpeg"))
    told = results(study, anchor="webp")
    for draw in (share_figure, scale_figure, anchor_figure):
        said = " ".join(text.get_text() for text in draw(told).texts)
        assert N_AT_RATE in " ".join(said.split())
        assert "n = 12 judgments by 6 observers" in " ".join(said.split())
