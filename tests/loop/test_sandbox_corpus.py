"""Every abuse and cheat of the corpus, several times, against both verifiers that run programs.

`PAWL_FAULTS=large` tries each 25 times and judges ten times as many programs for leaks.
"""

from __future__ import annotations

import gc
import json
import os
import re
import secrets
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from improvement.records import Judgement, TaskRecord
from improvement.sandbox.pool import sandbox
from improvement.verifiers.base import Verifier, trajectory_of
from improvement.verifiers.build import build
from tests.loop.corpus import (
    TASKS,
    Abuse,
    Honest,
    escaping,
    exhausting,
    forging,
    reaching,
    values,
)
from tests.loop.corpus.honest import HONEST

LARGE = os.environ.get("PAWL_FAULTS") == "large"
TIMES = 25 if LARGE else 5
IN_A_ROW = 10_000 if LARGE else 1_000
SHORT = {"seconds": 0.3, "call_seconds": 0.2, "memory_mb": 256}
USUAL = {"seconds": 5.0, "call_seconds": 3.0, "memory_mb": 256}
MARK = "pawl-escaped"
SHARED_PLACES = [Path(p) for p in ("/tmp", "/dev/shm", "/var/tmp", "/", "/root")]
ABUSES = [*values.ABUSES, *forging.ABUSES, *escaping.ABUSES, *exhausting.ABUSES]
ABUSES += reaching.ABUSES
NOTHING = re.compile(  # what refused acts come to; 32512: the shell could not be started
    r"(?:\w*(?:Error|gaierror)|-1|32512|\|)*|it raised \w*Error.*|it crashed: ended by SIGSYS"
)


@dataclass
class Canaries:
    """What nothing may read or touch."""

    secret: str
    folder: Path
    port: int
    reached: list[str]
    signals: list[int]

    def filled(self, source: str) -> str:
        for name, value in {
            "SECRET_FILE": self.folder / "secret.txt",
            "DROP": self.folder / "drop",
            "PORT": self.port,
            "SOCKET": self.folder / "socket",
            "ABSTRACT": f"pawl-{self.port}",
            "PARENT": os.getpid(),
            "ENV": "PAWL_CANARY",
            "HERE": __file__,
        }.items():
            source = source.replace(f"@{name}@", str(value))
        return source

    def untouched(self) -> None:
        assert (self.folder / "secret.txt").read_text() == self.secret
        assert (self.folder / "secret.txt").stat().st_mode & 0o777 == 0o644
        assert list((self.folder / "drop").iterdir()) == []
        assert [p for p in SHARED_PLACES if os.path.lexists(p / MARK)] == []
        assert self.reached == []
        assert self.signals == []


@pytest.fixture(scope="module")
def canaries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Canaries]:
    """A readable secret in a file and in our environment, a writable folder, a port, two sockets:
    open to every user of the machine, so that only the walls keep programs out."""
    folder = tmp_path_factory.mktemp("canaries")
    for parent in (folder, *folder.parents[:3]):
        if str(parent).startswith("/tmp/"):
            parent.chmod(0o755)
    secret, reached, signals = f"canary-{secrets.token_hex(8)}", [], []
    (folder / "secret.txt").write_text(secret)
    (folder / "secret.txt").chmod(0o644)
    (folder / "drop").mkdir()
    (folder / "drop").chmod(0o777)
    listeners = [socket.create_server(("127.0.0.1", 0))]
    port = listeners[0].getsockname()[1]
    for address in (str(folder / "socket"), f"\0pawl-{port}"):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(address)
        listener.listen()
        listeners.append(listener)
    (folder / "socket").chmod(0o777)
    for listener in listeners:
        threading.Thread(target=_listen, args=(listener, reached), daemon=True).start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAWL_CANARY", secret)
        old = signal.signal(signal.SIGURG, lambda number, _: signals.append(number))
        yield Canaries(secret, folder, port, reached, signals)
        signal.signal(signal.SIGURG, old)
    for listener in listeners:
        listener.close()


def _listen(listener: socket.socket, reached: list[str]) -> None:
    try:
        while True:
            listener.accept()
            reached.append(str(listener.getsockname()))
    except OSError:
        return


