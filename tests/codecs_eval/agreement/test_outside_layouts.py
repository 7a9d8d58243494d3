"""BAPPS and O,A,B,T of others: read whole, refused row by row, never guessed."""

import csv
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from codecs_eval.agreement.bapps import read_bapps
from codecs_eval.agreement.clic import read_oabt
from codecs_eval.agreement.pixels import encode_png
from codecs_eval.agreement.votes import counted_of_share


def picture(path: Path, seed: int, size: int = 16) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size, size, 3)).astype(np.uint8)
    path.write_bytes(encode_png(pixels))


def bapps(folder: Path, shares: dict[str, float]) -> Path:
    for at, (name, share) in enumerate(shares.items()):
        # Two names of one reference: one source.
        picture(folder / "ref" / f"{name}.png", 0)
        picture(folder / "p0" / f"{name}.png", 10 + at)
        picture(folder / "p1" / f"{name}.png", 50 + at)
        (folder / "judge").mkdir(exist_ok=True)
        np.save(folder / "judge" / f"{name}.npy", np.array([share], np.float32))
    return folder


def test_shares_become_as_many_votes_as_there_were_raters(tmp_path: Path) -> None:
    read = read_bapps(bapps(tmp_path, {"a": 0.4, "b": 1.0}), n_raters=5)
    assert read.report.refused == []
    counts = read.judgments.groupby("triplet_id")["choice"].value_counts().to_dict()
    assert counts == {
        ("bapps-a", "first"): 3, ("bapps-a", "second"): 2, ("bapps-b", "second"): 5,
    }  # fmt: skip
    assert read.triplets["source"].nunique() == 1
    assert set(read.triplets["first_codec"]) == {"p0"}
    assert not read.is_simulated


def test_half_a_vote_is_one_not_sure() -> None:
    counted = counted_of_share(0.5, 3)
    assert (counted.n_first, counted.n_second, counted.n_not_sure) == (1, 1, 1)


@pytest.mark.parametrize("n_raters", [1, 2, 5, 7, 40])
def test_every_share_that_votes_can_have_comes_back(n_raters: int) -> None:
    for halves in range(2 * n_raters + 1):
        share = float(np.float32(halves / (2 * n_raters)))
        counted = counted_of_share(share, n_raters)
        assert counted.n_second + counted.n_not_sure / 2 == halves / 2
        assert len(counted.choices) == n_raters


def test_how_many_people_there_were_is_never_guessed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="number of raters"):
        read_bapps(bapps(tmp_path, {"a": 0.4}))


def test_each_bad_triplet_is_named_and_the_others_go_in(tmp_path: Path) -> None:
    folder = bapps(tmp_path, dict.fromkeys("abcdefg", 0.5))
    (folder / "p1" / "b.png").unlink()
    np.save(folder / "judge" / "c.npy", np.array([1.5]))
    np.save(folder / "judge" / "d.npy", np.array([0.5, 0.5]))
    np.save(folder / "judge" / "e.npy", np.array([0.37], np.float32))
    picture(folder / "p0" / "f.png", 3, size=8)
    (folder / "judge" / "g.npy").write_bytes(b"\x93NUMPY")
    read = read_bapps(folder, n_raters=2)
    reasons = dict(read.report.refused)
    assert read.report.accepted == 2
    assert sorted(reasons) == [2, 3, 4, 5, 6, 7]
    for line, said in (
        (2, "no file p1/b"), (3, "from 0 to 1"), (4, "holds 2 numbers"), (5, "whole number"),
        (6, "8x8"), (7, "no .npy"),
    ):  # fmt: skip
        assert said in reasons[line]


def test_a_pickle_in_judge_is_never_loaded(tmp_path: Path) -> None:
    folder = bapps(tmp_path, {"a": 0.5})
    np.save(folder / "judge" / "a.npy", np.array([{"x": 1}], dtype=object), allow_pickle=True)
    read = read_bapps(folder, n_raters=2)
    assert "no .npy of a number" in read.report.refused[0][1]


