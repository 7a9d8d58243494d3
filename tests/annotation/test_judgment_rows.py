"""One row of judgments: what cannot be read of it is refused, saying what was found."""

from datetime import UTC, datetime

import pytest

from annotation.judgment_rows import parsed

ROW = {"session_id": "s", "triplet_id": "t", "choice": "first"}


def test_times_are_kept_in_utc() -> None:
    row = parsed(1, {**ROW, "server_time": "2026-01-01T10:00:00+10:00"})
    assert row.server_time == datetime(2026, 1, 1, tzinfo=UTC)
    assert row.server_time.tzinfo is UTC


@pytest.mark.parametrize("found", ["0001-01-01T00:00:00+10:00", "9999-12-31T23:00:00-10:00"])
@pytest.mark.parametrize("column", ["server_time", "client_time", "session_started"])
def test_a_time_that_utc_has_not_is_refused(column: str, found: str) -> None:
    with pytest.raises(ValueError, match=f"found {column} .* expected a time within our era"):
        parsed(1, {**ROW, column: found})


@pytest.mark.parametrize("found", ["{", "[" * 1990])
def test_settings_that_are_no_json_are_refused(found: str) -> None:
    with pytest.raises(ValueError, match="found first_settings .* expected JSON"):
        parsed(1, {**ROW, "first_settings": found})
