"""How fast tasks are imported, and that memory does not grow with the file.

    python -m tests.bench.bench_import [--lines 10000 100000] [--alike 0.05]

Makes files of word problems (of 30 to 60 words; a share of them near-duplicates of an earlier
one), imports each into a suite of an own database, and prints lines a second, lines a processor
second of the importing process (its start included, PostgreSQL not), lines a second when all is
there already, and the largest resident memory of the process. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

SYLLABLES = "ka lo mi ren tas ve du gor pil sha nor bex qui zan fro wel".split()  # noqa: SIM905


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--alike", type=float, default=0.05)
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _import(options.child, options.lines[0])
        return
    with tempfile.TemporaryDirectory(prefix="pawl-bench-") as home:
        os.environ |= {"PAWL_HOME": home, "PAWL_SECRET_KEY": "only-for-the-bench" + "x" * 40}
        _measure(Path(home), options.lines, options.alike)


def _measure(home: Path, sizes: list[int], alike: float) -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "improvement.settings")
    from improvement.services import embedded

    embedded.start(home)
    try:
        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        heads = ("lines", "lines/s", "per CPU s", "again/s", "peak MB", "clusters")
        print(*(f"{head:>9}" for head in heads))
        for size in sizes:
            file = home / f"{size}.jsonl"
            with file.open("w") as out:
                out.writelines(_lines(size, alike))
            command = [sys.executable, "-m", "tests.bench.bench_import", "--child", str(file)]
            subprocess.run([*command, "--lines", str(size)], check=True)
    finally:
        embedded.stop(home)


def _import(file: str, size: int) -> None:
    """In a process of its own, so that its largest memory is that of this import."""
    import django

    django.setup()
    from django.core.management import call_command

    rates, busy, said = [], time.process_time(), io.StringIO()
    for _ in range(2):  # the second time everything is there already
        said, began = io.StringIO(), time.monotonic()
        call_command("import_tasks", f"bench-{size}", file, json=True, stdout=said)
        rates.append(size / (time.monotonic() - began))
        busy = busy if len(rates) > 1 else size / (time.process_time() - busy)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    clusters = json.loads(said.getvalue())["suite_has"]["clusters"]
    print(*(f"{figure:>9,.0f}" for figure in (size, rates[0], busy, rates[1], peak, clusters)))


def _lines(size: int, alike: float) -> Iterator[str]:
    drawn = random.Random(1)
    words = ["".join(drawn.choices(SYLLABLES, k=drawn.randint(1, 3))) for _ in range(3000)]
    earlier: list[list[str]] = []
    for number in range(size):
        text = drawn.choices(words, k=drawn.randint(30, 60))
        text[drawn.randrange(30)] = str(drawn.randint(2, 999))
        if earlier and drawn.random() < alike:
            text = list(drawn.choice(earlier))
            text[drawn.randrange(30)] = drawn.choice(words)
        elif len(earlier) < 1000:
            earlier.append(text)
        family = f"words-{number % 5}"
        row = {"id": f"n-{number}", "prompt": " ".join(text) + "?", "reference": number}
        yield json.dumps({**row, "family": family, "verifier": "number"}) + "\n"


if __name__ == "__main__":
    main()
