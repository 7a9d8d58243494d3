"""How often one address may try: counted by hour, blind to who it was, and never in the way."""

from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache, caches
from django.test import RequestFactory

from annotation import limiting


@pytest.fixture(autouse=True)
def own_cache(settings: Any, tmp_path: Path) -> Path:
    """A cache of this test's own, as a laptop has it."""
    location = tmp_path / "cache"
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": location}}
    return location


def tries(n: int, most: int, address: str = "192.0.2.1", what: str = "begin 1") -> list[bool]:
    return [limiting.is_too_many(what, address, most) for _ in range(n)]


def test_the_laptops_cache_is_a_folder_of_its_home(settings: Any) -> None:
    assert "filebased" in settings.CACHES["default"]["BACKEND"]
    assert settings.BEGINS_PER_HOUR == 60


def test_as_many_as_allowed_and_no_more() -> None:
    assert tries(5, most=3) == [False, False, False, True, True]


def test_other_addresses_and_other_doors_are_counted_apart() -> None:
    tries(3, most=3)
    assert tries(1, most=3, address="192.0.2.2") == [False]
    assert tries(1, most=3, what="begin 2") == [False]
    assert tries(1, most=3) == [True]


def test_zero_is_no_limit_and_no_address_is_not_counted(own_cache: Path) -> None:
    assert not any(tries(9, most=0))
    assert not any(tries(9, most=1, address=""))
    assert not own_cache.exists()


def test_another_hour_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiting.time, "time", lambda: 3600.0)
    assert tries(2, most=1) == [False, True]
    monkeypatch.setattr(limiting.time, "time", lambda: 7200.0)
    assert tries(1, most=1) == [False]


def test_asking_whether_there_were_too_many_counts_nothing() -> None:
    asked = [limiting.was_too_many("invitation", "192.0.2.1", 2) for _ in range(5)]
    assert not any(asked)
    tries(2, most=2, what="invitation")
    assert limiting.was_too_many("invitation", "192.0.2.1", 2)


def test_no_address_is_written_anywhere(own_cache: Path) -> None:
    tries(2, most=3, address="203.0.113.77")
    files = list(own_cache.iterdir())
    assert files
    for file in files:
        assert "203.0.113.77" not in file.name
        assert b"203.0.113.77" not in file.read_bytes()


def test_a_key_cannot_be_found_by_trying_all_addresses(settings: Any) -> None:
    here = limiting._key("begin 1", "192.0.2.1")
    settings.SECRET_KEY = "another installation's"
    assert limiting._key("begin 1", "192.0.2.1") != here


def test_a_cache_folder_that_cannot_be_written_stops_nobody(
    own_cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own_cache.write_text("a file where the folder should be")
    assert not any(tries(9, most=1))
    assert not limiting.was_too_many("begin 1", "192.0.2.1", 1)
    assert "cache failed" in caplog.text


def test_a_damaged_cache_file_stops_nobody(own_cache: Path) -> None:
    tries(1, most=1)
    for file in own_cache.iterdir():
        file.write_bytes(file.read_bytes()[:20])
    assert tries(1, most=1) == [False]


def test_a_redis_that_is_down_stops_nobody(settings: Any, free_port: int) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": f"redis://127.0.0.1:{free_port}/1",
        }
    }
    assert type(caches["default"]).__name__ == "RedisCache"
    assert not any(tries(2, most=1))
    assert not limiting.was_too_many("begin 1", "192.0.2.1", 1)


def test_the_count_is_kept_for_the_whole_hour(own_cache: Path) -> None:
    tries(2, most=9)
    (file,) = own_cache.iterdir()
    with file.open("rb") as opened:
        assert not cache._is_expired(opened)
    assert cache.default_timeout == limiting.HOUR_S, "what counts up is kept for the default time"


@pytest.mark.parametrize(
    ("remote", "forwarded", "is_https", "found"),
    [
        ("192.0.2.1", "", False, "192.0.2.1"),
        ("192.0.2.1", "203.0.113.9", False, "192.0.2.1"),
        ("192.0.2.1", "203.0.113.9", True, "203.0.113.9"),
        ("192.0.2.1", "203.0.113.1, 203.0.113.9", True, "203.0.113.9"),
        ("192.0.2.1", "", True, "192.0.2.1"),
        ("", "", False, ""),
        ("unix:", "", False, ""),
        ("192.0.2.1", "nonsense", True, ""),
        ("2001:db8:1:2:3:4:5:6", "", False, "2001:db8:1:2::"),
        ("::ffff:192.0.2.1", "", False, "192.0.2.1"),
    ],
)
def test_the_address_is_the_one_that_our_own_proxy_saw(
    settings: Any, remote: str, forwarded: str, is_https: bool, found: str
) -> None:
    settings.IS_HTTPS = is_https
    extra = {"REMOTE_ADDR": remote, "HTTP_X_FORWARDED_FOR": forwarded}
    assert limiting.address_of(RequestFactory().get("/", **extra)) == found
