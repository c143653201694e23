"""The zygote: a loaded interpreter behind the walls that forks one process a program.

It holds no program's data: requests and answers pass through one buffer that is wiped before every
fork, so that a program can't find in its own memory what another was asked (or the tests of it).
It ends at the end of its input, and its programs end with it.
"""

from __future__ import annotations

import os

from improvement.sandbox.inside import preload, walls, wire
from improvement.sandbox.inside.program import Lost, Over, Program, piece
from improvement.sandbox.inside.seccomp import Filter


class Zygote:
    def __init__(self, inbox: int, outbox: int, files: bool) -> None:
        self.inbox, self.outbox = inbox, outbox
        self.filter = Filter(files)
        self.inward, self.outward = bytearray(wire.PIECE_BYTES), bytearray(wire.PIECE_BYTES)
        self.pid = os.getpid()
        self.mapped = 0

    def serve(self) -> None:
        walls.before_forking(self.filter)
        self.mapped = walls.mapped()
        self.tell(wire.HELLO)
        while True:
            kind, size = self.header()
            if kind != wire.START or size != wire.SETUP.size + 1:
                raise Lost
            setup = wire.read_exactly(self.inbox, size)
            self.program(setup[:1], *wire.SETUP.unpack(setup[1:]))

    def header(self) -> tuple[bytes, int]:
        head = wire.read_exactly(self.inbox, wire.HEADER.size)
        if len(head) < wire.HEADER.size:
            raise Lost
        kind, size = wire.HEADER.unpack(head)
        return kind, size

    def tell(self, kind: bytes, payload: bytes | memoryview = b"") -> None:
        head = wire.HEADER.pack(kind, len(payload))
        written = os.writev(self.outbox, [head, payload])
        if written < len(head) + len(payload):  # a signal came between
            wire.write_all(self.outbox, (head + bytes(payload))[written:])

    def wipe(self) -> None:
        for buffer in (self.inward, self.outward):
            buffer[:] = bytes(len(buffer))

    def program(
        self, kind: bytes, seconds: float, each: float, memory: int, output: int, result: int
    ) -> None:
        """One program from START to END."""
        self.wipe()
        run = Program(self, seconds, each, output, result)
        run.fork(kind, memory)
        told, letter = "", b""
        try:
            while letter != wire.END:
                letter, size = self.header()
                if letter == wire.REQUEST:
                    run.request(size)
            told = run.last_words()
        except Over as over:
            told = str(over)
        self.wipe()
        told = run.end() or told
        self.tell(wire.ENDED, told.encode())
        run.reap()
        while letter != wire.END:
            letter, size = self.header()
            self.discard(size)

    def discard(self, size: int) -> None:
        while size:
            got = os.readv(self.inbox, [piece(self.inward, size)])
            if not got:
                raise Lost
            size -= got


def main(kit: str, places: list[str]) -> None:
    """Take stdin and stdout for the wire, load the kit, drop the user, serve."""
    inbox, outbox = os.dup(0), os.dup(1)
    for fd in (inbox, outbox):
        os.set_inheritable(fd, False)
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.close(null)
    os.environ.clear()
    os.chdir("/")
    try:
        preload.kit(kit, places)
        preload.close_imports(kit)
        walls.drop_user()
        Zygote(inbox, outbox, files=kit != "python").serve()
    except Lost:
        os._exit(0)
    except BaseException as error:  # told to the host, which refuses to go on
        wire.write_all(outbox, wire.pack(wire.ENDED, f"{type(error).__name__}: {error}".encode()))
        os._exit(1)
