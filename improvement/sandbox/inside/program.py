"""One program, seen from the zygote: forked, asked, held to its limits, buried."""

from __future__ import annotations

import os
import select
import signal
import time
from typing import Protocol

from improvement.sandbox.inside import asserts, child, walls, wire
from improvement.sandbox.inside.seccomp import Filter

PRINTED_BYTES = 16_000  # four bytes a character at most
LINGER = 0.25  # seconds that a process may take to end once one of its two pipes is closed


class Over(Exception):
    """The program has come to an end; the text is "ended: error"."""


class Lost(Exception):
    """The host is gone."""


class Parent(Protocol):
    """What a program needs of its zygote."""

    inbox: int
    filter: Filter
    inward: bytearray
    outward: bytearray
    pid: int
    mapped: int

    def tell(self, kind: bytes, payload: bytes | memoryview = b"") -> None: ...

    def discard(self, size: int) -> None: ...


def piece(buffer: bytearray, size: int) -> memoryview:
    return memoryview(buffer)[:size]


class Program:
    """From the fork to the end."""

    def __init__(
        self, zygote: Parent, seconds: float, each: float, output: int, result: int
    ) -> None:
        self.zygote = zygote
        self.left, self.each = seconds, each
        self.seconds = seconds
        self.output, self.result = output, result
        self.printed = 0
        self.pid = 0
        self.unread = 0  # bytes of the request that is being passed on

    def fork(self, kind: bytes, memory: int) -> None:
        zygote = self.zygote
        child_in, self.to = os.pipe()
        self.answers, child_out = os.pipe()
        self.prints, child_prints = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.dup2(child_prints, 1)
                os.dup2(child_prints, 2)
                _settle(child_in, child_out)
                limit = zygote.mapped + memory
                walls.close_in(zygote.filter, zygote.pid, self.seconds, limit)
                if kind != wire.OUTER:
                    zygote.filter.install()
                child.open_prints()
                asserts.serve() if kind == wire.TESTS else child.serve(self.result)
            finally:
                os._exit(0)
        for fd in (child_in, child_out, child_prints):
            os.close(fd)
        os.set_blocking(self.to, False)
        self.poll = select.poll()
        self.poll.register(self.answers, select.POLLIN)
        self.poll.register(self.prints, select.POLLIN)
        self.poll.register(zygote.inbox, 0)  # only its end

    # -- one request and its answer

    def request(self, size: int) -> None:
        started = time.monotonic()
        self.unread = size
        deadline = started + min(self.left, self.each)
        try:
            self.pass_on(size, deadline)
            self.answer(deadline)
        except BrokenPipeError:
            raise Over(self.departed()) from None
        finally:
            took = time.monotonic() - started
            self.left -= took
            if self.unread:
                self.zygote.discard(self.unread)
        self.zygote.tell(wire.ANSWERED, wire.MICROSECONDS.pack(int(took * 1e6)))

    def pass_on(self, size: int, deadline: float) -> None:
        self.poll.register(self.to, select.POLLOUT)
        self.push(memoryview(wire.LENGTH.pack(size)), deadline)
        while self.unread:
            data = piece(self.zygote.inward, self.unread)
            got = os.readv(self.zygote.inbox, [data])
            if not got:
                raise Lost
            self.unread -= got
            self.push(data[:got], deadline)
        self.poll.unregister(self.to)

    def push(self, data: memoryview, deadline: float) -> None:
        while data:
            ready = self.wait(deadline)
            if self.answers in ready:
                self.early()
            if self.to in ready:
                data = data[os.write(self.to, data) :]

    def answer(self, deadline: float) -> None:
        """Forward one answer, piece by piece."""
        head = b""
        while len(head) < wire.LENGTH.size:
            head += self.more(wire.LENGTH.size - len(head), deadline)
        (size,) = wire.LENGTH.unpack(head)
        if size > self.result + wire.SLACK:
            raise Over("crash: sent an answer that is too long")
        while size:
            self.until_answer(deadline)
            data = piece(self.zygote.outward, size)
            got = os.readv(self.answers, [data])
            if not got:
                raise Over(self.departed())
            self.zygote.tell(wire.PIECE, data[:got])
            size -= got

    def more(self, count: int, deadline: float) -> bytes:
        self.until_answer(deadline)
        found = os.read(self.answers, count)
        if not found:
            raise Over(self.departed())
        return found

    def until_answer(self, deadline: float) -> None:
        while self.answers not in self.wait(deadline):
            pass

    def wait(self, deadline: float) -> dict[int, int]:
        """What is ready; prints are taken here. Over when the deadline has passed."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise Over(self.late())
        ready = dict(self.poll.poll(left * 1000 + 1))
        if self.zygote.inbox in ready:
            raise Lost
        if self.prints in ready:
            self.take_prints()
        return ready

    def late(self) -> str:
        whole = self.left <= self.each
        limit, of = (self.seconds, "altogether") if whole else (self.each, "for one call")
        return f"time: took longer than {limit:g} s {of}"

    def early(self) -> None:
        """Something on the outbox before the request was read: the end, or a forged answer."""
        if os.read(self.answers, 1):
            raise Over("crash: answered before it was asked")
        raise Over(self.departed())

    def take_prints(self) -> None:
        data = piece(self.zygote.outward, wire.PIECE_BYTES)
        got = os.readv(self.prints, [data])
        if not got:
            self.poll.unregister(self.prints)
            return
        kept = data[: min(got, max(0, PRINTED_BYTES - self.printed))]
        if kept:
            self.zygote.tell(wire.PRINTED, kept)
        self.printed += got
        if self.printed > self.output:
            raise Over(f"output: printed more than {self.output:,} bytes")

    # -- the end

    def last_words(self) -> str:
        """After the last answer nothing more may come: at the end of its inbox a program closes
        its outbox."""
        os.close(self.to)
        self.to = -1
        poll = select.poll()
        poll.register(self.answers, select.POLLIN)
        if poll.poll(LINGER * 1000) and os.read(self.answers, 1):
            return "crash: answered more than it was asked"
        return "ok: "

    def departed(self) -> str:
        """How a process that closed its outbox ended."""
        until = time.monotonic() + LINGER
        while time.monotonic() < until:
            self.drain()
            pid, status, used = os.wait4(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                return _told(status, used.ru_utime + used.ru_stime, self.seconds)
            time.sleep(0.001)
        return "crash: closed its wire and went on"

    def drain(self) -> str:
        """Take what it printed last. Gives "output: …" when that was too much."""
        os.set_blocking(self.prints, False)
        try:
            while self.printed <= self.output:
                before = self.printed
                self.take_prints()
                if self.printed == before:
                    return ""
        except (BlockingIOError, KeyError):
            return ""
        except Over as over:
            return str(over)
        return ""

    def end(self) -> str:
        """Kill it if it is there. Gives "output: …" when its last prints were too much."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
        return self.drain()

    def reap(self) -> None:
        if self.pid:
            os.waitpid(self.pid, 0)
        for fd in (self.to, self.answers, self.prints):
            if fd >= 0:
                os.close(fd)


def _settle(child_in: int, child_out: int) -> None:
    """Put the program's own pipe ends at their places, whatever numbers they have now."""
    low, high = os.dup(child_in), os.dup(child_out)
    os.dup2(low, wire.INBOX)
    os.dup2(high, wire.OUTBOX)


def _told(status: int, used: float, seconds: float) -> str:
    if not os.WIFSIGNALED(status):
        return f"exit: left early with exit status {os.WEXITSTATUS(status)}"
    number = os.WTERMSIG(status)
    if number == signal.SIGXCPU or (number == signal.SIGKILL and used >= seconds):
        return f"time: used more than {seconds:g} s of the processor"
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    return f"crash: ended by {name}"
