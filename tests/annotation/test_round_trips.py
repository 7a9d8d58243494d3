"""Out and in again: each format gives the same rows elsewhere, and the same votes."""

import csv
import io
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotation import serving
from annotation.counted_votes import votes_of
from annotation.export_formats import ExportConfig
from annotation.exported_tables import write_judgments
from annotation.exporting import write_export
from annotation.formats.bundle import FolderBundle
from annotation.formats.columns import JUDGMENTS, names
from annotation.formats.reading import READERS
from annotation.formats.writing import csv_text, jsonl_text, write_parquet
from annotation.imported_study import import_study
from annotation.importing import import_judgments
from annotation.models import Annotator, Judgment, Session, Study, Trial, Triplet
from codecs_eval import datasets
from codecs_eval.agreement.dataset import FrozenDataset, read_dataset
from codecs_eval.models import Reconstruction, Run, SourceImage
from tests.factories import make_annotator, make_answer, make_judgments, make_session, make_study

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]

TABLES = ["csv", "jsonl", "parquet"]
ODD = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40
)


def answered(slug: str = "which", **values: Any) -> Study:
    """Sentinels, an identical pair, repeats, warm-ups and an undo, through the serving path."""
    study = make_study(
        slug, n_sources=4, codecs=("jpeg", "webp"), rates_bpp=(0.25, 0.5, 1.0), n_warm_up=1,
        sentinel_share=0.2, repeat_share=0.1, identical_share=0.1, session_length=10,
        allow_not_sure=True, **values,
    )  # fmt: skip
    for index in range(3):
        session = make_session(study, make_annotator(is_simulated=study.is_simulated), seed=index)
        judged = make_judgments(session, 10, side="left" if index else "not_sure")
        undo = make_answer(judged[4].trial, "right", supersedes=judged[4].pk)
        serving.record(session, [undo])
    Session.objects.filter(pk=session.pk).update(verdict=Session.Verdict.EXCLUDED)
    return study


def forget_everything() -> None:
    """As good as another database."""
    rows = Judgment.objects.all()
    while rows.exists():
        rows.filter(superseded_by=None).delete()
    for model in (Trial, Session, Annotator, Triplet, Study, Reconstruction, SourceImage):
        model._default_manager.all().delete()


def written(study: Study, file_format: str) -> bytes:
    buffer = io.BytesIO()
    buffer.close = lambda: None  # type: ignore[method-assign]  # Parquet closes what it wrote
    write_judgments(buffer, file_format, study)
    return buffer.getvalue()


