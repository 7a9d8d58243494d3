"""The conformance report: each item against rows that are counted by hand, and its three forms."""

import csv
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from annotation import screening, sharing
from annotation.asked_elsewhere import SAID
from annotation.conformance_items import counted, spread
from annotation.conforming import conformance
from annotation.imported_study import import_study
from annotation.models import Judgment, Screening, Session, Study, StudyChange
from codecs_eval.models import Run
from tests.annotation.gallery_rows import triplets, vote, votes
from tests.factories import make_ada, make_session, make_study

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]


def said_of(study: Study) -> dict[str, str]:
    """Label -> everything that is said of it."""
    return {
        item.label: " ".join(item.said)
        for section in conformance(study).sections
        for item in section.items
    }


def statuses_of(study: Study) -> dict[str, str]:
    return {
        item.label: item.status for section in conformance(study).sections for item in section.items
    }


def text_of(reply: Any) -> str:
    return str(reply.content.decode())


# What is counted


def test_observers_before_and_after_screening_and_why() -> None:
    study = make_study()
    one = triplets(study)[0]
    votes(one, 2, 0)
    by_method, by_person = (vote(one, "second", verdict="excluded") for _ in range(2))
    Screening.objects.create(
        session=by_method.trial.session,
        verdict="excluded",
        suspicion=0.99,
        signals={"times": 1.2, "agreement": 4.5},
        version="1",
    )
    screening.decide(by_person.trial.session, "excluded", "Phoned meanwhile.", make_ada())
    vote(one, "first", is_warm_up=True)
    said = said_of(study)
    assert said["Before screening"].startswith("4 observers judged a main trial, in 4 sessions")
    assert said["After screening"].startswith("2 observers in 2 sessions. Fewer than the 15")
    assert said["Left out, and why"] == (
        "2 sessions excluded. Strongest signal agreement: 1 A person's decision: Phoned meanwhile."
    )
    assert said["Verdicts"] == "excluded: 2; not screened or undecided: 2"
    assert "1 decision of people" in said["Screening"]


def test_a_person_who_came_twice_is_one_observer() -> None:
    study = make_study()
    one, two = triplets(study)
    first = vote(one, "first").trial
    second = vote(two, "first").trial
    for row in (second, second.session):
        row.annotator = first.annotator
        row.save()
    assert said_of(study)["Before screening"].startswith("1 observer judged a main trial, in 2")


def test_sides_are_counted_and_tested() -> None:
    study = make_study()
    one = triplets(study)[0]
    votes(one, first=8, second=2, not_sure=1)
    said = said_of(study)["Sides realised"]
    assert "stood left in 11 of 11 counted judgments (100.0 %)" in said
    # Every first copy stood left, so 8 went left: a two-sided binomial test of 2 in 10.
    assert "left 8, right 2 (20.0 % right, 95 % 5.7 to 51.0" in said
    assert "p = 0.109" in said
    assert "take judgments as independent" in said


def test_viewing_is_what_was_measured_of_sessions_that_count() -> None:
    study = make_study(ask_card=True)
    one, two = triplets(study)
    seen = {
        "screen_device_width_px": 2560,
        "screen_device_height_px": 1440,
        "device_pixel_ratio": 1.25,
        "refresh_rate_hz": 59.9,
        "colour_gamut": "p3",
        "checks": {
            "card": {"pixels_per_mm": 4.0, "distance_cm": 60, "pixels_per_degree": 41.9},
        },
    }
    for triplet, viewing in ((one, seen), (two, {**seen, "device_pixel_ratio": 2})):
        Session.objects.filter(pk=vote(triplet, "first").trial.session_id).update(viewing=viewing)
    make_session(study, viewing={"device_pixel_ratio": 3})
    said = said_of(study)
    assert said["Screens (device pixels)"] == "2560 x 1440: 2 (of 2 sessions)"
    assert said["Device pixels a CSS pixel"] == "1.25: 1, 2: 1 (of 2 sessions)"
    assert said["Refresh rate"] == "59.9 Hz (n = 2) of 2 sessions"
    assert said["Viewing distance"].startswith("As people said: 60 cm (n = 2).")
    assert said["Size of the screen"].startswith("By a bank card held to the screen: 2 did")


def test_what_was_not_controlled_asked_or_recorded_is_said() -> None:
    study = make_study()
    vote(triplets(study)[0], "first")
    statuses = statuses_of(study)
    assert statuses["Luminance and contrast of the screens"] == "not controlled"
    assert statuses["Light in the room"] == "not controlled"
    assert statuses["Acuity"] == statuses["Colour vision"] == "not asked"
    assert statuses["Age, gender, expertise"] == "not asked"
    assert statuses["Refresh rate"] == "not recorded"
    assert statuses["Analysis"] == "not recorded"


