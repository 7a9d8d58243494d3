"""The trial page: what its script is told of the study."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import begin_in, make_study

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]


def test_the_trial_page_is_told_how_the_study_asks() -> None:
    study = make_study(
        n_sources=3, session_length=3, min_switches=2, largest_zoom=4, time_limit_s=20,
        break_every=2, computers_only=True, min_screen_width_px=1000, mode="toggle_original",
    )  # fmt: skip
    ben = Client()
    begin_in(ben, study)
    study.sessions.update(n_practice=2)
    config = ben.get(reverse("trial", args=["which"])).context["config"]
    assert (config["total"], config["n_practice"], config["break_every"]) == (5, 2, 2)
    assert (config["mode"], config["min_switches"], config["largest_zoom"]) == (
        "toggle_original", 2, 4,
    )  # fmt: skip
    assert (config["time_limit_s"], config["when_small"], config["language"]) == (20, "ask", "en")
    assert config["question"] == study.question
    assert config["gate"] == {
        "min_screen_width_px": 1000, "min_screen_height_px": 0, "require_ratio_one": False,
        "computers_only": True,
    }  # fmt: skip