def npy(shape: str) -> bytes:
    """A header of 8-byte numbers, and one of them."""
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    size = len(header).to_bytes(2, "little")
    return b"\x93NUMPY\x01\x00" + size + header + np.array(0.5).tobytes()


def npz() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("a.npy", npy("(1,)"))
    return made.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        npy("(1000000000000,)"), npy(f"({10**35},)"), npy("(" * 5000 + "1,)"), npz(),
        npy("(1,)") + bytes(10_000),
    ],
    ids=["a million millions", "more than can be", "nested", "a zip", "too large"],
)  # fmt: skip
def test_what_a_file_in_judge_claims_is_not_believed(tmp_path: Path, data: bytes) -> None:
    folder = bapps(tmp_path, {"a": 0.5, "b": 0.5, "c": 0.5})
    (folder / "judge" / "a.npy").write_bytes(data)
    (folder / "judge" / "b.npy").write_bytes(npy("(1,)"))
    read = read_bapps(folder, n_raters=2)
    assert read.report.refused == [(1, "a: judge/a is no .npy of a number")]
    assert read.report.accepted == 4


def oabt(folder: Path, *rows: list[str]) -> Path:
    for at, name in enumerate(("o.png", "a.png", "b.png", "copies/jpeg/c.png")):
        picture(folder / name, at)
    with (folder / "oracle.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return folder


def test_a_and_b_turned_round_are_one_comparison(tmp_path: Path) -> None:
    rows = (
        ["o.png", "a.png", "b.png", "0"], ["o.png", "b.png", "a.png", "1"],
        ["o.png", "b.png", "a.png", "0"],
    )  # fmt: skip
    read = read_oabt(oabt(tmp_path, *rows))
    assert len(read.triplets) == 1
    assert list(read.judgments["choice"]) == ["first", "first", "second"]


def test_a_header_is_none_of_the_rows_and_a_folder_tells_the_codec(tmp_path: Path) -> None:
    read = read_oabt(
        oabt(tmp_path, ["O", "A", "B", "T"], ["o.png", "a.png", "copies/jpeg/c.png", "1"])
    )
    row = read.triplets.iloc[0]
    assert (row["first_codec"], row["second_codec"]) == ("unknown", "jpeg")
    assert read.report.accepted == 1


def test_crops_of_one_photo_are_one_source_and_files_beside_each_other_are_not(
    tmp_path: Path,
) -> None:
    originals = (
        "originals/sea-1/0-0-16x16.png", "originals/sea-1/8-0-16x16.png",
        "originals/cat.png", "photos/cat.png", "photos/dog.png",
    )  # fmt: skip
    for at, name in enumerate(originals):
        picture(tmp_path / name, 20 + at)
    read = read_oabt(oabt(tmp_path, *([name, "a.png", "b.png", "0"] for name in originals)))
    assert read.report.refused == []
    assert list(read.triplets["source"]) == [
        "originals/sea-1", "originals/sea-1", "originals/cat", "photos/cat", "photos/dog",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (["o.png", "a.png", "b.png"], "3 cells"),
        (["o.png", "a.png", "b.png", "0.5"], "expected 0 or 1"),
        (["o.png", "a.png", "a.png", "0"], "same file"),
        (["o.png", "a.png", "nowhere.png", "0"], "no file nowhere.png"),
        (["o.png", "a.png", "../../etc/passwd", "0"], "inside the folder"),
        (["o.png", "a.png", "/etc/passwd", "0"], "inside the folder"),
        (["o.png", "a.png", "oracle.csv", "0"], "extension"),
    ],
)
def test_each_bad_row_is_named(tmp_path: Path, row: list[str], said: str) -> None:
    read = read_oabt(oabt(tmp_path, ["o.png", "a.png", "b.png", "0"], row))
    assert read.report.accepted == 1
    ((line, reason),) = read.report.refused
    assert line == 2
    assert said in reason


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    picture(tmp_path / "secret.png", 1)
    folder = oabt(tmp_path / "in", ["o.png", "a.png", "link.png", "0"])
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    assert "leads out" in read_oabt(folder).report.refused[0][1]
