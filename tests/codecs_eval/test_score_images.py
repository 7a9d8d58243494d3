"""`manage.py score_images`: files in, numbers out, each file accounted for."""

import csv
import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from codecs_eval.image_pairs import Pair, pairs_from_csv, pairs_of
from codecs_eval.image_scoring import as_csv, as_json, score_pairs
from codecs_eval.metrics.psnr import psnr_rgb
from codecs_eval.metrics.table import METRICS
from codecs_eval.named_metrics import named_metric
from tests.codecs_eval.metrics.pictures import make_damaged, make_picture

pytestmark = pytest.mark.django_db


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two references and, in a folder a setting, their reconstructions."""
    references, distorted = tmp_path / "ref", tmp_path / "dist"
    references.mkdir()
    for seed, name in enumerate(("lake", "wood")):
        picture = make_picture(64, 80, seed)
        Image.fromarray(picture).save(references / f"{name}.png")
        for strength in (5, 20):
            folder = distorted / f"s{strength}"
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(make_damaged(picture, strength)).save(
                folder / f"{name}.webp", lossless=True
            )
    return references, distorted


def test_two_folders_are_matched_by_name_and_scored(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    references, distorted = folders
    target = tmp_path / "scores.json"
    call_command(
        "score_images", references, distorted, "--metric", "psnr,ssim", "--json", str(target)
    )
    written = json.loads(target.read_text())
    assert [metric["name"] for metric in written["metrics"]] == ["psnr", "ssim"]
    assert written["metrics"][0]["definition"] == METRICS["psnr"].definition
    found = {row["distorted"]: row["values"]["psnr"] for row in written["scores"]}
    assert len(found) == 4
    for seed, name in enumerate(("lake", "wood")):
        picture = make_picture(64, 80, seed)
        for strength in (5, 20):
            [expected] = psnr_rgb(Path).scores(picture, [make_damaged(picture, strength)])
            assert found[str(distorted / f"s{strength}" / f"{name}.webp")] == expected


def test_a_reference_without_a_reconstruction_is_named(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    references, distorted = folders
    Image.fromarray(make_picture(64, 80, 9)).save(references / "forgotten.png")
    target = tmp_path / "scores.json"
    call_command("score_images", references, distorted, "--metric", "psnr", "--json", str(target))
    written = json.loads(target.read_text())
    assert written["unused_references"] == [str(references / "forgotten.png")]
    assert len(written["scores"]) == 4 and written["is_simulated"] is False
    assert "No reconstruction of 1 references" in capsys.readouterr().err
    assert written["metrics"][0]["range"] == [0.0, 100.0]


def test_progress_ends_at_the_end(folders: tuple[Path, Path]) -> None:
    pairs = pairs_of(*folders)
    told: list[tuple[int, int]] = []
    score_pairs(pairs, [named_metric("psnr")], lambda done, total, _: told.append((done, total)))
    assert told[-1] == (4, 4)


def test_scores_by_a_metric_that_learned_from_no_person_say_so(folders: tuple[Path, Path]) -> None:
    pairs = pairs_of(*folders)
    metrics = [named_metric("psnr"), replace(named_metric("ssim"), is_simulated=True)]
    scored = score_pairs(pairs, metrics)
    rows = list(csv.DictReader(as_csv(scored, metrics).splitlines()))
    assert {row["is_simulated"] for row in rows} == {"True"}
    found = as_json(scored, metrics)
    assert found["is_simulated"] is True
    assert [metric["is_simulated"] for metric in found["metrics"]] == [False, True]


def test_csv_goes_to_standard_output_and_names_what_cannot_be_scored(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    references, distorted = folders
    pixels = make_picture(64, 80)
    small, alpha, deep = (distorted / "s5" / f"{name}.png" for name in ("a", "b", "c"))
    Image.fromarray(pixels[:, :79]).save(small)
    Image.fromarray(np.dstack([pixels, pixels[..., 0]])).save(alpha)
    Image.fromarray(np.arange(64 * 80, dtype=np.uint16).reshape(64, 80)).save(deep)
    with pytest.raises(CommandError, match=r"5 of 5 pairs lack a score"):
        call_command("score_images", references / "lake.png", distorted / "s5", "--csv", "-")
    said = capsys.readouterr()
    rows = {Path(row["distorted"]).name: row for row in csv.DictReader(said.out.splitlines())}
    assert float(rows["lake.webp"]["psnr"]) > 30.0
    # Images of 64 px are too small for MS-SSIM alone.
    assert rows["lake.webp"]["ms-ssim"] == ""
    assert "at least 161 px" in rows["lake.webp"]["errors"]
    assert "found 79x64 px; expected 80x64 px" in rows["a.png"]["errors"]
    assert "alpha" in rows["b.png"]["errors"] or "transparen" in rows["b.png"]["errors"]
    assert "16 bits" in rows["c.png"]["errors"]
    assert {rows[name]["psnr"] for name in ("a.png", "b.png", "c.png")} == {""}
    assert said.err.count("expected") >= 4


def test_a_pairs_file_is_read_from_its_own_folder(
    folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    references, _ = folders
    table = references.parent / "pairs.csv"
    table.write_text("distorted,reference\ndist/s5/wood.webp,ref/lake.png\n")
    assert pairs_from_csv(table) == [
        Pair(references / "lake.png", references.parent / "dist/s5/wood.webp")
    ]
    call_command("score_images", "--pairs", str(table), "--metric", "psnr", "psnr-y")
    said = capsys.readouterr().out
    assert "psnr-y" in said.splitlines()[0]
    assert said.count("higher is better") == 2


def test_pairs_that_are_not_clear_are_refused(folders: tuple[Path, Path], tmp_path: Path) -> None:
    references, distorted = folders
    (distorted / "s5" / "sea.png").write_bytes((references / "lake.png").read_bytes())
    with pytest.raises(ValueError, match=r"1 images without a reference .*: s5/sea.png; expected"):
        pairs_of(references, distorted)
    (distorted / "s5" / "sea.png").unlink()
    (references / "more").mkdir()
    (references / "more" / "lake.png").write_bytes((references / "lake.png").read_bytes())
    with pytest.raises(ValueError, match=r"found 2 references, .*; expected one of that name"):
        pairs_of(references, distorted)
    with pytest.raises(ValueError, match=r"found no .*nowhere; expected"):
        pairs_of(references, tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"found no image in .*; expected PNG, JPEG"):
        pairs_of(references / "lake.png", tmp_path / "empty")
    table = tmp_path / "pairs.csv"
    table.write_text("reference,other\na.png,b.png\n")
    with pytest.raises(ValueError, match=r"columns .*; expected reference, distorted"):
        pairs_from_csv(table)
    table.write_text("reference,distorted\na.png,\n")
    with pytest.raises(ValueError, match=r"line 2: found an empty cell"):
        pairs_from_csv(table)


def test_wrong_command_lines_are_told(folders: tuple[Path, Path]) -> None:
    references, distorted = folders
    with pytest.raises(CommandError, match=r"Expected a reference and an image or folder"):
        call_command("score_images", references)
    with pytest.raises(CommandError, match=r"--json - and --csv -"):
        call_command("score_images", references, distorted, "--json", "-", "--csv", "-")
    with pytest.raises(CommandError, match=r"unknown metric 'blur'"):
        call_command("score_images", references, distorted, "--metric", "blur")


def test_batches_give_what_one_by_one_gives(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    references, distorted = folders
    written = []
    for limit in (1 << 26, 1):
        monkeypatch.setattr("codecs_eval.image_scoring._BATCH_BYTES", limit)
        call_command(
            "score_images",
            references,
            distorted,
            "--csv",
            str(tmp_path / "x.csv"),
            "--metric",
            "psnr",
        )
        written.append((tmp_path / "x.csv").read_text())
    assert written[0] == written[1]


def test_a_program_that_fails_costs_its_own_scores_alone(
    folders: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "", "no such filter: libvmaf")

    monkeypatch.setattr(subprocess, "run", run)
    references, distorted = folders
    target = tmp_path / "scores.json"
    with pytest.raises(CommandError, match="4 of 4 pairs lack a score"):
        call_command(
            "score_images", references, distorted, "--metric", "vmaf,psnr", "--json", str(target)
        )
    for row in json.loads(target.read_text())["scores"]:
        assert row["values"]["vmaf"] is None and row["values"]["psnr"] > 10.0
        assert "no such filter: libvmaf" in row["errors"][0]
    assert "no such filter" in capsys.readouterr().err
