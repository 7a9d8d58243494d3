"""Fixtures of this room's tests."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.codecs_eval.metrics.pretrained import weight_source


@pytest.fixture(scope="session")
def weight_file() -> Callable[[str], Path]:
    return weight_source()
