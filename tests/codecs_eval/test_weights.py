"""Pretrained weights: the right file or a clear error, and pickles that can do nothing."""

import dataclasses
import hashlib
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from codecs_eval import weights
from codecs_eval.weights import WeightEntry, WeightFile, WeightsUnavailable
from tests.codecs_eval.metrics.pretrained import weight_source

CONTENT = b"pretend weights"


@pytest.fixture
def weight_file() -> Callable[[str], Path]:
    return weight_source()


@pytest.fixture
def small_entry(monkeypatch: pytest.MonkeyPatch) -> WeightEntry:
    """A table of one tiny file whose only source is an address that refuses."""
    file = WeightFile(
        name="tiny.ckpt",
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        size_bytes=len(CONTENT),
        url="http://127.0.0.1:9/tiny.ckpt",
    )
    entry = WeightEntry("tiny", "Tiny", "CC0", (file,), ())
    monkeypatch.setattr(weights, "WEIGHTS", {"tiny": entry})
    return entry


def test_a_local_folder_comes_before_the_cache(small_entry: WeightEntry, tmp_path: Path) -> None:
    cache, local = tmp_path / "cache", tmp_path / "local"
    for folder in (cache, local):
        folder.mkdir()
        (folder / "tiny.ckpt").write_bytes(CONTENT)
    assert weights.obtain("tiny", cache, local) == local / "tiny.ckpt"
    assert weights.obtain("tiny", cache) == cache / "tiny.ckpt"


def test_a_wrong_checksum_names_both_sums(small_entry: WeightEntry, tmp_path: Path) -> None:
    (tmp_path / "tiny.ckpt").write_bytes(b"something else")
    found = hashlib.sha256(b"something else").hexdigest()
    with pytest.raises(ValueError, match=f"{found}, expected {small_entry.files[0].sha256}"):
        weights.obtain("tiny", tmp_path)


def test_offline_the_error_says_what_to_put_where(small_entry: WeightEntry, tmp_path: Path) -> None:
    with pytest.raises(WeightsUnavailable, match=r"put tiny\.ckpt .* into .* TRIAD_WEIGHTS"):
        weights.obtain("tiny", tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_download_is_verified_stored_and_told(
    small_entry: WeightEntry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = tmp_path / "served.ckpt"
    served.write_bytes(CONTENT)
    file = dataclasses.replace(small_entry.files[0], url=served.as_uri())
    entry = dataclasses.replace(small_entry, files=(file,))
    monkeypatch.setattr(weights, "WEIGHTS", {"tiny": entry})
    told: list[tuple[str, int, int]] = []
    cache = tmp_path / "cache"
    path = weights.obtain("tiny", cache, on_progress=lambda *step: told.append(step))
    assert path.read_bytes() == CONTENT
    assert told[-1][1:] == (len(CONTENT), len(CONTENT))
    served.write_bytes(b"tampered")
    path.unlink()
    with pytest.raises(ValueError, match=r"SHA-256"):
        weights.obtain("tiny", cache)
    assert list(cache.iterdir()) == []


def test_status_tells_missing_cached_and_wrong(small_entry: WeightEntry, tmp_path: Path) -> None:
    assert [s.state for s in weights.status(tmp_path)] == ["missing"]
    (tmp_path / "tiny.ckpt").write_bytes(CONTENT)
    assert [s.state for s in weights.status(tmp_path)] == ["cached"]
    (tmp_path / "tiny.ckpt").write_bytes(b"x")
    [wrong] = weights.status(tmp_path)
    assert wrong.state == "wrong"
    assert "expected" in wrong.reason


def test_an_unknown_name_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    known = "alexnet, vgg16, squeezenet1_1"
    with pytest.raises(ValueError, match=f"'resnet'; expected one of {known}"):
        weights.obtain("resnet", tmp_path)


def test_a_file_that_nowhere_offers_is_told_and_not_asked_for(tmp_path: Path) -> None:
    entry = weights.weight_entry("deeplabv3-mnv2")
    assert entry.is_only_local and not weights.weight_entry("yolox-nano").is_only_local
    with pytest.raises(WeightsUnavailable, match=r"nowhere to be fetched: put deeplabv3\S+tflite"):
        weights.obtain("deeplabv3-mnv2", tmp_path)
    (tmp_path / entry.files[0].name).write_bytes(b"another file")
    with pytest.raises(ValueError, match="expected 8f7db75e"):
        weights.obtain("deeplabv3-mnv2", tmp_path)


class Harmful:
    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("echo harmed > harmed.txt",)


def test_the_unpickler_refuses_every_other_global(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "alexnet.ckpt"
    path.write_bytes(pickle.dumps({"AlexNet_0": Harmful()}))
    real = weights.WEIGHTS["alexnet"]
    file = dataclasses.replace(real.files[0], sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    entry = dataclasses.replace(real, files=(file,))
    monkeypatch.setattr(weights, "WEIGHTS", {"alexnet": entry})
    with pytest.raises(pickle.UnpicklingError, match=r"refused global \w+\.system"):
        weights.load_backbone_state("alexnet", path)
    assert not (tmp_path / "harmed.txt").exists()


def test_the_real_file_gives_torchvision_s_layout(weight_file: Callable[[str], Path]) -> None:
    state = weights.load_backbone_state("alexnet", weight_file("alexnet"))
    assert {key: tuple(tensor.shape) for key, tensor in state.items()} == {
        "0.weight": (64, 3, 11, 11),
        "0.bias": (64,),
        "3.weight": (192, 64, 5, 5),
        "3.bias": (192,),
        "6.weight": (384, 192, 3, 3),
        "6.bias": (384,),
        "8.weight": (256, 384, 3, 3),
        "8.bias": (256,),
        "10.weight": (256, 256, 3, 3),
        "10.bias": (256,),
    }


def test_two_processes_at_once_both_get_the_file(tmp_path: Path) -> None:
    served = tmp_path / "served.ckpt"
    served.write_bytes(CONTENT * 200_000)
    sha = hashlib.sha256(served.read_bytes()).hexdigest()
    code = f"""
from pathlib import Path
from codecs_eval import weights
from codecs_eval.weights import WeightEntry, WeightFile
file = WeightFile("tiny.ckpt", {sha!r}, 1, url={served.as_uri()!r})
weights.WEIGHTS["tiny"] = WeightEntry("tiny", "Tiny", "CC0", (file,), ())
weights.obtain("tiny", Path({str(tmp_path / "cache")!r}))
"""
    both = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    assert [process.wait(timeout=60) for process in both] == [0, 0]
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["tiny.ckpt"]


@pytest.mark.usefixtures("db", "small_entry")
def test_by_command_one_that_is_out_of_reach_costs_none_of_the_others(
    triad_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    near = dataclasses.replace(weights.WEIGHTS["tiny"], name="near")
    near = dataclasses.replace(near, files=(dataclasses.replace(near.files[0], name="near.ckpt"),))
    monkeypatch.setattr(weights, "WEIGHTS", {**weights.WEIGHTS, "near": near})
    (triad_home / "weights").mkdir()
    (triad_home / "weights" / "near.ckpt").write_bytes(CONTENT)
    told = StringIO()
    with pytest.raises(CommandError, match="weights tiny are missing"):
        call_command("weights", stdout=told)
    words = [line.split()[:2] for line in told.getvalue().splitlines()]
    assert words == [["tiny", "missing"], ["near", "cached"]]