def test_material_names_photos_codecs_rates_and_misses() -> None:
    study = make_study(n_sources=2, rates_bpp=(0.23, 0.67))
    miss = triplets(study)[0].first
    type(miss).objects.filter(pk=miss.pk).update(state="nearest", bpp=0.3)
    said = said_of(study)
    assert said["Photos"].startswith("2 photos of the collection which-photos.")
    assert "96 x 64: 2" in said["Photos"]
    assert said["Licences"] == "CC0-1.0: 2 photos"
    assert "made for this test; 4 pictures" in said["Codecs and versions"]
    assert (
        "0.23 bpp, jpeg: mean 0.2650, 0.2300 to 0.3000 (2 pictures)"
        in (said["Rates targeted and achieved"])
    )
    assert (
        "7 hit their rate and 1 did not; 1 of those stand in a main triplet"
        in (said["Misses left out"])
    )


def test_amount_and_times_are_told() -> None:
    study = make_study(judgments_per_triplet=2)
    one, _ = triplets(study)
    for ms in (1000, 2000, 4000):
        judgment = vote(one, "first", ms=ms)
        begun = timezone.now()
        Session.objects.filter(pk=judgment.trial.session_id).update(
            started_at=begun, finished_at=begun + timedelta(minutes=40)
        )
    said = said_of(study)
    assert "Reached by 1 of 2 main triplets; 1 were never judged." in said["Judgments a triplet"]
    assert said["Response time"].startswith(
        "median 2,000 ms, middle half 1,500 to 3,000, range 1,000 to 4,000 (n = 3)"
    )
    assert "40.0 min (n = 3)" in said["Duration of finished sessions"]
    assert "Longer than 30 min: 3" in said["Duration of finished sessions"]


def test_what_part_was_seen_is_told_only_where_it_was_recorded() -> None:
    study = make_study()
    one, _ = triplets(study)
    size = {"shown_width_px": one.crop_width_px, "shown_height_px": one.crop_height_px}
    rows = [vote(one, "first") for _ in range(3)]
    assert said_of(study)["Seen in part"] == "Not recorded for 3 of 3 counted judgments."
    assert statuses_of(study)["Seen in part"] == "not recorded"
    Judgment.objects.filter(pk=rows[0].pk).update(**size)
    assert said_of(study)["Seen in part"] == (
        "Not recorded for 2 of 3 counted judgments. The others were given on the whole crop."
    )
    assert statuses_of(study)["Seen in part"] == "reported"
    Judgment.objects.filter(pk=rows[1].pk).update(**{**size, "shown_width_px": 8})
    assert said_of(study)["Seen in part"] == (
        "1 counted judgment given on a smaller, central part of the crop, in a small window. "
        "Not recorded for 1 of 3 counted judgments."
    )
    Judgment.objects.update(**size)
    assert said_of(study)["Seen in part"].startswith("None: every counted judgment")


def test_changes_after_opening_are_deviations() -> None:
    study = make_study()
    for what in ("Paused for a night", f"{sharing.SHARED}triplet 1 for 30 days", sharing.REVOKED):
        StudyChange.objects.create(study=study, by="ada", what=what)
    said = said_of(study)["After opening"]
    assert said.endswith("ada: Paused for a night")
    assert "link" not in said


def test_the_newest_results_of_this_study_are_named() -> None:
    study = make_study()
    for slug, title in (("which", "Results 1"), ("which", "Results 2"), ("other", "Results 3")):
        Run.objects.create(
            kind="study_results", title=title, state="done", config={"study": slug, "resamples": 9}
        )
    assert ": Results 2." in said_of(study)["Analysis"]
    assert "resamples 9" in said_of(study)["Analysis"]


def test_a_simulated_study_has_no_viewing_conditions() -> None:
    study = make_study(is_simulated=True)
    assert "Light in the room" not in said_of(study)
    assert "simulated observers" in said_of(study)["Before screening"]


def test_a_study_without_answers_is_reported_too() -> None:
    study = make_study(state="draft")
    assert said_of(study)["Sides realised"] == "No judgment that counts yet."
    assert said_of(study)["Response time"].startswith("none measured")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([], "none measured"),
        ([None, 3.0], "3 s (n = 1)"),
        ([1, 2, 3, 4, 5], "median 3 s, middle half 2 to 4, range 1 to 5 (n = 5)"),
    ],
)
def test_a_spread_tells_its_n(values: list[float | None], said: str) -> None:
    assert spread(values, "s") == said


def test_a_long_list_ends_in_others() -> None:
    assert counted(["a", "a", "b", "c", None, ""], most=1) == "a: 2, others: 2"


# A study that was asked elsewhere


def brought_in(folder: Path, *more: dict[str, str]) -> Study:
    """Two judgments of one person, of one triplet each, from a CSV that tells the least."""
    least = {
        "study": "elsewhere", "session_id": "s1", "annotator_id": "ben", "source": "cat",
        "first_codec": "jpeg", "second_codec": "webp", "choice": "first",
    }  # fmt: skip
    rows = [{**least, "position": str(at), "triplet_id": f"t{at}"} for at in range(2)]
    path = folder / "in.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, {key: "" for row in (*rows, *more) for key in row})
        writer.writeheader()
        writer.writerows([*rows, *({**least, **row} for row in more)])
    return import_study(path).study