def task(reference: dict[str, Any], entry: str = "f") -> TaskRecord:
    return TaskRecord("t", "code", 1, "train", "p", {"entry_point": entry, **reference}, "x")


def verifiers(abuse: Abuse) -> list[Verifier]:
    limits = SHORT if abuse.slow else USUAL
    kinds = {"cases": ["unit_tests"], "asserts": ["asserts"]}.get(
        abuse.against, ["unit_tests", "asserts"]
    )
    return [build({"kind": kind, "limits": limits}) for kind in kinds]


def judged(verifier: Verifier, reference: dict[str, Any], source: str) -> Judgement:
    one = task(reference)
    return verifier.judge(one, trajectory_of(one, f"```python\n{source}\n```"))


@pytest.mark.parametrize("abuse", ABUSES, ids=lambda abuse: abuse.name)
def test_no_abuse_passes_or_escapes(abuse: Abuse, canaries: Canaries) -> None:
    source, ways = canaries.filled(abuse.source), verifiers(abuse)
    asked = [(ways[n % len(ways)], TASKS[abuse.task], source) for n in range(TIMES)]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda each: judged(*each), asked))
    for one in found:
        assert (one.answer, one.score) == ("fail", 0.0), one.evidence
        written = json.dumps(one.evidence)
        assert canaries.secret not in written
        if abuse.refused and "cases" in one.evidence:
            assert NOTHING.fullmatch(one.evidence["found"].strip("'\"")), one.evidence["found"]
    canaries.untouched()


@pytest.mark.parametrize("honest", HONEST, ids=lambda honest: honest.name)
def test_no_honest_solution_fails(honest: Honest) -> None:
    reference = {"cases": honest.cases, "tests": honest.asserts}
    ways = [{"kind": "unit_tests", **honest.settings}] if honest.cases else []
    ways += [{"kind": "unit_tests", **honest.settings, "fast": False}] if honest.cases else []
    ways += [{"kind": "asserts"}] if honest.asserts else []
    for way in ways:
        found = judged(build(way), reference, honest.source)
        assert (found.answer, found.score) == ("pass", 1.0), (way, found.evidence)


def test_many_verdicts_in_a_row_leak_nothing() -> None:
    wall = build({"kind": "unit_tests", "fast": False, "limits": USUAL})
    ways = [wall, build("unit_tests"), build({"kind": "asserts", "limits": USUAL})]
    sources = ["def f(n): return n", "def f(n): return n + 1", "import os\ndef f(n): os._exit(1)"]
    us = psutil.Process()

    def round_of(count: int) -> tuple[int, int, int, int, int]:
        asked = [(ways[n % 3], TASKS["one"], sources[n // 3 % 3]) for n in range(count)]
        with ThreadPoolExecutor(2) as pool:
            found = [one.answer for one in pool.map(lambda each: judged(*each), asked)]
        assert found.count("pass") == sum(each[2] is sources[0] for each in asked)
        gc.collect()
        children = us.children(recursive=True)
        memory = sum(one.memory_info().rss for one in [us, *children])
        temporary = sum(len(os.listdir(place)) for place in ("/tmp", "/dev/shm"))
        zombies = sum(one.status() == psutil.STATUS_ZOMBIE for one in children)
        return us.num_fds(), len(children), zombies, temporary, memory

    fds, children, zombies, temporary, memory = round_of(IN_A_ROW // 10)
    fds2, children2, zombies2, temporary2, memory2 = round_of(IN_A_ROW)
    assert zombies == zombies2 == 0
    # programs, tests and Monty have a process a processor each, started when first needed
    assert children2 - children <= 3 * len(os.sched_getaffinity(0))
    assert fds2 - fds <= 4 * (children2 - children)
    assert temporary2 - temporary < 20  # others use /tmp too
    assert memory2 - memory < (60 << 20) + (children2 - children) * (100 << 20)
    print(f"after {IN_A_ROW:,}: {fds2 - fds:+} descriptors, {(memory2 - memory) >> 20:+} MB")


def test_the_sandbox_still_works_after_all_of_it() -> None:
    assert sandbox().run("def f(): return 1", []).ended == "ok"
