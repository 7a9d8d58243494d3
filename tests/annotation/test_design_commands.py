"""What the builder does, from the command line."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse

from annotation.models import Study
from codecs_eval.models import Run
from tests.factories import make_ada, make_ladder, make_study

pytestmark = [
    # A run renews its lease from a thread of its own, which sees only rows that are committed.
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("triad_home"),
]


def told(command: str, *args: str) -> dict[str, Any]:
    out = StringIO()
    call_command(command, *args, "--json", stdout=out)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


def test_pairs_and_words_are_said_on_the_command_line() -> None:
    make_ladder("kodak", codecs=("avif", "jpeg", "webp"))
    made = told(
        "create_study", "--slug", "which", "--collection", "kodak", "--rates", "0.5",
        "--crop-px", "64", "--pairing", "chosen", "--chosen-pairs", "jpeg:webp", "webp:avif",
        "--rate-tolerance", "0.03", "--instructions", "Look.", "--keeps-different-rates",
    )  # fmt: skip
    assert made["n_triplets"] == 4
    study = Study.objects.get()
    assert study.chosen_pairs == [["jpeg", "webp"], ["webp", "avif"]]
    assert (study.rate_tolerance, study.keeps_different_rates) == (0.03, True)
    assert study.instructions == "Look."


def test_a_pair_that_is_none_is_refused() -> None:
    with pytest.raises(CommandError, match="jpeg:webp"):
        call_command(
            "create_study", "--slug", "w", "--collection", "k", "--chosen-pairs", "jpeg-webp"
        )


def test_a_study_is_cloned_and_followed() -> None:
    make_study(n_sources=3)
    clone = told("clone_study", "--study", "which", "--name", "mine", "--title", "Mine")
    assert clone == {
        "study": "mine", "version": 1, "state": "draft", "copied_from": "which",
        "n_triplets": 3, "is_simulated": False,
    }  # fmt: skip
    assert Study.objects.get(slug="mine").title == "Mine"
    follower = told("clone_study", "--study", "which", "--as-version")
    assert (follower["study"], follower["version"]) == ("which-v2", 2)
    for args, said in (
        (("--study", "ghost", "--name", "x"), "No study is called 'ghost'"),
        (("--study", "which", "--name", "mine"), "'mine' exists"),
        (("--study", "mine", "--as-version"), "is a draft"),
    ):
        with pytest.raises(CommandError, match=said):
            call_command("clone_study", *args)


def test_a_draft_is_planned_in_the_foreground() -> None:
    study = make_study(state="draft", n_sources=3)
    study.triplets.all().delete()
    answer = told("plan_study", "--study", "which")
    assert (answer["state"], answer["triplets"]) == ("done", 3)
    assert study.triplets.count() == 3
    with pytest.raises(CommandError, match="ghost"):
        call_command("plan_study", "--study", "ghost")


def test_an_opened_study_is_not_planned() -> None:
    make_study()
    with pytest.raises(CommandError, match="was opened"):
        call_command("plan_study", "--study", "which")


def test_a_dry_run_is_told_as_simulated_and_leads_to_its_results() -> None:
    make_study(n_sources=4, session_length=4, judgments_per_triplet=2)
    answer = told("dry_run", "--study", "which", "--observers", "2")
    assert (answer["is_simulated"], answer["n_observers"], answer["n_judgments"]) == (True, 2, 8)
    out = StringIO()
    call_command("dry_run", "--study", "which", "--observers", "1", stdout=out)
    assert "SIMULATED" in out.getvalue()
    client = Client()
    client.force_login(make_ada())
    run = Run.objects.get(pk=answer["run"])
    page = client.get(reverse("run", args=[run.pk])).content.decode()
    assert "SIMULATED" in page
    assert reverse("study_results", args=[answer["dry_run"]]) in page
    with pytest.raises(CommandError, match="ghost"):
        call_command("dry_run", "--study", "ghost")
