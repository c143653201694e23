"""The host's end of a zygote: one program at a time, over two pipes, with a backstop."""

from __future__ import annotations

import contextlib
import os
import select
import time
from dataclasses import dataclass

from improvement.sandbox import spawn
from improvement.sandbox.inside import wire
from improvement.sandbox.records import Ended, Limits, SandboxRefused

PATIENCE = 60.0  # seconds until a zygote has loaded its libraries
GRACE = 5.0  # seconds past a program's own limits before the zygote is given up
PRINTED_CHARACTERS = 4_000
ENDINGS: tuple[Ended, ...] = ("ok", "exception", "time", "memory", "output", "exit", "crash")


class Stuck(Exception):
    """The zygote did not answer in time."""


class Gone(Stuck):
    """The zygote has ended. A program can't do that to it: it is no fault of the program."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The bytes of one answer, and how long the program took over it."""

    body: bytes
    milliseconds: float


@dataclass(frozen=True, slots=True)
class End:
    """How a program ended, by the zygote's word."""

    ended: Ended
    error: str


class Line:
    """A zygote of a kit. Used by one thread at a time."""

    def __init__(self, kit: str) -> None:
        self._started = spawn.start(kit)
        for fd in (self._started.inbox, self._started.outbox):
            os.set_blocking(fd, False)
        self._out = bytearray()
        self._in = bytearray()
        self._body = bytearray()
        self._printed = b""
        self.broken = False
        self.over = True  # its program has ended
        try:
            kind, payload = self._frame(time.monotonic() + PATIENCE)
        except Stuck as stuck:
            self.kill()
            raise SandboxRefused(
                f"the sandbox does not start: {stuck}. Run `manage.py doctor`."
            ) from None
        if kind != wire.HELLO:
            self.kill()
            told = payload[:500].decode(errors="replace")
            raise SandboxRefused(f"the sandbox does not start: {told}. Run `manage.py doctor`.")

    def kill(self) -> None:
        self.broken = True
        self._started.kill()

    def forget(self) -> None:
        self.broken = True
        self._started.forget()

    # -- one program

    def begin(self, limits: Limits, role: bytes = wire.CANDIDATE) -> None:
        self._body.clear()
        self._printed = b""
        self.over = False
        setup = wire.SETUP.pack(
            limits.seconds, limits.call_seconds, limits.memory, limits.output, limits.result
        )
        self._out += wire.pack(wire.START, role + setup)

    def request(self, body: bytes) -> None:
        self._out += wire.pack(wire.REQUEST, body)

    def finish(self) -> None:
        self._out += wire.pack(wire.END)

    def next(self, deadline: float) -> Answer | End:
        """The next answer, or the program's end. Stuck past the deadline."""
        while True:
            kind, payload = self._frame(deadline)
            if kind == wire.PIECE:
                self._body += payload
            elif kind == wire.PRINTED:
                self._printed += payload
            elif kind == wire.ANSWERED:
                (took,) = wire.MICROSECONDS.unpack(payload)
                answer = Answer(bytes(self._body), took / 1000)
                self._body.clear()
                return answer
            elif kind == wire.ENDED:
                self.over = True
                return _end(payload)
            else:
                raise Gone("its zygote sent nonsense")

    @property
    def printed(self) -> str:
        return self._printed.decode("utf-8", "replace")[:PRINTED_CHARACTERS]

    # -- bytes

    def _frame(self, deadline: float) -> tuple[bytes, bytes]:
        head = wire.HEADER.size
        while True:
            if len(self._in) >= head:
                kind, size = wire.HEADER.unpack_from(self._in)
                if len(self._in) >= head + size:
                    payload = bytes(self._in[head : head + size])
                    del self._in[: head + size]
                    return kind, payload
            self._move(deadline)

    def _move(self, deadline: float) -> None:
        """Write what can be written, read what can be read; wait when neither can."""
        try:
            if self._out:
                self._write()
            if not self._read():
                self._wait(deadline)
        except OSError as error:
            raise Gone(f"its zygote is gone ({error.strerror})") from None

    def _write(self) -> None:
        with contextlib.suppress(BlockingIOError):
            sent = os.write(self._started.inbox, memoryview(self._out)[: 1 << 20])
            del self._out[:sent]

    def _read(self) -> bool:
        try:
            found = os.read(self._started.outbox, 1 << 18)
        except BlockingIOError:
            return False
        if not found:
            raise Gone("its zygote is gone")
        self._in += found
        return True

    def _wait(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise Stuck("its zygote did not answer")
        poll = select.poll()
        poll.register(self._started.outbox, select.POLLIN)
        if self._out:
            poll.register(self._started.inbox, select.POLLOUT)
        poll.poll(left * 1000 + 1)


def _end(payload: bytes) -> End:
    word, _, error = payload.decode(errors="replace").partition(": ")
    ended = next((known for known in ENDINGS if known == word), None)
    return End(ended, error) if ended else End("crash", payload.decode(errors="replace"))
