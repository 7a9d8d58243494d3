from pathlib import Path
from typing import Any

import pytest

from codecs_eval.checks import check_settings


def test_the_settings_of_the_suite_are_right() -> None:
    assert check_settings() == []


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TRIAD_HOME", Path("/nowhere/at/all"), "triad.E001"),
        ("TRIAD_WEIGHTS", "/nowhere/at/all", "triad.E002"),
        ("RUN_LEASE_S", 1, "triad.E003"),
    ],
)
def test_a_wrong_setting_is_told_with_its_id(
    settings: Any, name: str, value: Any, said: str
) -> None:
    setattr(settings, name, value)
    assert [message.id for message in check_settings()] == [said]
