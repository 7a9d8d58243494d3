import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from codecs_eval.agreement.dataset import read_dataset, write_dataset
from codecs_eval.agreement.pairs import codec_of, read_pairs

HEADER = "original,first,second,closer"
SETTINGS = ("jpegli-q70-yuv420", "mozjpeg-q75", "plain")


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name in ("lake", "v1.2"):
        picture = Image.fromarray(rng.integers(0, 256, (16, 24, 3), dtype=np.uint8))
        (tmp_path / "originals").mkdir(exist_ok=True)
        picture.save(tmp_path / "originals" / f"{name}.png")
        for number, setting in enumerate(SETTINGS):
            (tmp_path / "stimuli" / setting).mkdir(parents=True, exist_ok=True)
            extension = "png" if setting == "plain" else "jpg"
            quality = 30 + 20 * number  # which PNG ignores
            path = tmp_path / "stimuli" / setting / f"{name}.{extension}"
            picture.save(path, quality=quality)
    return tmp_path


def _answers(layout: Path, *lines: str, header: str = HEADER) -> Path:
    (layout / "answers.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return layout


def test_rows_on_the_same_two_settings_are_one_triplet(layout: Path) -> None:
    found = read_pairs(
        _answers(
            layout,
            "lake,mozjpeg-q75,jpegli-q70-yuv420,first",
            "lake,jpegli-q70-yuv420,mozjpeg-q75,first",
            "v1.2,jpegli-q70-yuv420,mozjpeg-q75,second",
        )
    )
    assert found.report.accepted == 3
    assert found.report.refused == []
    assert len(found.triplets) == 2
    lake = found.triplets.iloc[0]
    assert (lake["first_codec"], lake["second_codec"]) == ("jpegli", "mozjpeg")
    assert json.loads(lake["first_settings"]) == {"setting": "jpegli-q70-yuv420"}
    # The first row chose mozjpeg, which sorts second; the second row chose jpegli.
    assert list(found.judgments["choice"]) == ["second", "first", "second"]


def test_a_look_reads_the_first_rows_alone(layout: Path) -> None:
    rows = ("lake,mozjpeg-q75,plain,first", "v1.2,mozjpeg-q75,plain,first", "no,such,row,first")
    found = read_pairs(_answers(layout, *rows), most=1)
    assert list(found.triplets["source"]) == ["lake"]
    assert (found.report.accepted, found.report.refused) == (1, [])


def test_rates_are_those_of_the_files_and_unknown_for_lossless_containers(layout: Path) -> None:
    found = read_pairs(_answers(layout, "lake,mozjpeg-q75,plain,first"))
    size = (layout / "stimuli" / "mozjpeg-q75" / "lake.jpg").stat().st_size
    row = found.triplets.iloc[0]
    assert row["first_bpp"] == pytest.approx(8 * size / (16 * 24))
    assert pd.isna(row["second_bpp"])


def test_observers_and_times_are_kept(layout: Path) -> None:
    header = HEADER + ",observer,response_ms"
    found = read_pairs(
        _answers(
            layout,
            "lake,mozjpeg-q75,plain,first,ada,1234.5",
            "lake,mozjpeg-q75,plain,second,,",
            header=header,
        )
    )
    assert found.judgments["observer"][0] == "ada"
    assert pd.isna(found.judgments["observer"][1])
    assert found.judgments["response_ms"][0] == 1234.5
    assert pd.isna(found.judgments["response_ms"][1])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("sea,mozjpeg-q75,plain,first", r"no file originals/sea\.\*"),
        ("lake,mozjpeg-q99,plain,first", r"no file stimuli/mozjpeg-q99/lake\.\*"),
        ("lake,mozjpeg-q75,plain,left", "closer 'left'"),
        ("lake,plain,plain,first", "same setting"),
        ("../lake,mozjpeg-q75,plain,first", "expected a plain name"),
        ("lake,..,plain,first", "expected a plain name"),
        (",mozjpeg-q75,plain,first", "expected a plain name"),
        ("lake,mozjpeg-q75,plain,first,extra", "more values than columns"),
        ("lake,mozjpeg-q75", "expected a plain name|closer ''"),
        ("lake,mozjpeg-q75,torn,first", "torn/lake.jpg: cannot be decoded"),
        ("lake,mozjpeg-q75,liar,first", "liar/lake.jpg: not a readable JPEG"),
        ("lake,mozjpeg-q75,small,first", "small/lake is 23x16, its original 24x16"),
        ("lake,mozjpeg-q75,twice,first", "several files"),
        ("lake,mozjpeg-q75,odd,first", "extension '.txt'"),
    ],
)
def test_a_refused_row_is_named_and_the_others_go_in(layout: Path, line: str, reason: str) -> None:
    good = layout / "stimuli" / "mozjpeg-q75" / "lake.jpg"
    for setting in ("torn", "liar", "small", "twice", "odd"):
        (layout / "stimuli" / setting).mkdir()
    (layout / "stimuli" / "torn" / "lake.jpg").write_bytes(good.read_bytes()[:-200])
    (layout / "stimuli" / "odd" / "lake.txt").write_text("text")
    with Image.open(good) as picture:
        picture.save(layout / "stimuli" / "liar" / "lake.jpg", "PNG")
        picture.crop((0, 0, 23, 16)).save(layout / "stimuli" / "small" / "lake.jpg")
        picture.save(layout / "stimuli" / "twice" / "lake.jpg")
        picture.save(layout / "stimuli" / "twice" / "lake.png")
    found = read_pairs(_answers(layout, "v1.2,mozjpeg-q75,plain,first", line))
    assert found.report.accepted == 1
    assert [number for number, _ in found.report.refused] == [3]
    assert pd.Series([found.report.refused[0][1]]).str.contains(reason).all()
    # Nothing of a refused row goes in, so that the rest can be frozen.
    assert len(found.triplets) == 1
    # The lossless stimulus is the original itself.
    assert len(found.images) == 2


