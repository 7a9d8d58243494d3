"""CPU time of one encode or decode: the calling thread plus the programs that it waited for."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from codecs_eval.codecs.codec import Codec, Image, Settings
from codecs_eval.codecs.commands import child_cpu_ms

Result = TypeVar("Result")


@dataclass(frozen=True)
class Encoded:
    """A whole file, and the CPU time that making it took."""

    data: bytes
    cpu_ms: float


@dataclass(frozen=True)
class Decoded:
    """An image, and the CPU time that decoding it took."""

    image: Image
    cpu_ms: float


def timed_encode(codec: Codec, image: Image, settings: Settings) -> Encoded:
    """Encode, and say what it cost."""
    data, cpu_ms = _timed(codec, lambda: codec.encode(image, settings))
    return Encoded(data, cpu_ms)


def timed_decode(codec: Codec, data: bytes) -> Decoded:
    """Decode the stored stream, and say what it cost."""
    image, cpu_ms = _timed(codec, lambda: codec.decode(data))
    return Decoded(image, cpu_ms)


def _timed(codec: Codec, work: Callable[[], Result]) -> tuple[Result, float]:
    _ = codec.version  # imports the library, so that the first encode is not charged for it
    before = 1000 * time.thread_time() + child_cpu_ms()
    result = work()
    # Codecs are pinned to the calling thread or to one child: nobody else's work is counted.
    return result, 1000 * time.thread_time() + child_cpu_ms() - before
