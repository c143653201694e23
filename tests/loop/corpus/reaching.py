# ruff: noqa: E501 - programs in strings
"""More programs that reach past the walls, break the wire or wait for a limit."""

from __future__ import annotations

from tests.loop.corpus import Abuse

C = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nlibc.syscall.restype = ctypes.c_long\n"
SEND = "import os, struct\ndef send(b):\n    os.write(4, struct.pack('!I', len(b)) + b)\n    os._exit(0)\n"
# x86-64's numbers; elsewhere they are other calls, refused or harmless
NUMBERS = """
CALLS = [(425, 8, 0), (435, 0, 0), (58,), (157, 4, 1, 0, 0, 0), (135, 0x40000), (323, 0), (298, 0, 0, 0, 0, 0),
    (321, 0, 0, 0), (319, 0, 0), (312, 0, 0, 0, 0, 0), (129, 0, 19, 0), (424, 3, 9, 0, 0), (141, 0, 0, 19),
    (203, 0, 8, 0), (275, 0, 0, 0, 0, 0, 0), (278, 0, 0, 0, 0), (310, 1, 0, 0, 0, 0, 0), (101, 0, 0, 0, 0),
    (149, 0, 0), (29, 0, 4096, 0x3ff), (68, 0, 0x3ff), (64, 0, 1, 0x3ff), (253,), (300, 0, 0), (283, 0, 0),
    (289, -1, 0, 8, 0), (222, 0, 0, 0), (444, 0, 0, 0), (317, 1, 0, 0), (447, 0), (428, -100, 0, 1),
    (437, -100, 0, 0, 24), (112,), (109, 0, 0), (95, 0), (160, 7, 0), (302, 1, 7, 0, 0), (57,), (56, 17, 0, 0, 0, 0),
    (56, 0x4111, 0, 0, 0, 0), (250, 0, 0, 0, 0), (103, 2, 0, 0), (154, 0, 0, 0), (172, 3), (330, 0, 0), (44, 1, 0, 1, 0, 0, 0),
    (46, 3, 0, 0), (91, 1, 0o777), (93, 1, 0, 0), (77, 1, 0), (285, 1, 0, 0, 10), (73, 1, 2), (72, 1, 8, 1), (72, 1, 10, 9),
    (72, 1, 1024, 0), (72, 1, 1031, 1 << 20), (16, 0, 0x5412, 0)]
def f(n):
    return [call for call in CALLS if libc.syscall(*map(ctypes.c_long, call)) >= 0] or n
"""
INTERRUPT = """
import mmap
def f(n):
    page = mmap.mmap(-1, 4096, prot=7)
    page.write(b"\\xb8\\x14\\0\\0\\0\\xcd\\x80\\xc3")  # getpid by the calls of 32 bits
    return ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
"""