@pytest.mark.parametrize("value", ["soon", "-5", "inf", "nan"])
def test_a_response_time_that_is_none_is_refused(layout: Path, value: str) -> None:
    line = f"lake,mozjpeg-q75,plain,first,{value}"
    found = read_pairs(_answers(layout, line, header=HEADER + ",response_ms"))
    assert found.report.accepted == 0
    assert "response_ms" in found.report.refused[0][1]


def test_a_table_without_its_columns_is_refused(layout: Path) -> None:
    with pytest.raises(ValueError, match=r"missing columns \['closer'\]"):
        read_pairs(_answers(layout, header="original,first,second"))
    with pytest.raises(ValueError, match=r"unknown columns \['side'\]"):
        read_pairs(_answers(layout, header=HEADER + ",side"))
    (layout / "answers.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="not a UTF-8 CSV"):
        read_pairs(layout)
    (layout / "answers.csv").unlink()
    with pytest.raises(ValueError, match=r"answers\.csv is missing"):
        read_pairs(layout)


def test_a_byte_order_mark_is_no_part_of_a_name(layout: Path) -> None:
    _answers(layout, "lake,mozjpeg-q75,plain,first", header="\ufeff" + HEADER)
    assert read_pairs(layout).report.accepted == 1


@pytest.mark.parametrize(
    ("setting", "codec"),
    [
        ("jpegli-q70-yuv420", "jpegli"),
        ("libjpeg-turbo-q95-yuv444", "libjpeg-turbo"),
        ("vvc", "vvc"),
        ("a-q1-q2", "a"),
        ("-q70", "-q70"),
    ],
)
def test_the_codec_stands_before_the_quality(setting: str, codec: str) -> None:
    assert codec_of(setting) == codec


@pytest.mark.slow
def test_the_real_choices_on_jpeg_photos_go_in_whole(
    shared_data: Callable[[str], Path], tmp_path: Path
) -> None:
    found = read_pairs(shared_data("human_jpeg_pairs"))
    assert found.report.accepted == 452
    assert found.report.refused == []
    write_dataset(
        tmp_path / "frozen",
        name="JPEG pairs",
        origin="import:pairs",
        question="Which one is closer to the original?",
        polarity="closer",
        is_simulated=False,
        licence="CC BY 4.0",
        attribution="",
        filters=[],
        triplets=found.triplets,
        judgments=found.judgments,
        images=found.images,
        seed=1,
    )
    counts = read_dataset(tmp_path / "frozen", verify=True).manifest.counts
    assert (counts.judgments, counts.sources, counts.triplets) == (452, 23, 440)
