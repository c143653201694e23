"""Frames over pipes: between the host and the zygote, and between the zygote and a program.

Host and zygote: one letter, four bytes of length, the payload. The zygote only forwards requests
and answers, in pieces, so that no program's data stays in the memory that the next is forked from.
Program: four bytes of length, the payload.
"""

from __future__ import annotations

import os
import struct

HEADER = struct.Struct("!cI")
LENGTH = struct.Struct("!I")
SETUP = struct.Struct("!ddQQI")  # seconds, seconds of a call, memory, output, result
MICROSECONDS = struct.Struct("!Q")

# host → zygote
START, REQUEST, END = b"S", b"R", b"E"
# zygote → host: hello once; then pieces of an answer, what was printed, the end of an answer
# (with its microseconds), and once a program how it ended ("time: took longer than 5 s")
HELLO, PIECE, PRINTED, ANSWERED, ENDED = b"H", b"D", b"P", b"A", b"F"

# what a program is: a candidate, tests, or a candidate without the filter, which only the
# self-test starts, to try the outer walls alone
CANDIDATE, TESTS, OUTER = b"C", b"T", b"O"

PIECE_BYTES = 1 << 16
INBOX, OUTBOX = 3, 4  # a program's own descriptors
SLACK = 4096  # bytes of an answer around its value


def pack(kind: bytes, payload: bytes = b"") -> bytes:
    return HEADER.pack(kind, len(payload)) + payload


def read_exactly(fd: int, count: int) -> bytes:
    """`count` bytes, or fewer at the end of the stream."""
    found = os.read(fd, min(count, 1 << 20))
    if len(found) == count:
        return found
    parts, have = [found], len(found)
    while found and have < count:
        found = os.read(fd, min(count - have, 1 << 20))
        parts.append(found)
        have += len(found)
    return b"".join(parts)


def write_all(fd: int, data: bytes | memoryview) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def take(fd: int) -> bytes | None:
    """The next frame of a program's inbox; None at its end."""
    head = read_exactly(fd, LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (size,) = LENGTH.unpack(head)
    body = read_exactly(fd, size)
    return body if len(body) == size else None


def give(fd: int, body: bytes) -> None:
    write_all(fd, LENGTH.pack(len(body)) + body)
