"""What really reached the screen, and when: Chromium's own trace of its frames.

Truth for the page's clocks: frames are told by the compositor, not by any script of the page, and
on the clock that Python's time.monotonic() reads as well.
"""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page

CATEGORIES = ["cc", "benchmark", "disabled-by-default-devtools.timeline.frame", "blink.user_timing"]
DRAWN = "drawn"
PRESSED = "pressed"
# Upon the platform's own function, so that nothing depends on how the page draws.
MARK_EVERY_DRAWING = """
  addEventListener("keydown", () => performance.mark("pressed"), true);
  const { prototype } = CanvasRenderingContext2D;
  const { drawImage } = prototype;
  prototype.drawImage = function (...all) {
    performance.mark("drawn");
    return drawImage.apply(this, all);
  };
"""


@dataclass
class Frame:
    """Times in ms of the monotonic clock; a frame that was never presented has none."""

    scripts_from_ms: float
    scripts_to_ms: float
    presented_ms: float | None = None


@dataclass
class Trace:
    """When the page drew and heard a key, and its frames; in ms of the monotonic clock."""

    drawn_ms: list[float]
    pressed_ms: list[float]
    frames: list[Frame]
    # Monotonic clock minus the page's.
    page_began_ms: float

    def drawn_before(self, page_ms: float) -> float:
        """The last drawing before a moment of the page's own clock."""
        return max(at_ms for at_ms in self.drawn_ms if at_ms <= page_ms + self.page_began_ms)

    def presented_ms(self, drawn_ms: float) -> float:
        """When what was drawn then reached the screen."""
        frame = next(
            frame
            for frame in self.frames
            if frame.scripts_from_ms <= drawn_ms <= frame.scripts_to_ms
        )
        if frame.presented_ms is not None:
            return frame.presented_ms
        # Drawn over by the next frame, or shown together with it.
        later = [frame.presented_ms for frame in self.frames if frame.presented_ms is not None]
        return min(at_ms for at_ms in later if at_ms > drawn_ms)


def begin_trace(browser: Browser, page: Page) -> None:
    browser.start_tracing(page=page, categories=CATEGORIES)


def end_trace(browser: Browser) -> Trace:
    events = json.loads(browser.stop_tracing())["traceEvents"]
    marks = [event for event in events if "blink.user_timing" in event["cat"]]
    offsets = [
        mark["ts"] / 1000 - mark["args"]["data"]["startTime"]
        for mark in marks
        if mark["name"] == DRAWN
    ]
    return Trace(
        drawn_ms=_times_ms(marks, DRAWN),
        pressed_ms=_times_ms(marks, PRESSED),
        frames=_frames(events),
        page_began_ms=statistics.median(offsets),
    )


def _times_ms(marks: Sequence[dict[str, Any]], name: str) -> list[float]:
    return sorted(mark["ts"] / 1000 for mark in marks if mark["name"] == name)


def _frames(events: Sequence[dict[str, Any]]) -> list[Frame]:
    """Ids are used again: a frame's stages lie between its reporter's beginning and its end."""
    stages: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for event in events:
        if "devtools.timeline.frame" in event["cat"] and event["ph"] in "be":
            name = event.get("id2", {}).get("local") or event.get("id", "")
            stages.setdefault((event["pid"], name), []).append(event)
    frames = []
    for of_one in stages.values():
        found: dict[tuple[str, str], float] = {}
        for event in sorted(of_one, key=_in_time):
            found[event["name"], event["ph"]] = event["ts"] / 1000
            if (event["name"], event["ph"]) == ("PipelineReporter", "e"):
                frames += _frame(found)
                found = {}
    return sorted(frames, key=lambda frame: frame.scripts_from_ms)


def _in_time(event: dict[str, Any]) -> tuple[float, bool]:
    return event["ts"], event["name"] == "PipelineReporter" and event["ph"] == "e"


def _frame(found: dict[tuple[str, str], float]) -> list[Frame]:
    begun = found.get(("SendBeginMainFrameToCommit", "b"))
    committed = found.get(("SendBeginMainFrameToCommit", "e"))
    if begun is None or committed is None:
        return []
    presented = found.get(("SwapEndToPresentationCompositorFrame", "e"))
    return [Frame(begun, committed, presented)]
