"""Scores from a CSV file: both layouts, and what is refused."""

import json

import pandas as pd
import pytest

from codecs_eval.agreement.outside_scores import (
    OutsideMetric,
    parse_outside,
    read_outside_scores,
)


@pytest.fixture
def triplets() -> pd.DataFrame:
    rows = []
    for triplet, source, first, second in (
        ("t1", "lake", "q10", "q50"),
        ("t2", "lake", "q10", "q90"),
        ("t3", "wood", "q10", "q50"),
    ):
        rows.append(
            {
                "triplet_id": triplet,
                "source": source,
                "source_image": f"sha-{source}",
                "first_image": f"sha-{source}-{first}",
                "second_image": f"sha-{source}-{second}",
                "first_settings": json.dumps({"setting": first}),
                "second_settings": json.dumps({"setting": second, "effort": 3}),
            }
        )
    return pd.DataFrame(rows)


def csv_of(*lines: str) -> bytes:
    return "\n".join(lines).encode()


def test_values_by_triplet_stay_as_they_are(triplets: pd.DataFrame) -> None:
    data = csv_of("triplet_id,d_second,d_first", "t3,6,5", "t1,2,1", "other,9,9", "t2,4.5,3e-2")
    found = read_outside_scores(b"\xef\xbb\xbf" + data, triplets)
    assert found.to_dict("list") == {
        "triplet_id": ["t1", "t2", "t3"],
        "d_first": [1.0, 0.03, 5.0],
        "d_second": [2.0, 4.5, 6.0],
    }


def test_values_by_image_are_found_by_sha_path_or_setting(triplets: pd.DataFrame) -> None:
    data = csv_of(
        "source,reconstruction,value,remark",
        "lake,q10,1,by setting",
        "sha-lake,images/sha-lake-q50.png,2,by path",
        "lake,sha-lake-q90,3,by sha",
        "wood,q10,4,",
        "images/sha-wood.png,q50,5,",
        "sea,q10,6,not in the dataset",
    )
    found = read_outside_scores(data, triplets)
    assert found["d_first"].tolist() == [1.0, 1.0, 4.0]
    assert found["d_second"].tolist() == [2.0, 3.0, 5.0]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("a,b", "1,2"), r"found the columns a, b; expected triplet_id, d_first, d_second or"),
        (("triplet_id,d_first,d_second", "t1,1,2"), r"no score for 2 of 3 triplets, .* t2, t3"),
        (("triplet_id,d_first,d_second", "t1,1,2", "t1,1,2"), r"line 3: found triplet 't1' again"),
        (("triplet_id,d_first,d_second", "t1,1,"), r"line 2: found d_second ''; expected a fin"),
        (("triplet_id,d_first,d_second", "t1,nan,2"), r"found d_first 'nan'; expected a finite"),
        (("triplet_id,d_first,d_second", "t1,1,inf"), r"found d_second 'inf'; expected a finite"),
        (("source,reconstruction,value", "lake,q10,1", "lake,q10,1"), r"found \('lake', 'q10'\)"),
        (("source,reconstruction,value", "lake,q10,1"), r"no score for 3 of 3 triplets with both"),
        (
            ("source,reconstruction,value", "lake,q10,1", "lake,sha-lake-q10,2"),
            r"2 values for the first image of triplet t1, under several names",
        ),
    ],
)
def test_what_cannot_be_a_metric_is_refused(
    lines: tuple[str, ...], message: str, triplets: pd.DataFrame
) -> None:
    with pytest.raises(ValueError, match=message):
        read_outside_scores(csv_of(*lines), triplets)


def test_bytes_that_are_no_text_are_refused(triplets: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match=r"no UTF-8 CSV"):
        read_outside_scores(b"\xff\xfe\x00", triplets)


def test_a_file_a_name_and_a_direction_make_a_metric() -> None:
    assert parse_outside("C:/data/x.csv:VMAF neg:higher") == OutsideMetric(
        "C:/data/x.csv", "VMAF neg", True
    )
    assert not parse_outside("x.csv:mine:lower").higher_is_better
    for text in ("x.csv", "x.csv:mine", "x.csv:mine:up", ":mine:lower", "x.csv: :lower"):
        with pytest.raises(ValueError, match=r"expected FILE:NAME:higher or FILE:NAME:lower"):
            parse_outside(text)
