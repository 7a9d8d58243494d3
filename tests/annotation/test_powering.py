"""A design's own numbers in the simulation of power."""

import json
from dataclasses import replace
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from annotation import powering
from annotation.models import Study
from tests.factories import make_study

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]


def make_asked(**values: object) -> Study:
    """3 codecs at 2 rates on 4 photos: 24 triplets of 6 pairs of conditions."""
    return make_study(
        n_sources=4, codecs=("avif", "jpeg", "webp"), rates_bpp=(0.2, 1.0),
        **{"session_length": 12, "judgments_per_triplet": 2, **values},
    )  # fmt: skip


def test_the_simulated_design_is_the_studys_own() -> None:
    found = powering.power_of_design(make_asked(), share=0.8)
    design = found.one.design
    assert found.n_condition_pairs == design.n_pairs == 6
    assert (design.trials, design.n_triplets, design.not_sure_share) == (12, 24, 0.0)
    assert (found.n_planned, found.n_judgments_planned) == (4, 48)
    assert found.judgments_of_pair_planned == 8
    assert found.one.n_observers is not None
    # Two judgments of each pair by one observer.
    assert found.one.judgments_of_pair == 2 * found.one.n_observers


def test_a_smaller_difference_and_more_pairs_at_once_take_more_people() -> None:
    study = make_asked()
    wide, narrow = (powering.power_of_design(study, share=share) for share in (0.8, 0.65))
    assert wide.one.n_observers and narrow.one.n_observers and wide.all_together.n_observers
    assert wide.one.n_observers < narrow.one.n_observers
    assert wide.one.n_observers < wide.all_together.n_observers


def test_who_may_say_not_sure_decides_less() -> None:
    study = make_asked(allow_not_sure=True)
    assert powering.power_of_design(study, share=0.8).one.design.not_sure_share == 0.2


def test_a_plan_with_enough_sessions_says_so() -> None:
    assert not powering.power_of_design(make_asked(), share=0.8).is_enough
    study = make_asked(slug="much", judgments_per_triplet=200)
    assert powering.power_of_design(study, share=0.8).is_enough


def test_enough_sessions_with_too_few_judgments_of_a_pair_are_not_enough() -> None:
    found = powering.power_of_design(make_asked(), share=0.8)
    assert found.one.n_observers and found.one.judgments_of_pair
    wanted = found.one.judgments_of_pair * found.n_condition_pairs
    asked = replace(found, n_planned=found.one.n_observers, n_judgments_planned=wanted)
    assert asked.is_enough
    assert not replace(asked, n_judgments_planned=wanted - 1).is_enough


def test_the_command_tells_it_as_json_and_in_words() -> None:
    make_asked()
    out = StringIO()
    call_command("study_power", study="which", share=0.8, json=True, stdout=out)
    told = json.loads(out.getvalue())
    assert told["is_simulated"] is True
    assert told["n_condition_pairs"] == 6
    assert told["one_pair"]["n_observers"] > 4
    out = StringIO()
    call_command("study_power", study="which", share=0.8, stdout=out)
    assert "80:20, one pair:" in out.getvalue()
    with pytest.raises(CommandError, match="No study is called 'ghost'"):
        call_command("study_power", study="ghost")
    with pytest.raises(CommandError, match="share"):
        call_command("study_power", study="which", share=0.5)
