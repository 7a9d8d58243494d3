"""What training says to the outside while it works."""

from typing import Protocol


class Reporter(Protocol):
    def progress(self, done: float, total: float, note: str = "") -> None: ...

    def log(self, line: str) -> None: ...

    def metric(self, step: int, name: str, value: float) -> None: ...

    def should_stop(self) -> bool: ...


class Stopped(Exception):
    """Asked to stop; everything done so far is in the checkpoint."""


def stop_if_asked(report: Reporter) -> None:
    if report.should_stop():
        raise Stopped