def test_of_an_imported_study_nothing_of_our_own_procedure_is_claimed(tmp_path: Path) -> None:
    study = brought_in(tmp_path)
    said, statuses = said_of(study), statuses_of(study)
    for label in (
        "Method", "Presentation", "Instructions", "Order", "Scheduler", "Sides planned",
        "Practice", "Warm-up", "Sentinels", "Consent", "Recruiting", "Ground", "Magnification",
        "Study opened", "Judgments given", "Misses left out", "Light in the room",
    ):  # fmt: skip
        assert (said[label], statuses[label]) == (SAID, "not recorded"), label
    everything = " ".join(said.values())
    for ours in (study.consent, study.instructions, "seed", "sRGB 119", "Forced choice"):
        assert ours not in everything


def test_of_an_imported_study_what_was_counted_stays(tmp_path: Path) -> None:
    practice = {"position": "2", "triplet_id": "t2", "triplet_kind": "practice", "source": "dog"}
    said = said_of(brought_in(tmp_path, practice))
    assert said["Before screening"].startswith("1 observer judged a main trial, in 1 session")
    assert said["Judgments that count"].startswith("2 of main triplets")
    assert said["Practice"] == f"{SAID} 1 judgment in the file."
    assert "of 2 counted judgments" in said["Sides realised"]
    assert "a coin did" in said["Sides realised"]


def test_a_rate_that_was_not_told_is_no_rate_of_0(tmp_path: Path) -> None:
    told = {"position": "2", "triplet_id": "t2", "source": "dog", "first_bpp": "0.25"}
    said = said_of(brought_in(tmp_path, told))["Rates targeted and achieved"]
    assert said.startswith("As the imported file told.")
    assert "target not told, jpeg: mean 0.2500, 0.2500 to 0.2500 (told of 1 of 3 pictures)" in said
    assert "target not told, webp: not told (3 pictures)" in said


# Its forms


def test_page_pdf_and_json_say_the_same(tmp_path: Path) -> None:
    study = make_study(title="Gärten & Höfe", state="closed")
    vote(triplets(study)[0], "first")
    client = Client()
    client.force_login(make_ada())
    page = text_of(client.get(reverse("study_conformance", args=["which"])))
    told = json.loads(client.get(reverse("conformance_file", args=["which", "json"])).content)
    reply = client.get(reverse("conformance_file", args=["which", "pdf"]))
    assert reply["Content-Type"] == "application/pdf"
    assert 'filename="conformance-which.pdf"' in reply["Content-Disposition"]
    reader = PdfReader(io.BytesIO(reply.content))
    pdf = _squeezed("".join(sheet.extract_text() for sheet in reader.pages))
    assert _squeezed("Gärten & Höfe") in pdf
    for section in told["sections"]:
        assert section["title"] in page
        for item in section["items"]:
            assert _squeezed(item["label"]) in pdf
            assert item["label"] in page
            assert item["status"] in page
    # Long cells break over lines and pages: the short ones are found whole.
    assert _squeezed("Not collected: no question about the person is asked.") in pdf
    assert "SIMULATED" not in pdf and "SIMULATED" not in page


def _squeezed(text: str) -> str:
    return "".join(text.split())


def test_every_page_of_a_simulated_pdf_says_so_and_its_number(tmp_path: Path) -> None:
    make_study(is_simulated=True)
    path = tmp_path / "report.pdf"
    call_command("conformance", study="which", out=path, stdout=io.StringIO())
    reader = PdfReader(path)
    assert reader.metadata and str(reader.metadata.title).startswith("SIMULATED: ")
    assert len(reader.pages) > 1
    for number, sheet in enumerate(reader.pages, start=1):
        text = sheet.extract_text()
        assert "SIMULATED" in text
        assert f"Page {number} of {len(reader.pages)}" in text


def test_a_simulated_download_has_it_in_its_name() -> None:
    make_study(is_simulated=True)
    client = Client()
    client.force_login(make_ada())
    reply = client.get(reverse("conformance_file", args=["which", "json"]))
    assert "conformance-which-simulated.json" in reply["Content-Disposition"]


def test_another_ending_is_not_found() -> None:
    make_study()
    client = Client()
    client.force_login(make_ada())
    assert client.get(reverse("conformance_file", args=["which", "doc"])).status_code == 404


def test_the_command_writes_html_and_json_and_refuses_others(tmp_path: Path) -> None:
    make_study(is_simulated=True)
    said = io.StringIO()
    page = tmp_path / "report.html"
    call_command("conformance", study="which", out=page, stdout=said)
    assert said.getvalue().startswith("SIMULATED: ")
    assert "SIMULATED" in page.read_text(encoding="utf-8")
    told = io.StringIO()
    call_command("conformance", study="which", stdout=told)
    assert json.loads(told.getvalue())["is_simulated"] is True
    with pytest.raises(CommandError, match="expected a name with"):
        call_command("conformance", study="which", out=tmp_path / "report.doc")
    with pytest.raises(CommandError, match="No study"):
        call_command("conformance", study="ghost")
