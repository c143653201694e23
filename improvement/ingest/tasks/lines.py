"""The lines of a file of any size, in flat memory: a line that is too long is skipped, not held."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

LONGEST = 8 << 20  # bytes in one line
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Raw:
    """One line without its end, counted from 1. `data` is None where it was longer than LONGEST."""

    number: int
    data: bytes | None

    @property
    def blank(self) -> bool:
        return self.data is not None and not self.data.strip()


def raw_lines(stream: BinaryIO, longest: int = LONGEST) -> Iterator[Raw]:
    """Every line, blank ones too, so that numbers are those that an editor shows."""
    number = 0
    while piece := stream.readline(longest + 2):
        number += 1
        if len(piece) > longest and not piece.endswith(b"\n"):
            _skip(stream)
            yield Raw(number, None)
            continue
        if number == 1:
            piece = piece.removeprefix(BOM)
        yield Raw(number, piece.rstrip(b"\r\n"))


def _skip(stream: BinaryIO) -> None:
    """Read on to the end of the line."""
    while piece := stream.readline(1 << 16):
        if piece.endswith(b"\n"):
            return
