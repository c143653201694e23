"""Keeps programs running in the foreground: restarts them, shows their lines, stops them in order.

One thread: a child's parent is the thread that started it, and children die with their parent.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

from improvement.services.process import spawn

FIRST_PAUSE, LONGEST_PAUSE, HEALTHY = 1.0, 30.0, 60.0  # seconds
TICK = 0.25


@dataclass
class Program:
    """A command to keep running."""

    name: str
    command: Sequence[str]
    keep: Sequence[int] = ()
    folder: Path | None = None
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    next_start: float = 0.0
    pause: float = FIRST_PAUSE
    unfinished: bytes = b""


@dataclass
class Service:
    """An embedded service: `start` makes it answer, `running` says whether it lives."""

    name: str
    start: Callable[[], object]
    running: Callable[[], bool]
    stop: Callable[[], None]
    ours: bool = False
    next_start: float = 0.0


@dataclass
class Supervisor:
    services: Sequence[Service]
    programs: Sequence[Program]
    out: IO[str] = field(default_factory=lambda: sys.stdout)
    on_tick: Callable[[], None] = lambda: None
    stopping: bool = False
    _lines: selectors.DefaultSelector = field(default_factory=selectors.DefaultSelector)

    def say(self, name: str, line: str) -> None:
        print(f"{name:<9} {line}", file=self.out, flush=True)

    def start_services(self) -> None:
        for service in self.services:
            service.ours = service.start() is not None or service.ours
            self.say(service.name, "ready")

    def run(self) -> None:
        """Until SIGINT or SIGTERM; then everything is stopped, services last."""
        old = {n: signal.signal(n, self._ask_to_stop) for n in (signal.SIGINT, signal.SIGTERM)}
        try:
            while not self.stopping:
                self._start_what_is_due()
                self._show_lines_for(TICK)
                self.on_tick()
        finally:
            self.stop()
            for number, handler in old.items():
                signal.signal(number, handler)

    def stop(self) -> None:
        """Programs first: asked, asked again, then killed; the services after them."""
        waits = ((signal.SIGTERM, 3.0), (signal.SIGTERM, 3.0), (signal.SIGKILL, 3.0))
        for number, seconds in waits:
            alive = [p for p in self.programs if p.process and p.process.poll() is None]
            for program in alive:
                self._signal(program, number)
            self._wait(alive, seconds)
        for service in reversed(self.services):
            if service.ours:
                service.stop()
                self.say(service.name, "stopped")

    def _ask_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        if not self.stopping:
            self.stopping = True
            self.say("up", "stopping")

    def _start_what_is_due(self) -> None:
        now = time.monotonic()
        for service in self.services:
            if now >= service.next_start and not service.running():
                self.say(service.name, "is not running: starting it again")
                service.next_start = now + FIRST_PAUSE
                service.ours = service.start() is not None or service.ours
        for program in self.programs:
            if program.process is not None and program.process.poll() is not None:
                self._note_end(program, now)
            if program.process is None and now >= program.next_start and not self.stopping:
                self._start(program, now)

    def _start(self, program: Program, now: float) -> None:
        program.started = now
        program.process = spawn(
            program.command, output=subprocess.PIPE, keep=program.keep, cwd=program.folder
        )
        if program.process.stdout is not None:
            os.set_blocking(program.process.stdout.fileno(), False)
            self._lines.register(program.process.stdout, selectors.EVENT_READ, program)

    def _note_end(self, program: Program, now: float) -> None:
        """Say how it ended, and plan its next start: later each time it fails early."""
        assert program.process is not None
        self._drain(program)
        healthy = now - program.started > HEALTHY
        program.pause = FIRST_PAUSE if healthy else min(program.pause * 2, LONGEST_PAUSE)
        program.next_start = now + program.pause
        code = program.process.returncode
        self.say(program.name, f"ended with {code}; starting again in {program.pause:.0f} s")
        program.process = None

    def _show_lines_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self.stopping and (left := end - time.monotonic()) > 0:
            self._show_lines(left)

    def _show_lines(self, seconds: float) -> None:
        if not self._lines.get_map():
            time.sleep(seconds)
            return
        for key, _ in self._lines.select(seconds):
            self._read(key.data)

    def _read(self, program: Program) -> None:
        pipe = program.process.stdout if program.process else None
        if pipe is None or pipe.closed:
            return
        piece = pipe.read(65536)
        if piece is None:
            return
        if not piece:
            self._lines.unregister(pipe)
            pipe.close()
        *lines, program.unfinished = (program.unfinished + piece).split(b"\n")
        for line in lines:
            self.say(program.name, line.decode(errors="replace").rstrip())

    def _drain(self, program: Program) -> None:
        """Its last lines; what its own children may still write is not waited for."""
        pipe = program.process.stdout if program.process else None
        if pipe is None or pipe.closed:
            return
        self._read(program)
        if not pipe.closed:
            self._lines.unregister(pipe)
            pipe.close()

    def _wait(self, programs: Sequence[Program], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if all(p.process is None or p.process.poll() is not None for p in programs):
                return
            self._show_lines(0.05)

    @staticmethod
    def _signal(program: Program, number: int) -> None:
        """To the program; a kill also to all of its session."""
        assert program.process is not None
        try:
            if number == signal.SIGKILL:
                os.killpg(program.process.pid, number)
            else:
                program.process.send_signal(number)
        except ProcessLookupError:
            pass