ABUSES = [
    Abuse("system calls by number", C + NUMBERS),
    Abuse("system calls of 32 bits", C + INTERRUPT),
    Abuse("a timer that ends it", "import signal, time\ndef f(n):\n    signal.setitimer(signal.ITIMER_REAL, 0.01)\n    time.sleep(1)"),
    Abuse("output that drips", "import time\ndef f(n):\n    while True:\n        print('x', end='', flush=True)\n        time.sleep(0.01)", slow=True),
    Abuse("an answer just under the limit", "def f(n): return 'x' * (2**20 - 300)"),
    Abuse("1e400 on the wire", SEND + "def f(n): send(b'{\"ok\":1e400}')"),
    Abuse("a key given twice on the wire", SEND + "def f(n): send(b'{\"ok\":1,\"ok\":48611,\"raised\":1}')"),
    Abuse("a float of a million digits", SEND + "def f(n): send(b'{\"ok\":1.' + b'9' * 1000000 + b'}')"),
    Abuse("an exception without its kind", SEND + "def f(n): send(b'{\"raised\":[\"ValueError\",\"x\"]}')", "raises"),
    Abuse("an exception of a kind that is none", SEND + "def f(n): send(b'{\"raised\":[\"E\",\"x\",\"SystemExit\"]}')", "raises"),
    Abuse("keys that are NaN", "def f(n): return {float('nan'): 1, float('nan'): 2}"),
    Abuse("keys with lone surrogates", "def f(n): return {'\\ud800': 1, 'a\\udfff': {'\\ud83d': '\\ude00'}}"),
    Abuse("an exception with a hostile name and text", "def f(n): raise type('AssertionError\\n\\ud800', (BaseException,), {'__str__': lambda s: 1 / 0})()"),
    Abuse("StopIteration in another's clothes", "class E(StopIteration, ValueError): pass\ndef f(n): raise E", "looped"),
    Abuse("an order of bases that lies", "class M(type):\n    def mro(cls): return [cls, *type.mro(cls)[1:]]\nclass E(Exception, metaclass=M): pass\ndef f(n): raise E('ValueError')", "raises"),
    Abuse("numbers whose hashes are alike below", "def f(n): return {(i << 44) | 1 for i in range(2**16)}"),
    Abuse("threads that never end", "import threading, time, atexit\nthreading.Thread(target=time.sleep, args=(30,)).start()\natexit.register(time.sleep, 30)\ndef f(n): return n"),
    Abuse("a thread that forges answers", SEND + "import threading\ndef g():\n    b = b'{\"ok\":48611}'\n    while True:\n        try: os.write(4, struct.pack('!I', len(b)) + b)\n        except OSError: pass\nthreading.Thread(target=g, daemon=True).start()\ndef f(n): return n"),
    Abuse("a thread that lets no other run", "import sys, threading\nsys.setswitchinterval(1e9)\ndef g():\n    while True: pass\nthreading.Thread(target=g, daemon=True).start()\ndef f(n): return n", slow=True),
    Abuse("a faulthandler that repeats", "import faulthandler\nfaulthandler.enable()\nfaulthandler.dump_traceback_later(0.01, repeat=True)\ndef f(n): return n"),
    Abuse("an exit in a callback of the garbage collector", "import gc\ndef stop(*_): raise SystemExit\ngc.callbacks.append(stop)\ndef f(n):\n    gc.collect()\n    return n"),
    Abuse("every limit at zero", "import resource\nfor kind in range(16):\n    try: resource.setrlimit(kind, (0, 0))\n    except (OSError, ValueError): pass\ndef f(n): return n"),
    Abuse("a module that has every name", "def __getattr__(name): return lambda *a: True\ndef __dir__(): return ['f']"),
    Abuse("a class that answers for its function", "class M(type):\n    def __call__(cls, *a): return True\n    def __eq__(cls, other): return True\n    __hash__ = type.__hash__\nclass f(metaclass=M): pass"),
    Abuse("pipes that don't block", "import fcntl, os\nfor fd in (1, 2, 3, 4): fcntl.fcntl(fd, fcntl.F_SETFL, os.O_NONBLOCK | 0o40000)\ndef f(n): return 'x' * 500000"),
    Abuse("its pipes closed while it goes on", "import os, time\ndef f(n):\n    os.close(4)\n    os.close(1)\n    os.close(2)\n    time.sleep(60)"),
    Abuse("a step that never ends inside an iterator", "class I:\n    def __iter__(self): return self\n    def __next__(self):\n        while True: pass\ndef f(n): return map(str, I())", slow=True),
    Abuse("a range wider than any integer", "def f(n): return range(-10**300, 10**4000)"),
    Abuse("fractions that can't be shown", "from fractions import Fraction\ndef f(n): return [Fraction(3**41000 + i, 7**23000) for i in range(4)]"),
    Abuse("signalling NaNs everywhere", "from decimal import Decimal\ndef f(n):\n    x = Decimal('sNaN')\n    return [x, (x,), {1: x}]"),
    Abuse("modules without their names", "import sys\nfor module in list(sys.modules.values()):\n    for key in list(vars(module)):\n        if not key.startswith('__'):\n            try: delattr(module, key)\n            except Exception: pass\ndef f(n): return n"),
]  # fmt: skip
