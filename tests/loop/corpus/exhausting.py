# ruff: noqa: E501 - programs in strings
"""Programs that never end or that eat the machine."""

from __future__ import annotations

from tests.loop.corpus import Abuse

ABUSES = [
    Abuse("an endless loop", "def f(n):\n    while True: pass", slow=True),
    Abuse("an endless loop while loading", "while True: pass", slow=True),
    Abuse("a long sleep", "import time\ndef f(n): time.sleep(600)", slow=True),
    Abuse("a loop that catches everything", "def f(n):\n    while True:\n        try:\n"
          "            while True: pass\n        except BaseException: pass", slow=True),
    Abuse("signals ignored", "import signal\nfor s in range(1, 65):\n"
          "    try: signal.signal(s, signal.SIG_IGN)\n    except (OSError, ValueError): pass\n"
          "def f(n):\n    while True: pass", slow=True),
    Abuse("signals blocked", "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))"
          "\ndef f(n):\n    while True: pass", slow=True),
    Abuse("a regular expression without an end",
          "import re\ndef f(n): return re.match('(a+)+$', 'a' * 40 + 'b')", slow=True),
    Abuse("a power without an end", "def f(n): return 7 ** 7 ** 9 % 10", slow=True),
    Abuse("a lock that nobody frees", "import threading\ndef f(n):\n    l = threading.Lock()\n"
          "    l.acquire()\n    l.acquire()", slow=True),
    Abuse("a thousand threads", "import threading, time\ndef f(n):\n"
          "    for _ in range(1000):\n        threading.Thread(target=time.sleep, args=(60,)).start()\n"
          "    return n"),
    Abuse("threads that outlive the call", "import threading\ndef loop():\n    while True: pass\n"
          "threading.Thread(target=loop, daemon=True).start()\ndef f(n): return n"),
    Abuse("an endless generator", "import itertools\ndef f(n): return itertools.count()"),
    Abuse("a generator that sleeps", "import time\ndef f(n):\n    while True:\n"
          "        time.sleep(9)\n        yield n", slow=True),
    Abuse("keys that collide", "class K:\n    def __init__(self, i): self.i = i\n"
          "    def __hash__(self): return 1\n    def __eq__(self, o): return self.i == o.i\n"
          "def f(n): return len({K(i) for i in range(100000)})", slow=True),
    Abuse("a list that grows", "def f(n):\n    x = []\n    while True: x.append(' ' * 10**6)", slow=True),
    Abuse("one large block", "def f(n): return len(bytearray(1 << 40))"),
    Abuse("a large block while loading", "x = bytearray(1 << 36)\ndef f(n): return n"),
    Abuse("text doubled", "def f(n):\n    x = 'x'\n    while True: x += x", slow=True),
    Abuse("memory errors caught", "def f(n):\n    x = []\n    while True:\n"
          "        try: x.append(bytearray(10**7))\n        except MemoryError: pass", slow=True),
    Abuse("mapped memory", "import mmap\ndef f(n):\n    return [mmap.mmap(-1, 1 << 30) for _ in "
          "range(64)] and n"),
    Abuse("a flood on stdout", "def f(n):\n    while True: print('x' * 65536)"),
    Abuse("a flood on stderr", "import sys\nwhile True: sys.stderr.write('x' * 65536)"),
    Abuse("a flood of bytes that are no UTF-8", "import os\ndef f(n):\n"
          "    while True: os.write(1, bytes(range(256)) * 256)"),
    Abuse("a flood on the wire", "import os\ndef f(n):\n    while True: os.write(4, b'x' * 65536)"),
    Abuse("50 MB as an answer", "def f(n): return 'x' * 50_000_000"),
    Abuse("a million items", "def f(n): return list(range(1_000_000))", slow=True),
    Abuse("recursion without an end", "def f(n): return f(n)"),
    Abuse("recursion past the limit", "import sys\nsys.setrecursionlimit(10**9)\n"
          "def f(n): return f(n)", slow=True),
    Abuse("brackets nested deeply", "def f(n): return " + "(" * 20_000 + ")" * 20_000),
    Abuse("source nested deeply", "def f(n): return " + "-" * 90_000 + "1"),
    Abuse("a repr without an end", "class E(Exception):\n    def __str__(self):\n"
          "        while True: pass\ndef f(n): raise E", slow=True),
    Abuse("a long message", "def f(n): raise ValueError('x' * 10**7)"),
    Abuse("a NUL in the source", "def f(n): return '\0'"),
    Abuse("a disk bomb", "import os\ndef f(n):\n    out = []\n    for p in ('/tmp/pawl-escaped', "
          "'/dev/shm/pawl-escaped', 'pawl-escaped'):\n        try:\n"
          "            with open(p, 'wb') as d:\n                while True: d.write(b'x' * 10**6)\n"
          "        except OSError as e: out.append(str(e))\n    return out"),
    Abuse("thousands of descriptors", "import os\ndef f(n):\n    kept = []\n"
          "    for _ in range(5000): kept.append(os.open('/dev/null', 0))\n    return n"),
]  # fmt: skip
