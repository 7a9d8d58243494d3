"""Judgments out: a frozen dataset with the pixels that were shown; CSV that opens everywhere."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from annotation import blinding, judgment_table, planning, serving
from annotation.exporting import CSV_COLUMNS, judgments_csv
from annotation.formats.writing import guarded
from annotation.freezing import FreezeConfig, freeze_dataset
from annotation.models import Judgment, Session, Study, Trial, Triplet
from codecs_eval.agreement.dataset import read_dataset
from codecs_eval.models import Dataset
from tests.factories import (
    make_ada,
    make_annotator,
    make_answer,
    make_judgments,
    make_session,
    make_source,
    make_study,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]


def make_answered_study(**values: Any) -> Study:
    study = make_study(**{"n_sources": 4, "judgments_per_triplet": 3, **values})
    for _ in range(2):
        make_judgments(make_session(study), 4)
    return study


def read_csv(study: Study | None = None) -> pd.DataFrame:
    return pd.read_csv(io.StringIO("".join(judgments_csv(study))), keep_default_na=False)


# Freezing


def test_a_frozen_dataset_holds_every_judgment_once() -> None:
    study = make_answered_study()
    dataset = freeze_dataset(study, FreezeConfig(study="which", name="first"), user=make_ada())
    frozen = read_dataset(dataset.folder, verify=True)
    assert set(frozen.judgments["judgment_id"]) == {
        str(found.pk) for found in Judgment.objects.all()
    }
    assert (dataset.n_sources, dataset.n_triplets, dataset.n_judgments) == (4, 4, 8)
    assert (dataset.name, dataset.origin, dataset.polarity) == ("first", "study:which v1", "closer")
    assert frozen.manifest.counts.observers == 2
    for row in frozen.judgments.itertuples():
        judgment = Judgment.objects.get(pk=row.judgment_id)
        assert row.triplet_id == str(judgment.trial.triplet_id)
        assert row.choice == judgment.choice
        assert row.response_ms == 1500.0


def test_the_frozen_crops_are_what_people_saw_pixel_for_pixel() -> None:
    study = make_answered_study(crop="random")
    frozen = read_dataset(freeze_dataset(study, FreezeConfig(study="which")).folder)
    by_id = frozen.triplets.set_index("triplet_id")
    for trial in Trial.objects.all():
        row = by_id.loc[str(trial.triplet_id)]
        sides = {"source": "original", "first": "left", "second": "right"}
        if not trial.first_on_left:
            sides |= {"first": "right", "second": "left"}
        for column, side in sides.items():
            with Image.open(io.BytesIO(blinding.image_of(trial, side))) as shown:
                seen = np.asarray(shown)
            assert np.array_equal(frozen.image(row[f"{column}_image"]), seen)


def test_a_frozen_triplet_says_what_its_images_are() -> None:
    study = make_answered_study()
    frozen = read_dataset(freeze_dataset(study, FreezeConfig(study="which")).folder)
    for row in frozen.triplets.to_dict("records"):
        triplet = Triplet.objects.get(pk=row["triplet_id"])
        assert row["source"] == triplet.source.name
        for side in ("first", "second"):
            shown = getattr(triplet, side)
            assert row[f"{side}_codec"] == shown.codec
            assert json.loads(row[f"{side}_settings"]) == shown.settings
            assert row[f"{side}_bpp"] == shown.bpp
            assert row[f"{side}_target_bpp"] == shown.target_bpp


def test_every_filter_counts_what_it_dropped() -> None:
    study = make_study(
        n_sources=5, session_length=5, judgments_per_triplet=9, codecs=("jpeg", "webp")
    )
    good, undone, excluded, repeated = (make_session(study) for _ in range(4))
    make_judgments(good, 5)
    (first, *_) = make_judgments(undone, 2)
    serving.record(undone, [make_answer(first.trial, "right", supersedes=first.pk)])
    make_judgments(excluded, 3)
    Session.objects.filter(pk=excluded.pk).update(verdict=Session.Verdict.EXCLUDED)
    make_judgments(repeated, 4)
    late = list(repeated.trials.order_by("position"))
    Trial.objects.filter(pk=late[0].pk).update(is_warm_up=True)
    Trial.objects.filter(pk=late[1].pk).update(is_repeat=True)
    frozen = read_dataset(freeze_dataset(study, FreezeConfig(study="which")).folder)
    assert [(found.rule, found.dropped) for found in frozen.manifest.filters] == [
        ("superseded by an undo", 1),
        ("session excluded by screening", 3),
        ("warm-up, repeat or check trial", 2),
        ("seen on a smaller part of the crop", 0),
    ]
    assert len(frozen.judgments) == 5 + 2 + 2
    assert str(first.pk) not in set(frozen.judgments["judgment_id"])


def test_a_doubtful_or_unscreened_session_stays_in() -> None:
    study = make_answered_study()
    Session.objects.filter(pk=study.sessions.earliest("started_at").pk).update(
        verdict=Session.Verdict.DOUBTFUL
    )
    assert freeze_dataset(study, FreezeConfig(study="which")).n_judgments == 8


@pytest.mark.parametrize("is_simulated", [True, False])
def test_what_simulated_observers_said_is_marked_everywhere(is_simulated: bool) -> None:
    study = make_answered_study(is_simulated=is_simulated)
    dataset = freeze_dataset(study, FreezeConfig(study="which"))
    frozen = read_dataset(dataset.folder)
    assert dataset.is_simulated == frozen.manifest.is_simulated == is_simulated
    assert set(frozen.judgments["is_simulated"]) == {is_simulated}
    assert set(read_csv(study)["is_simulated"]) == {int(is_simulated)}


def test_the_split_is_by_source_and_follows_the_seed() -> None:
    study = make_answered_study()
    splits = {}
    for name, seed in (("one", 3), ("again", 3), ("other", 4), ("more", 5), ("last", 6)):
        config = FreezeConfig(study="which", name=name, seed=seed, test_share=0.5)
        split = read_dataset(freeze_dataset(study, config).folder).manifest.split
        assert sorted(split.train + split.test) == [f"photo-{index}" for index in range(4)]
        splits[name] = split.test
    assert splits["one"] == splits["again"]
    assert len(set(splits.values())) > 1


def test_a_study_without_a_judgment_is_not_frozen() -> None:
    study = make_study()
    planning.lease_trials(make_session(study), 2)
    with pytest.raises(ValueError, match="no judgment to freeze"):
        freeze_dataset(study, FreezeConfig(study="which"))
    assert not Dataset.objects.exists()


def test_a_dataset_is_never_frozen_over_another() -> None:
    study = make_answered_study()
    first = freeze_dataset(study, FreezeConfig(study="which"))
    make_judgments(make_session(study), 4)
    with pytest.raises(ValueError, match="never changes"):
        freeze_dataset(study, FreezeConfig(study="which"))
    assert read_dataset(first.folder, verify=True).manifest.counts.judgments == 8
    assert len(list(first.folder.parent.iterdir())) == 1


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"study": ""}, "no study"),
        ({"test_share": 0}, "test share"),
        ({"test_share": 1}, "test share"),
        ({"seed": -1}, "seed"),
    ],
)
def test_an_impossible_freeze_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        FreezeConfig(**{"study": "which", **values})


# CSV


def test_pandas_reads_the_csv_with_a_row_for_each_judgment() -> None:
    study = make_answered_study()
    found = read_csv(study)
    assert tuple(found.columns) == CSV_COLUMNS
    assert set(found["judgment_id"]) == {str(row.pk) for row in Judgment.objects.all()}
    assert found["response_ms"].dtype == float
    assert found["position"].dtype == int
    for row in found.to_dict("records"):
        judgment = Judgment.objects.get(pk=row["judgment_id"])
        trial, triplet = judgment.trial, judgment.trial.triplet
        assert row["choice"] == judgment.choice
        assert row["chosen_codec"] == getattr(triplet, judgment.choice).codec
        assert row["chosen_side"] == "left"
        assert row["first_on_left"] == int(trial.first_on_left)
        assert (row["first_codec"], row["second_codec"]) == (
            triplet.first.codec, triplet.second.codec,
        )  # fmt: skip
        assert json.loads(row["first_settings"]) == triplet.first.settings
        assert row["screening"] == "not screened"
        assert pd.Timestamp(row["server_time"]) == judgment.server_time


def test_the_csv_names_no_side_for_a_not_sure() -> None:
    study = make_study(allow_not_sure=True)
    make_judgments(make_session(study), 2, side="not_sure")
    found = read_csv(study)
    assert set(found["chosen_codec"]) == set(found["chosen_side"]) == {""}


def test_superseded_judgments_are_in_the_csv_and_marked() -> None:
    study = make_study()
    session = make_session(study)
    first, _ = make_judgments(session, 2)
    undo = make_answer(first.trial, "right", supersedes=first.pk)
    serving.record(session, [undo])
    found = read_csv(study).set_index("judgment_id")
    assert len(found) == 3
    assert found.loc[str(first.pk), "superseded_by"] == str(undo.id)
    assert found.loc[str(undo.id), "supersedes"] == str(first.pk)
    assert list(found["superseded_by"]).count("") == 2


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_text_that_a_spreadsheet_would_run_is_guarded(start: str) -> None:
    formula = f'{start}HYPERLINK("http://evil.example")'
    study = make_study(collection="sheet", question=formula, n_sources=1)
    make_judgments(make_session(study), 1)
    study.triplets.get().source.__class__.objects.update(name=formula)
    (header, row) = csv.reader(io.StringIO("".join(judgments_csv(study)), newline=""))
    cells = dict(zip(header, row, strict=True))
    assert cells["question"] == cells["source"] == "'" + formula


def test_numbers_are_not_guarded() -> None:
    assert guarded(-1.5) == -1.5
    assert guarded("") == ""
    assert guarded("plain = text") == "plain = text"


def test_text_with_commas_quotes_and_lines_survives() -> None:
    question = 'Which, "truly",\nis closer? Ümlaut 画像'
    study = make_study(question=question)
    make_judgments(make_session(study), 1)
    assert list(read_csv(study)["question"]) == [question]


def test_the_number_of_queries_follows_the_batches_and_not_the_rows() -> None:
    def queries(study: Study) -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert len("".join(judgments_csv(study)).splitlines()) > 1
        return len(found)

    small, large = make_study("small", n_sources=1), make_study("large", n_sources=9)
    make_judgments(make_session(small), 1)
    for _ in range(3):
        make_judgments(make_session(large), 9)
    # The sessions' ids, a batch of sessions, its judgments, their triplets.
    assert queries(small) == queries(large) == 4


def test_the_csv_is_made_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judgment_table, "SESSIONS_AT_ONCE", 1)
    study = make_answered_study()
    pieces = judgments_csv(study)
    assert isinstance(pieces, Iterator)
    assert next(pieces).startswith("\ufeffjudgment_id,")
    assert [len(piece.splitlines()) for piece in pieces] == [4, 4]


def test_a_csv_of_one_study_holds_no_other() -> None:
    one, other = make_study("one"), make_study("other")
    for study in (one, other):
        make_judgments(make_session(study), 2)
    assert set(read_csv(one)["study"]) == {"one"}
    assert set(read_csv()["study"]) == {"one", "other"}


def test_the_same_person_has_one_id_in_all_rows() -> None:
    study, ben = make_study(), make_annotator()
    make_judgments(make_session(study, ben), 2)
    make_source("elsewhere")
    assert set(read_csv(study)["annotator_id"]) == {str(ben.pk)}


def test_who_saw_a_smaller_part_of_a_crop_is_left_out_and_counted() -> None:
    study = make_study(n_sources=6)
    judgments = make_judgments(make_session(study), 6)
    whole = judgments[0].trial.triplet
    seen = {"shown_height_px": whole.crop_height_px}
    Judgment.objects.filter(pk=judgments[0].pk).update(
        shown_width_px=whole.crop_width_px - 1, **seen
    )
    Judgment.objects.filter(pk=judgments[1].pk).update(shown_width_px=whole.crop_width_px, **seen)
    dataset = freeze_dataset(study, FreezeConfig(study=study.slug))
    assert dataset.n_judgments == 5
    filters = read_dataset(dataset.folder).manifest.filters
    rules = {found.rule: found.dropped for found in filters}
    assert rules["seen on a smaller part of the crop"] == 1


@pytest.mark.parametrize("microsecond", [0, 1, 120000, 650420, 999999])
def test_a_moment_leaves_as_it_was_stored(microsecond: int) -> None:
    """Either database writes its text in its own way; PostgreSQL leaves zeros away."""
    study = make_study()
    (judgment, *_) = make_judgments(make_session(study), 1)
    at = datetime(2026, 3, 4, 5, 6, 7, microsecond, UTC)
    Judgment.objects.filter(pk=judgment.pk).update(server_time=at, client_time=at)
    row = read_csv(study).iloc[0]
    assert row["server_time"] == row["client_time"]
    assert datetime.fromisoformat(row["server_time"]) == at
