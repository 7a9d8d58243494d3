"""The file of a learned codec: what it says before its payload, and how damage is noticed.

  TRIL | format | model | height | width | level | flags | CRC of all before and payload | CRC of
  symbols | payload

The first checksum finds damage before anything is decoded; the second finds a decoder that
understood the bits otherwise than the encoder meant them.
"""

import struct
import zlib
from dataclasses import dataclass

from codecs_eval.codecs.learned.shape import LEVEL_ONE
from codecs_eval.codecs.learned.symbols import DamagedStream

MAGIC = b"TRIL"
FORMAT = 1
MODEL_BYTES = 8
MOST_PIXELS = 1 << 28
_HEAD = struct.Struct(f"<4sB{MODEL_BYTES}sIIHB")
_CHECKS = struct.Struct("<II")
_GUIDED = 1


@dataclass(frozen=True)
class Header:
    """`model`: the first bytes of the SHA-256 of the weights; `level` in 1/64."""

    model: bytes
    height: int
    width: int
    level: int
    is_guided: bool

    def packed(self) -> bytes:
        return _HEAD.pack(
            MAGIC,
            FORMAT,
            self.model,
            self.height,
            self.width,
            self.level,
            _GUIDED if self.is_guided else 0,
        )


@dataclass(frozen=True)
class Stream:
    header: Header
    symbols_crc: int
    payload: bytes


def packed(header: Header, payload: bytes, symbols_crc: int) -> bytes:
    """The whole file."""
    head = header.packed()
    return head + _CHECKS.pack(zlib.crc32(payload, zlib.crc32(head)), symbols_crc) + payload


def unpacked(data: bytes, model: bytes) -> Stream:
    """Raises DamagedStream where the file is none, is damaged, or belongs to another model."""
    start = _HEAD.size + _CHECKS.size
    if data[: len(MAGIC)] != MAGIC:
        raise DamagedStream(f"found a file that begins with {data[:4]!r}; expected {MAGIC!r}")
    if len(data) < start:
        raise DamagedStream(f"found {len(data)} bytes; expected at least {start}: the file is cut")
    _, version, found, height, width, level, flags = _HEAD.unpack_from(data)
    if version != FORMAT:
        raise DamagedStream(f"found format {version}; expected {FORMAT}")
    payload_crc, symbols_crc = _CHECKS.unpack_from(data, _HEAD.size)
    payload = data[start:]
    if zlib.crc32(payload, zlib.crc32(data[: _HEAD.size])) != payload_crc:
        raise DamagedStream("the checksum does not fit the file: it is cut or was changed")
    if found != model:
        raise DamagedStream(
            f"found a file of model {found.hex()}; expected one of {model.hex()}, which decodes it"
        )
    if not (0 < height * width <= MOST_PIXELS) or level >= 64 * LEVEL_ONE or flags > _GUIDED:
        raise DamagedStream(f"found {width} x {height} pixels, level {level}, flags {flags}")
    return Stream(Header(found, height, width, level, bool(flags)), symbols_crc, payload)
