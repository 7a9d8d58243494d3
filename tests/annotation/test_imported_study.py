"""Judgments of elsewhere become a closed study: whole, refused by name, or not at all."""

import csv
import io
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import QuerySet

from annotation import designing, screening, serving
from annotation.exporting import CSV_COLUMNS, judgments_csv
from annotation.formats.writing import GUARDED, guarded, unguarded
from annotation.freezing import FreezeConfig, freeze_dataset
from annotation.imported_study import ImportedStudy, import_study
from annotation.models import Annotator, Judgment, Session, Study, Trial, Triplet
from codecs_eval import encoding, ladders, scoring, storing
from codecs_eval.models import Dataset, Reconstruction, Run, SourceImage
from tests.annotation.observers import made, write_csv
from tests.factories import (
    make_annotator,
    make_answer,
    make_judgments,
    make_session,
    make_source,
    make_study,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]

GOOD = {
    "study": "elsewhere", "session_id": "s1", "annotator_id": "ben", "position": "0",
    "triplet_id": "7", "source": "cat", "first_codec": "jpeg", "second_codec": "webp",
    "target_bpp": "0.5", "first_on_left": "1", "choice": "first", "response_ms": "1500",
}  # fmt: skip


def write(folder: Path, *rows: dict[str, str], name: str = "in.csv") -> Path:
    folder.mkdir(exist_ok=True)
    columns = list(dict.fromkeys(column for row in rows or (GOOD,) for column in row))
    with (folder / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return folder / name


def bring_in(folder: Path, *rows: dict[str, str], **values: Any) -> ImportedStudy:
    return import_study(write(folder, *rows), **values)


def row(position: int, **values: str) -> dict[str, str]:
    return {**GOOD, "position": str(position), "triplet_id": f"t{position}", **values}


def exported(study: Study) -> list[dict[str, str]]:
    text = "".join(judgments_csv(study)).removeprefix("\ufeff")
    return list(csv.DictReader(io.StringIO(text, newline="")))


# What goes in


def test_a_row_becomes_a_judgment_of_a_closed_study_without_pixels(tmp_path: Path) -> None:
    imported = bring_in(tmp_path, GOOD, row(1, choice="second", triplet_id="8", source="dog"))
    assert (imported.accepted, imported.refused) == (2, [])
    study = Study.objects.get()
    assert (study.slug, study.state, study.is_frozen, study.is_simulated) == (
        "elsewhere", "closed", True, False,
    )  # fmt: skip
    session = Session.objects.get()
    assert (session.outside_id, session.state, session.verdict) == ("s1", "finished", "")
    annotator = session.annotator
    assert (annotator.provider, annotator.outside_id) == ("import:elsewhere", "ben")
    first = Judgment.objects.get(trial__position=0)
    assert (first.choice, first.response_ms, first.trial.first_on_left) == ("first", 1500.0, True)
    assert first.trial.triplet.first.codec == "jpeg"
    assert first.trial.state == Trial.State.JUDGED
    assert set(study.triplets.values_list("n_assigned", "n_judged")) == {(1, 1)}
    source = first.trial.triplet.source
    assert (source.name, source.path, source.sha256, source.width) == ("cat", "", "", 0)
    reconstruction = first.trial.triplet.second
    assert (reconstruction.path, reconstruction.bitstream_bytes) == ("", None)
    assert (reconstruction.encode_cpu_ms, reconstruction.encodes_tried) == (None, None)


def test_the_fewest_columns_are_enough(tmp_path: Path) -> None:
    rows = [
        {"session_id": "a", "triplet_id": "1", "choice": "first"},
        {"session_id": "a", "triplet_id": "2", "choice": "not_sure"},
        {"session_id": "b", "triplet_id": "1", "choice": "second"},
    ]
    imported = bring_in(tmp_path, *rows)
    assert (imported.accepted, imported.refused) == (3, [])
    assert imported.study.slug == "in"
    assert imported.study.allow_not_sure
    assert imported.study.triplets.count() == 2
    assert Annotator.objects.count() == 2
    assert list(Trial.objects.filter(session__outside_id="a").values_list("position")) == [
        (0,), (1,),
    ]  # fmt: skip
    assert "which side the first stood on" in imported.notes[0]


def test_sides_alone_tell_the_choice(tmp_path: Path) -> None:
    told = {"session_id": "a", "source": "cat", "first_codec": "jpeg", "second_codec": "webp"}
    bring_in(
        tmp_path,
        {**told, "first_on_left": "1", "chosen_side": "left"},
        {**told, "source": "dog", "first_on_left": "0", "chosen_side": "left"},
    )
    assert list(Judgment.objects.order_by("trial__position").values_list("choice", flat=True)) == [
        "first",
        "second",
    ]


def test_sentinels_keep_their_answer_and_identical_pairs_are_one_reconstruction(
    tmp_path: Path,
) -> None:
    bring_in(
        tmp_path,
        row(0, triplet_kind="sentinel", expected="second"),
        row(1, triplet_kind="identical", second_codec="jpeg"),
        row(2, triplet_kind="practice", expected="first"),
    )
    triplets = {triplet.kind: triplet for triplet in Triplet.objects.all()}
    assert triplets["sentinel"].expected == "second"
    assert triplets["identical"].first_id == triplets["identical"].second_id
    assert Session.objects.get().n_practice == 1


def test_a_second_showing_is_a_repeat_even_where_the_file_does_not_say_so(tmp_path: Path) -> None:
    bring_in(tmp_path, GOOD, {**GOOD, "position": "5", "first_on_left": "0"})
    assert list(Trial.objects.order_by("position").values_list("is_repeat", flat=True)) == [
        False, True,
    ]  # fmt: skip
    assert Triplet.objects.get().n_judged == 1


def test_undo_is_carried_over(tmp_path: Path) -> None:
    first = {**GOOD, "trial_id": "x", "judgment_id": "j1"}
    undo = {**first, "judgment_id": "j2", "supersedes": "j1", "choice": "second"}
    bring_in(tmp_path, {**first, "supersedes": ""}, undo)
    standing = Judgment.objects.standing().get()
    assert standing.choice == "second"
    assert standing.supersedes is not None
    assert standing.supersedes.choice == "first"
    assert Trial.objects.count() == 1


def test_a_free_uuid_stays_the_id_and_one_that_is_taken_does_not(tmp_path: Path) -> None:
    session, judgment, person = (str(uuid.uuid4()) for _ in range(3))
    taken = make_session(make_study("here"))
    rows = [
        {**GOOD, "session_id": session, "judgment_id": judgment, "annotator_id": person},
        {**row(0), "session_id": str(taken.pk)},
    ]
    study = bring_in(tmp_path, *rows).study
    found = study.sessions.get(outside_id=session)
    assert (str(found.pk), str(found.annotator_id)) == (session, person)
    assert Judgment.objects.filter(pk=judgment, trial__session=found).exists()
    other = study.sessions.get(outside_id=str(taken.pk))
    assert other.pk != taken.pk


def test_simulated_answers_stay_simulated(tmp_path: Path) -> None:
    study = bring_in(tmp_path, {**GOOD, "is_simulated": "1"}).study
    assert study.is_simulated
    assert Annotator.objects.get().is_simulated


def test_answers_of_people_and_simulated_ones_are_never_pooled(tmp_path: Path) -> None:
    rows = {**GOOD, "is_simulated": "1"}, {**row(1), "is_simulated": "0"}
    with pytest.raises(ValueError, match="1 of 2 rows are simulated"):
        bring_in(tmp_path, *rows)
    assert not Study.objects.exists()


def test_columns_that_nobody_knows_are_ignored_and_named(tmp_path: Path) -> None:
    imported = bring_in(tmp_path, {**GOOD, "mood": "fine", "screening": "excluded"})
    assert imported.ignored_columns == ["mood"]
    assert Session.objects.get().verdict == "excluded"


def test_a_byte_order_mark_and_guarded_text_are_undone(tmp_path: Path) -> None:
    path = write(tmp_path, {**GOOD, "source": "'=HYPERLINK(1)", "annotator_id": "'@ben"})
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    import_study(path)
    assert SourceImage.objects.get().name == "=HYPERLINK(1)"
    assert Annotator.objects.get().outside_id == "@ben"


@pytest.mark.parametrize("start", [*GUARDED, "a", "'"])
def test_what_the_export_guards_the_import_frees(start: str) -> None:
    assert unguarded(guarded(f"{start}1+1")) == f"{start}1+1"


def test_photos_of_this_installation_are_never_mixed_with_names_of_elsewhere(
    tmp_path: Path,
) -> None:
    here = make_source("kodak", "cat")
    bring_in(tmp_path, {**GOOD, "collection": "kodak"})
    there = SourceImage.objects.get(path="")
    assert there.collection == "kodak-elsewhere"
    assert list(SourceImage.objects.in_collection("kodak")) == [here]


def test_triplets_whose_sides_go_in_a_circle_keep_what_was_chosen(tmp_path: Path) -> None:
    """first < second in every triplet cannot be kept here: one is turned round, with its rows."""
    pairs = [("jpeg", "webp"), ("webp", "avif"), ("avif", "jpeg")]
    bring_in(
        tmp_path,
        *(
            row(n, first_codec=first, second_codec=second, choice="first", expected="second",
                triplet_kind="sentinel")
            for n, (first, second) in enumerate(pairs)
        ),
    )  # fmt: skip
    for judgment in Judgment.objects.select_related("trial__triplet"):
        triplet = judgment.trial.triplet
        first, second = pairs[judgment.trial.position]
        assert triplet.first_id < triplet.second_id
        assert getattr(triplet, judgment.choice).codec == first
        assert getattr(triplet, triplet.expected).codec == second
        assert judgment.trial.side_of_choice(judgment.choice) == "left"


def test_two_triplets_of_the_same_sides_stay_two(tmp_path: Path) -> None:
    rows = row(0, crop_left_px="0"), row(1, crop_left_px="64")
    assert bring_in(tmp_path, *rows).accepted == 2
    assert sorted(Triplet.objects.values_list("crop_left_px", flat=True)) == [0, 64]


# What is refused


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"choice": "both"}, "'both'"),
        ({"choice": ""}, "what was chosen"),
        ({"session_id": ""}, "session_id is empty"),
        ({"position": "-1"}, "position -1"),
        ({"position": "0"}, "position 0 stands twice"),
        ({"position": "1.5"}, "position 1.5"),
        ({"response_ms": "soon"}, "response_ms 'soon'"),
        ({"response_ms": "inf"}, "finite"),
        ({"triplet_kind": "trap"}, "'trap'"),
        ({"first_on_left": "perhaps"}, "'perhaps'"),
        ({"triplet_id": "7", "first_codec": "avif"}, "other sides"),
        ({"first_settings": "{"}, "JSON"),
        ({"server_time": "yesterday"}, "ISO 8601"),
        ({"source": "x" * 201}, "201 characters"),
        ({"supersedes": "ghost"}, "not above it"),
        ({"session_state": "lost"}, "'lost'"),
        ({"target_bpp": "-1"}, "target_bpp -1"),
    ],
    ids=str,
)
def test_a_bad_row_is_refused_by_its_line_and_the_others_go_in(
    tmp_path: Path, values: dict[str, str], said: str
) -> None:
    imported = bring_in(tmp_path, GOOD, {**row(1), **values}, row(2))
    assert imported.accepted == Judgment.objects.count() == 2
    ((line, reason),) = imported.refused
    assert line == 3
    assert said in reason


