"""The table of codecs, and what is said about a codec that cannot be had."""

import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from codecs_eval.codecs.table import CODECS, load_codec, probe_all
from codecs_eval.codecs.timing import timed_encode

Image = NDArray[np.uint8]


def test_rows_and_objects_bear_the_same_name() -> None:
    for name, entry in CODECS.items():
        assert entry.name == name == load_codec(name).name


def test_rows_can_be_told_apart_in_a_plot() -> None:
    for values in zip(*((entry.label, entry.colour, entry.marker) for entry in CODECS.values()),
                      strict=True):  # fmt: skip
        assert len(set(values)) == len(CODECS)


def test_an_unknown_codec_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown codec 'jpg'; expected one of jpeg, webp"):
        load_codec("jpg")


def test_every_probe_gives_a_version_or_a_reason() -> None:
    probes = {probe.name: probe for probe in probe_all()}
    assert list(probes) == list(CODECS)
    for probe in probes.values():
        assert probe.label == CODECS[probe.name].label
        assert bool(probe.version) == probe.is_available
        assert bool(probe.reason) != probe.is_available
    for name in ("jpeg", "webp", "jpeg2000", "avif", "jpegxl", "hevc", "vvc"):
        assert probes[name].is_available, probes[name].reason
    assert "libx265 4." in probes["hevc"].version
    assert "unknown" not in probes["vvc"].version


def test_bpg_without_its_programs_says_so(monkeypatch: pytest.MonkeyPatch, cat: Image) -> None:
    monkeypatch.setenv("PATH", "")
    probe = load_codec("bpg").probe()
    assert not probe.is_available
    assert "not on PATH" in probe.reason
    with pytest.raises(RuntimeError, match="bpgenc is not on PATH"):
        load_codec("bpg").encode(cat, {})


def make_program(path: Path, text: str) -> None:
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_bpg_calls_the_programs_that_it_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cat: Image
) -> None:
    copying = (
        "import shutil, sys\n"
        "if '-h' in sys.argv: print('BPG Image Encoder version 0.9.8'); sys.exit(1)\n"
        "shutil.copy(sys.argv[-1], sys.argv[sys.argv.index('-o') + 1])\n"
    )
    make_program(tmp_path / "bpgenc", copying)
    make_program(tmp_path / "bpgdec", copying)
    monkeypatch.setenv("PATH", str(tmp_path))
    bpg = load_codec("bpg")
    assert bpg.probe().version == "BPG Image Encoder version 0.9.8"
    encoded = timed_encode(bpg, cat, {"quantiser": 20})
    assert np.array_equal(bpg.decode(encoded.data), cat)
    make_program(tmp_path / "bpgenc", "import sys\nsys.exit('no such quantiser')\n")
    with pytest.raises(RuntimeError, match="bpgenc failed with code 1: no such quantiser"):
        bpg.encode(cat, {})


def test_the_codecs_bring_neither_torch_nor_django() -> None:
    program = (
        "import sys; from codecs_eval.codecs.table import CODECS, load_codec; "
        "import codecs_eval.codecs.search; [load_codec(name) for name in CODECS]; "
        "sys.exit(', '.join({'torch', 'django', 'celery'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert answer.returncode == 0 or answer.stderr.strip() == "", answer.stderr
    assert answer.stderr.strip() == ""
