# ruff: noqa: E501 - programs in strings
"""Programs that forge answers, patch what runs them, or look for the expected values."""

from __future__ import annotations

from tests.loop.corpus import Abuse

FRAMES = """
import os, struct
def send(text, fds=range(1, 64)):
    body = text.encode()
    for fd in fds:
        for head in (struct.pack("!I", len(body)), b"A" + struct.pack("!I", len(body)), b""):
            try: os.write(fd, head + body)
            except OSError: pass
"""
SEARCH = """
def search(objects):
    found = [x for x in objects if isinstance(x, int) and x in (48611, 104729, 15485, 86028)]
    return found[0] if found else repr(objects)[:1500]
"""

ABUSES = [
    Abuse("forged verdicts on stdout",
          "import sys, json\nfor _ in range(50):\n"
          "    print(json.dumps({'answer': 'pass', 'ok': True, 'score': 1.0}))\n"
          "    print('{\"ok\": null}', file=sys.stderr)\ndef f(n): return n"),
    Abuse("forged frames while loading", FRAMES + "send('{\"ok\":null}')\ndef f(n): return n"),
    Abuse("forged frames in a call",
          FRAMES + "def f(n):\n    for _ in range(9): send('{\"ok\":48611}')\n    return n"),
    Abuse("a forged end of the tests", FRAMES + "def f(n):\n    send('{\"ok\":null}', [4])\n"
          "    send('{\"ok\":null}', [4])\n    os._exit(0)"),
    Abuse("a forged question", FRAMES + "def f(n):\n    send('{\"names\":[\"f\"]}', [4])\n"
          "    send('{\"call\":\"f\",\"given\":[[1],{}]}', [4])\n    return n"),
    Abuse("a frame of four gigabytes",
          "import os\ndef f(n):\n    os.write(4, b'\\xff\\xff\\xff\\xff' + b'x' * 4096)\n"
          "    return n"),
    Abuse("half a frame", "import os\ndef f(n):\n    os.write(4, b'\\0\\0\\1\\0{')\n    os._exit(0)"),
    Abuse("deep JSON on the wire",
          FRAMES + "def f(n):\n    send('[' * 200000, [4])\n    os._exit(0)"),
    Abuse("hostile numbers on the wire",
          FRAMES + "def f(n):\n    send('{\"ok\":' + '9' * 900000 + '}', [4])\n    os._exit(0)"),
    Abuse("an alien tag on the wire",
          FRAMES + "def f(n):\n    send('{\"ok\":{\"$pickle\":\"Y29z\"}}', [4])\n    os._exit(0)"),
    Abuse("reads its own inbox for answers",
          "import os\ndef f(n):\n    os.set_blocking(3, False)\n"
          "    try: return os.read(3, 65536).decode('utf-8', 'replace')\n"
          "    except OSError as e: return str(e)"),
    Abuse("exits with 0 in a call", "import sys\ndef f(n): sys.exit(0)"),
    Abuse("exits with 0 while loading", "raise SystemExit(0)"),
    Abuse("exits by os._exit", "import os\ndef f(n): os._exit(0)"),
    Abuse("exits by os._exit while loading", "import os\nos._exit(0)"),
    Abuse("raises KeyboardInterrupt", "def f(n): raise KeyboardInterrupt"),
    Abuse("raises BaseException", "def f(n): raise BaseException('ok')"),
    Abuse("exits in __del__",
          "import os\nclass A:\n    def __del__(self): os._exit(0)\na = A()\n"
          "def f(n):\n    global a\n    a = None"),
    Abuse("exits in an atexit hook",
          "import atexit, os, sys\natexit.register(os._exit, 0)\ndef f(n): sys.exit(0)"),
    Abuse("patched builtins", "import builtins\nbuiltins.AssertionError = ValueError\n"
          "for name in ('len', 'isinstance', 'type', 'abs', 'sorted', 'all', 'any', 'zip', 'map'):\n"
          "    setattr(builtins, name, lambda *a, **k: True)\ndef f(n): return n"),
    Abuse("patched __builtins__",
          "__builtins__['AssertionError'] = ValueError if isinstance(__builtins__, dict) else 0\n"
          "def f(n): return n"),
    Abuse("patched json", "import json\njson.dumps = lambda *a, **k: '{\"ok\": 48611}'\n"
          "json.loads = lambda *a, **k: {'ok': 48611}\ndef f(n): return n"),
    Abuse("patched encoder of the runner", "import sys\n"
          "for name, module in list(sys.modules.items()):\n"
          "    if 'tagged' in name or 'wire' in name or 'child' in name or 'encod' in name:\n"
          "        for key in list(vars(module)):\n"
          "            if callable(getattr(module, key)) and not key.startswith('__'):\n"
          "                try: setattr(module, key, lambda *a, **k: b'{\"ok\":null}')\n"
          "                except Exception: pass\ndef f(n): return n"),
    Abuse("patched asserts of the tests' process", "import sys\n"
          "for module in list(sys.modules.values()):\n"
          "    for key in ('_final', '_exception', 'Proxy', 'CannotCarry', 'foreign_names'):\n"
          "        if hasattr(module, key): setattr(module, key, lambda *a, **k: b'{\"ok\":null}')\n"
          "def f(n): return n"),
    Abuse("emptied sys.modules", "import sys\nsys.modules.clear()\ndef f(n): return n"),
    Abuse("a hooked import", "import sys\nclass H:\n    def find_spec(self, *a): return None\n"
          "sys.meta_path[:] = [H()]\nsys.path_hooks.clear()\ndef f(n):\n    import email\n"
          "    return n"),
    Abuse("an audit hook", "import sys\nsys.addaudithook(lambda *a: None)\ndef f(n): return n"),
    Abuse("a trace of its callers", "import sys\nkept = []\n"
          "def t(frame, event, arg):\n    kept.append(repr(frame.f_locals)[:200])\n    return t\n"
          "sys.settrace(t)\nsys.setprofile(t)\ndef f(n): return '|'.join(kept[-40:])[:3000]"),
    Abuse("the frames of its callers", SEARCH + "import sys\ndef f(n):\n"
          "    frame, seen = sys._getframe(), []\n    while frame:\n"
          "        seen += [*frame.f_locals.values(), *frame.f_globals.values(),\n"
          "                 *frame.f_code.co_consts]\n"
          "        frame = frame.f_back\n    return search(seen)"),
    Abuse("every object of the garbage collector", SEARCH + "import gc\ndef f(n):\n"
          "    flat = []\n    for o in gc.get_objects():\n"
          "        if type(o) is dict: flat += list(o.values())\n"
          "        elif type(o) in (list, tuple): flat += list(o)\n    return search(flat)"),
    Abuse("its own memory", "def f(n):\n    found = []\n    for line in open('/proc/self/maps'):\n"
          "        found.append(line)\n    return ''.join(found)[:3000]"),
    Abuse("the traceback of an error", "import sys\ndef f(n):\n    try: 1 / 0\n"
          "    except Exception as e:\n        t, out = e.__traceback__.tb_frame, []\n"
          "        while t: out.append(repr(t.f_locals)[:300]); t = t.f_back\n"
          "        return '|'.join(out)"),
    Abuse("code from a docstring", "def f(n):\n    '''__import__('os')._exit(0)'''\n"
          "    return eval(f.__doc__)"),
    Abuse("a redefined check", "def check(candidate): return True\ncandidate = check\n"
          "METADATA = {}\ndef f(n): return n"),
    Abuse("a redefined helper of the tests", "def twist(n): return n\n\ndef f(n): return n", "helped",
          "asserts"),
    Abuse("a helper of the tests patched", "def f(n):\n    globals()['twist'] = lambda n: n\n"
          "    return n", "helped", "asserts"),
    Abuse("globals removed", "def f(n):\n    globals().clear()\n    return n"),
    Abuse("itself replaced by the answer", "def f(n):\n    globals()['f'] = lambda n: True\n"
          "    return n"),
    Abuse("a module that answers", "import sys, types\nclass M(types.ModuleType):\n"
          "    def __getattribute__(self, name): return lambda *a: True\n"
          "sys.modules['solution'].__class__ = M\ndef f(n): return n"),
    Abuse("a dict subclass for its globals", "import sys\ndef f(n):\n"
          "    sys.modules['solution'].__dict__.update(f=lambda n: 48611)\n    return n"),
    Abuse("bytecode rewritten", "def g(n): return 48611\ndef f(n): return n\n"
          "f.__code__ = g.__code__.replace(co_consts=(None, True))"),
    Abuse("no function at all", "x = 48611"),
    Abuse("a syntax error", "def f(n): return ("),
    Abuse("a syntax error in a call", "def f(n): raise SyntaxError('bad')"),
    Abuse("an error of the tests' kind", "class CannotCarry(Exception): pass\n"
          "def f(n): raise CannotCarry('f is given x')"),
    Abuse("a pickle that runs code", "import pickle\nclass A:\n"
          "    def __reduce__(self): return (__import__('os')._exit, (0,))\n"
          "def f(n): return pickle.loads(pickle.dumps(A()))"),
    Abuse("all descriptors closed", "import os\nos.closerange(0, 4096)\ndef f(n): return n"),
    Abuse("descriptors swapped", "import os\nos.dup2(1, 4)\nos.dup2(4, 3)\ndef f(n): return n"),
    Abuse("stdin read for answers", "import sys\ndef f(n): return sys.stdin.read() + input()"),
]  # fmt: skip