def test_a_person_judges_a_triplet_twice_at_most(tmp_path: Path) -> None:
    rows = [{**GOOD, "position": str(n)} for n in range(3)]
    imported = bring_in(tmp_path, *rows)
    assert [line for line, _ in imported.refused] == [4]


def test_a_trial_is_judged_once(tmp_path: Path) -> None:
    trial = {**GOOD, "trial_id": "x"}
    imported = bring_in(tmp_path, {**trial, "judgment_id": "1"}, {**trial, "judgment_id": "2"})
    assert "judged already" in imported.refused[0][1]
    assert Judgment.objects.count() == 1


def test_a_trial_belongs_to_one_session(tmp_path: Path) -> None:
    trial = {**GOOD, "trial_id": "x"}
    imported = bring_in(tmp_path, trial, {**trial, "session_id": "s2", "annotator_id": "cleo"})
    assert "belongs to another session" in imported.refused[0][1]
    assert Session.objects.get().outside_id == "s1"


@pytest.mark.parametrize(
    ("rows", "values", "said"),
    [
        ([{"triplet_id": "1", "choice": "first"}], {}, "no column session_id"),
        ([{"session_id": "1", "choice": "first"}], {}, "what was compared"),
        ([{"session_id": "1", "triplet_id": "1"}], {}, "what was chosen"),
        ([GOOD, {**GOOD, "study": "other"}], {}, "elsewhere, other"),
        ([GOOD], {"study": "ghost"}, "the file holds elsewhere"),
        ([GOOD], {"name": "taken"}, "'taken' exists"),
        ([GOOD], {"name": "画像"}, "letters or digits"),
        ([{**GOOD, "polarity": "warmer"}], {}, "'warmer'"),
        ([{**GOOD, "rate_tolerance": "4 %"}], {}, "rate_tolerance '4 %'"),
        ([{**GOOD, "choice": "both"}], {}, "line 2"),
        # Found out in the second reading, when sources and triplets are stored already.
        ([{**GOOD, "supersedes": "ghost"}], {}, "not above it"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_cannot_go_in_leaves_nothing(
    tmp_path: Path, rows: list[dict[str, str]], values: dict[str, str], said: str
) -> None:
    make_study("taken")
    before = SourceImage.objects.count()
    with pytest.raises(ValueError, match=said):
        bring_in(tmp_path, *rows, **values)
    assert Study.objects.get().slug == "taken"
    assert SourceImage.objects.count() == before


def test_one_of_several_studies_is_picked(tmp_path: Path) -> None:
    rows = GOOD, {**row(1), "study": "other"}
    study = bring_in(tmp_path, *rows, study="other").study
    assert study.slug == "other"
    assert Judgment.objects.get().trial.position == 1


def test_a_folder_stands_for_its_one_csv(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    assert import_study(tmp_path, name="Asked in Graz").study.title == "Asked in Graz"
    write(tmp_path, GOOD, name="other.csv")
    with pytest.raises(ValueError, match="Found 2 CSV files"):
        import_study(tmp_path)
    with pytest.raises(ValueError, match="neither a file nor a folder"):
        import_study(tmp_path / "ghost")


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"session_id,triplet_id,choice\nx,1,\xff\xfe\n")
    with pytest.raises(ValueError, match="no CSV in UTF-8"):
        import_study(path)
    path.write_text("")
    with pytest.raises(ValueError, match="session_id"):
        import_study(path)


# Nothing without pixels is taken for something with


def test_a_study_without_pixels_is_neither_opened_nor_frozen(tmp_path: Path) -> None:
    study = bring_in(tmp_path, GOOD).study
    with pytest.raises(ValueError, match="without its images"):
        designing.change_state(study, "open")
    with pytest.raises(ValueError, match="without their images"):
        freeze_dataset(study, FreezeConfig(study=study.slug))
    assert not Dataset.objects.exists()


def test_sources_without_pixels_are_no_photos_to_encode_score_or_show(tmp_path: Path) -> None:
    bring_in(tmp_path, {**GOOD, "collection": "there"})
    assert list(SourceImage.objects.collections()) == []
    assert ladders.collections() == []
    assert ladders.ladders_of("there") == []
    assert not Reconstruction.objects.of_ladder("there", ["jpeg", "webp"], [0.5]).exists()
    with pytest.raises(ValueError, match="without pixels"):
        storing.read_pixels("")
    run = Run(kind="score", config={"collection": "there", "metrics": ["psnr"]})
    with pytest.raises(ValueError, match="no photo with pixels"):
        scoring.score_collection(run, None)  # type: ignore[arg-type]
    config = encoding.LadderConfig(collection="there", codecs=("jpeg",), rates_bpp=(0.5,))
    with pytest.raises(ValueError, match="there"):
        encoding.check_available(config)


# There and back


def answered(slug: str) -> Study:
    """Sentinels, an identical pair, repeats, warm-ups and an undo, through the serving path."""
    study = make_study(
        slug, n_sources=4, codecs=("jpeg", "webp"), rates_bpp=(0.25, 0.5, 1.0), n_warm_up=1,
        sentinel_share=0.2, repeat_share=0.1, identical_share=0.1, session_length=10,
        allow_not_sure=True,
    )  # fmt: skip
    for index in range(3):
        session = make_session(study, make_annotator(), seed=index)
        judged = make_judgments(session, 10, side="left" if index else "not_sure")
        undo = make_answer(judged[4].trial, "right", supersedes=judged[4].pk)
        serving.record(session, [undo])
    return study


IDS = {"judgment_id", "session_id", "annotator_id", "trial_id", "triplet_id", "supersedes",
       "superseded_by", "study", "collection", "screening"}  # fmt: skip


def comparable(rows: list[dict[str, str]]) -> list[tuple[str, ...]]:
    """Rows without ids, which differ where both studies stand in one database."""
    names = [name for name in CSV_COLUMNS if name not in IDS]
    return sorted(tuple(row[name] for name in names) for row in rows)


def test_an_export_comes_back_as_it_was(tmp_path: Path) -> None:
    study = answered("which")
    path = tmp_path / "out.csv"
    path.write_text("".join(judgments_csv(study)), encoding="utf-8", newline="")
    imported = import_study(path, name="back")
    assert imported.refused == []
    assert imported.ignored_columns == []
    there, back = exported(study), exported(imported.study)
    assert len(back) == 33
    assert comparable(back) == comparable(there)
    assert {row["session_id"] for row in back} == {row["session_id"] for row in there}


def test_ids_come_back_too_where_they_are_free(tmp_path: Path) -> None:
    study = answered("which")
    there = exported(study)
    path = tmp_path / "out.csv"
    path.write_text("".join(judgments_csv(study)), encoding="utf-8", newline="")
    forget(Judgment.objects.all())
    for model in (Trial, Session, Annotator, Triplet, Study, Reconstruction, SourceImage):
        model._default_manager.all().delete()
    back = exported(import_study(path).study)
    names = set(CSV_COLUMNS) - {"triplet_id"}
    assert [{name: row[name] for name in names} for row in back] == [
        {name: row[name] for name in names} for row in there
    ]


def forget(rows: QuerySet[Judgment]) -> None:
    while rows.exists():
        rows.filter(superseded_by=None).delete()


def test_the_screening_says_the_same_here_and_there(tmp_path: Path) -> None:
    study = made(1, n_sessions=16, votes=6)
    first = import_study(write_csv(tmp_path / "one.csv", study)).study
    found = {row.session.outside_id: row for row in screening.screen(first)}
    path = tmp_path / "two.csv"
    path.write_text("".join(judgments_csv(first)), encoding="utf-8", newline="")
    second = import_study(path, name="second").study
    again = {row.session.outside_id: row for row in screening.screen(second)}
    assert set(found) == set(again) == {f"s{n}" for n in range(16)}
    assert {name: row.verdict for name, row in found.items()} == {
        name: row.verdict for name, row in again.items()
    }
    for name, row in found.items():
        assert again[name].suspicion == pytest.approx(row.suspicion, abs=0.01)


# The command


def told(*arguments: Any) -> dict[str, Any]:
    out = io.StringIO()
    call_command("import_judgments", *map(str, arguments), "--json", stdout=out)
    found = json.loads(out.getvalue())
    assert isinstance(found, dict)
    return found


def test_the_command_tells_what_went_in_and_what_did_not(tmp_path: Path) -> None:
    path = write(tmp_path, {**GOOD, "mood": "fine"}, {**row(1), "choice": "both"}, row(2))
    found = told(path, "--format", "csv", "--name", "Asked in Graz")
    assert found == {
        "study": "asked-in-graz", "title": "Asked in Graz", "is_simulated": False,
        "url": "/studies/asked-in-graz/", "accepted": 2, "refused": [
            {"line": 3, "reason": "found choice 'both'; expected one of first, second, not_sure"}
        ],
        "ignored_columns": ["mood"], "n_sessions": 1, "n_sources": 1, "n_triplets": 2,
        "n_judgments": 2, "notes": ["columns ignored: mood"],
    }  # fmt: skip


def test_the_command_writes_the_same_for_people(tmp_path: Path) -> None:
    out = io.StringIO()
    path = write(tmp_path, GOOD, {**row(1), "choice": "both"})
    call_command("import_judgments", str(path), "--format", "csv", stdout=out)
    first, second = out.getvalue().splitlines()
    assert first == "study elsewhere: 1 judgments of 1 triplets, 1 sources; 1 rows refused"
    assert second.startswith("  line 3: found choice 'both'")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ghost.csv", "--format", "csv"], "neither a file nor a folder"),
        (["in.csv", "--format", "csv", "--study", "ghost"], "'ghost'"),
        (["in.csv", "--format", "csv", "--name", "elsewhere"], "exists here"),
        (["in.csv", "--format", "pairs", "--name", "x"], "not a folder"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_the_command_refuses_in_one_sentence(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    import_study(write(tmp_path, GOOD))
    name, *rest = arguments
    with pytest.raises(CommandError, match=said) as refused:
        call_command("import_judgments", str(tmp_path / name), *rest, stdout=io.StringIO())
    assert "\n" not in str(refused.value)
    assert Study.objects.count() == 1