def canonical(study: Study) -> list[dict[str, str]]:
    """Rows of the CSV, triplets by their first appearance: their numbers are the database's."""
    text = written(study, "csv").decode().removeprefix("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    places: dict[str, int] = {}
    for row in rows:
        row["triplet_id"] = str(places.setdefault(row["triplet_id"], len(places)))
    return rows


@pytest.mark.parametrize("file_format", TABLES)
def test_a_table_comes_back_elsewhere_as_it_was(file_format: str, tmp_path: Path) -> None:
    study = answered()
    before = canonical(study)
    path = tmp_path / f"out.{file_format}"
    path.write_bytes(written(study, file_format))
    forget_everything()
    imported = import_study(path, file_format=file_format)
    assert (imported.refused, imported.ignored_columns) == ([], [])
    assert canonical(imported.study) == before
    assert len(before) == 33


@pytest.mark.parametrize("file_format", TABLES)
def test_a_whole_export_is_recognised_and_comes_back(file_format: str, tmp_path: Path) -> None:
    study = answered(is_simulated=True)
    out = tmp_path / "out"
    write_export(study, ExportConfig("which", file_format), FolderBundle(out))
    call_command("import_judgments", str(out), "--name", "again", "--json", stdout=io.StringIO())
    again = Study.objects.get(slug="again")
    assert again.is_simulated
    assert Judgment.objects.of_study(again).count() == 33
    assert Judgment.objects.of_study(again).counted().count() == (
        Judgment.objects.of_study(study).counted().count()
    )


def test_all_three_tables_say_the_same(tmp_path: Path) -> None:
    study = answered()
    found = []
    for at, file_format in enumerate(TABLES):
        path = tmp_path / f"out.{file_format}"
        path.write_bytes(written(study, file_format))
        rows = canonical(import_study(path, file_format=file_format, name=f"back-{at}").study)
        own = {"study", "collection", "judgment_id", "trial_id", "annotator_id", "supersedes",
               "superseded_by"}  # fmt: skip
        found.append([{k: v for k, v in row.items() if k not in own} for row in rows])
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("file_format", TABLES)
def test_the_tolerance_of_rates_comes_back(file_format: str, tmp_path: Path) -> None:
    study = make_study(n_sources=1, rate_tolerance=0.1)
    make_judgments(make_session(study), 1)
    folder = exported(study, file_format, tmp_path / "out")
    back = import_study(folder, file_format=file_format, name="back").study
    assert back.rate_tolerance == 0.1


def across_rates() -> Study:
    """Two judged pairs, one of them of jpeg at 0.5 and webp at 1 bpp."""
    study = make_study(n_sources=2, keeps_different_rates=True)
    across = study.triplets.order_by("pk")[0]
    Reconstruction.objects.filter(pk=across.second_id).update(target_bpp=1.0)
    make_judgments(make_session(study), 2)
    return study


def sides_of(study: Study) -> list[set[tuple[str, float]]]:
    rows = study.triplets.select_related("first", "second").order_by("pk")
    found = [{(one.codec, one.target_bpp) for one in (row.first, row.second)} for row in rows]
    return sorted(found, key=sorted)


BOTH = [{("jpeg", 0.5), ("webp", 0.5)}, {("jpeg", 0.5), ("webp", 1.0)}]


@pytest.mark.parametrize("file_format", [*TABLES, "aic3"])
def test_each_side_of_a_pair_of_two_rates_comes_back_with_its_own(
    file_format: str, tmp_path: Path
) -> None:
    study = across_rates()
    assert sides_of(study) == BOTH
    folder = exported(study, file_format, tmp_path / "out")
    assert sides_of(import_study(folder, file_format=file_format, name="back").study) == BOTH


def test_the_bapps_layout_tells_each_side_of_a_pair_its_own_rate(tmp_path: Path) -> None:
    folder = exported(across_rates(), "bapps", tmp_path / "out")
    imported = import_judgments(folder, file_format="bapps", name="back", licence="CC0-1.0")
    rows = datasets.frozen(imported.dataset).triplets.to_dict("records")
    found = [
        {(row[f"{side}_codec"], row[f"{side}_target_bpp"]) for side in ("first", "second")}
        for row in rows
    ]
    assert sorted(found, key=sorted) == BOTH


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(question=ODD, name=ODD, codec=ODD)
def test_odd_text_survives_every_table(
    tmp_path: Path, question: str, name: str, codec: str
) -> None:
    batch = {column.name: [_value(column.kind)] for column in JUDGMENTS}
    batch |= {"question": [question], "source": [name], "first_codec": [codec]}
    texts = {"csv": csv_text, "jsonl": jsonl_text}
    for file_format in TABLES:
        path = tmp_path / f"odd.{file_format}"
        if file_format == "parquet":
            with path.open("wb") as file:
                write_parquet(file, [batch], JUDGMENTS)
        else:
            pieces = texts[file_format]([batch], JUDGMENTS)
            path.write_bytes("".join(pieces).encode())
        rows = READERS[file_format](path)
        assert rows.columns == names(JUDGMENTS)
        ((_, cells),) = rows.cells()
        assert cells["question"] == question
        assert cells["source"] == name
        assert cells["first_codec"] == codec


def _value(kind: str) -> Any:
    return {
        "id": "", "text": "x", "whole": 3, "number": 0.1, "flag": True,
        "moment": "2026-01-02T03:04:05.000006+00:00",
    }[kind]  # fmt: skip


# Pictures


def exported(study: Study, file_format: str, folder: Path) -> Path:
    write_export(study, ExportConfig(study.slug, file_format), FolderBundle(folder))
    return folder


def test_the_bapps_layout_comes_back_with_every_vote(tmp_path: Path) -> None:
    study = answered()
    folder = exported(study, "bapps", tmp_path / "out")
    imported = import_judgments(folder, file_format="bapps", name="back", licence="CC0-1.0")
    assert imported.refused == []
    votes = read_dataset(imported.dataset.folder, verify=True).votes()
    found = sorted(zip(votes["n"], votes["k_second"], votes["n_not_sure"], strict=True))
    expected = sorted(
        (one.n, one.n_second + one.n_not_sure / 2, one.n_not_sure)
        for one in votes_of(study).values()
    )
    assert found == expected
    assert expected


def test_oabt_comes_back_with_every_choice(tmp_path: Path) -> None:
    study = answered()
    folder = exported(study, "oabt", tmp_path / "out")
    imported = import_judgments(folder, file_format="oabt", name="back", licence="CC0-1.0")
    frozen = datasets.frozen(imported.dataset)
    votes = votes_of(study).values()
    assert imported.refused == []
    assert imported.accepted == sum(one.n_first + one.n_second for one in votes)
    assert chosen_codecs(frozen) == {
        "jpeg": sum(one.n_first for one in votes), "webp": sum(one.n_second for one in votes),
    }  # fmt: skip


def test_crops_of_one_photo_stay_one_source_in_oabt(tmp_path: Path) -> None:
    study = make_study(n_sources=2, codecs=("jpeg", "webp", "avif"))
    for photo in {row.source_id for row in study.triplets.all()}:
        moved = study.triplets.filter(source=photo).order_by("pk")[0]
        study.triplets.filter(pk=moved.pk).update(crop_left_px=8, crop_width_px=48)
    make_judgments(make_session(study), 6)
    folder = exported(study, "oabt", tmp_path / "out")
    imported = import_judgments(folder, file_format="oabt", name="back", licence="CC0-1.0")
    triplets = datasets.frozen(imported.dataset).triplets
    assert triplets["source_image"].nunique() == 4
    assert triplets.groupby("source").size().tolist() == [3, 3]


def chosen_codecs(frozen: FrozenDataset) -> dict[str, int]:
    """How often each codec's copy was called the closer one."""
    rows = frozen.judgments.merge(frozen.triplets, on="triplet_id")
    return dict(Counter(row[f"{row['choice']}_codec"] for row in rows.to_dict("records")))


@pytest.mark.parametrize("polarity", ["closer", "differs"])
@pytest.mark.parametrize("file_format", ["bapps", "oabt"])
def test_votes_say_closer_whatever_was_asked(
    file_format: str, polarity: str, tmp_path: Path
) -> None:
    study = make_study(n_sources=2, polarity=polarity)
    judgments = make_judgments(make_session(study), 2)
    folder = exported(study, file_format, tmp_path / "out")
    imported = import_judgments(folder, file_format=file_format, name="back", licence="x")
    chosen = Counter(getattr(row.trial.triplet, row.choice).codec for row in judgments)
    other = Counter({"jpeg": chosen["webp"], "webp": chosen["jpeg"]})
    expected = chosen if polarity == "closer" else +other
    assert chosen_codecs(datasets.frozen(imported.dataset)) == dict(expected)


@pytest.mark.parametrize("file_format", ["bapps", "oabt", "aic3", "csv"])
def test_simulated_answers_stay_simulated_on_every_way(file_format: str, tmp_path: Path) -> None:
    study = answered(is_simulated=True)
    folder = exported(study, file_format, tmp_path / "out")
    assert "SIMULATED" in (folder / "datasheet.md").read_text()
    assert "SIMULATED" in (folder / "croissant.json").read_text()
    call_command("import_judgments", str(folder), "--name", "back", stdout=io.StringIO())
    if file_format in ("bapps", "oabt"):
        assert datasets.by_name_or_id("back").is_simulated
    else:
        assert Study.objects.get(slug="back").is_simulated


# AIC-3


@pytest.mark.parametrize("polarity", ["closer", "differs"])
def test_aic3_asks_which_differs_and_comes_back_with_the_same_votes(
    polarity: str, tmp_path: Path
) -> None:
    study = answered(polarity=polarity)
    folder = exported(study, "aic3", tmp_path / "out")
    back = import_study(folder, file_format="aic3", name="back").study
    assert back.polarity == "differs"
    assert votes_by_codec(back) == votes_by_codec(study)
    times = Judgment.objects.of_study(back).values_list("response_ms", flat=True)
    assert set(times) == {1500.0}


def test_aic3_holds_no_warm_up_and_no_repeat(tmp_path: Path) -> None:
    study = make_study(n_sources=3)
    asked = [row.trial for row in make_judgments(make_session(study), 3)]
    Trial.objects.filter(pk=asked[0].pk).update(is_warm_up=True)
    Trial.objects.filter(pk=asked[1].pk).update(is_repeat=True)
    folder = exported(study, "aic3", tmp_path / "out")
    with (folder / "responses.csv").open(newline="", encoding="utf-8-sig") as file:
        found = [row["question_id"] for row in csv.DictReader(file)]
    assert found == [str(asked[2].triplet_id)]
    assert "warm-ups and repeats are left out" in (folder / "datasheet.md").read_text()


def votes_by_codec(study: Study) -> Counter[tuple[str, float]]:
    """Choices that AIC-3 holds of main trials, by the codec that is closer by them and the rate."""
    rows = (
        Judgment.objects.of_study(study)
        .standing()
        .filter(trial__triplet__kind="main", trial__is_warm_up=False, trial__is_repeat=False)
    )
    found: Counter[tuple[str, float]] = Counter()
    other = {"first": "second", "second": "first"}
    for row in rows.exclude(choice="not_sure").select_related(
        "trial__triplet__first", "trial__triplet__second"
    ):
        closer = row.choice if study.polarity == "closer" else other[row.choice]
        found[getattr(row.trial.triplet, closer).codec, row.trial.triplet.target_bpp] += 1
    return found


def test_whole_numbers_of_aic3_are_milliseconds(tmp_path: Path) -> None:
    rows = [
        "assignment,worker,method,img_num,codec_left,codec_right,dlevel_left,dlevel_right,"
        "is_bias,is_trap,question_order,response,response_time",
        "a,7,PTC,1,3,2,4,4,0,0,1,left,2930",
        "a,7,PTC,1,2,2,4,4,1,0,2,not sure,1800",
        "a,7,PTC,1,0,2,0,9,0,1,3,right,2100",
    ]
    path = tmp_path / "published.csv"
    path.write_text("\n".join(rows) + "\n")
    imported = import_study(path, file_format="aic3")
    assert "milliseconds" in imported.notes[0]
    assert list(
        Judgment.objects.order_by("trial__position").values_list("response_ms", flat=True)
    ) == [2930.0, 1800.0, 2100.0]
    kinds = {row.kind: row for row in Triplet.objects.select_related("first", "second")}
    assert set(kinds) == {"main", "identical", "sentinel"}
    trap = kinds["sentinel"]
    # The heavily distorted one differs more from the original than the original itself.
    assert getattr(trap, trap.expected).codec == "codec 2"
    assert Run.objects.count() == 0
