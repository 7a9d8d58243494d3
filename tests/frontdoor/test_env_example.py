import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READ = re.compile(r"""(?:environ(?:\.get)?|_flag|_number|_words)\s*[(\[]\s*"([A-Z_]+)\"""")
NAMED = re.compile(r"^#? ?([A-Z_]+)=", re.MULTILINE)


def test_the_example_names_exactly_the_variables_that_the_settings_read() -> None:
    read = set(READ.findall((ROOT / "config" / "settings.py").read_text()))
    named = NAMED.findall((ROOT / ".env.example").read_text())
    assert {"TRIAD_HOME", "DATABASE_URL", "BROKER_URL", "DEBUG"} <= read
    assert sorted(named) == sorted(read)


def test_the_example_sets_nothing_by_itself() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == []
