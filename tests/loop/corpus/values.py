"""Values that want to look right: objects that equal everything, subclasses, wrong types."""

from __future__ import annotations

from tests.loop.corpus import Abuse

EQUAL = """
class Any{base}:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __lt__
    def __bool__(self): return True
    def __hash__(self): return 0
    def __sub__(self, other): return self
    def __abs__(self): return self
    def __len__(self): return 0
    def __iter__(self): return iter(())
    def __contains__(self, other): return True
    def __repr__(self): return "48611"
    __str__ = __repr__
"""

ABUSES = [
    Abuse("an object that equals everything", EQUAL.format(base="") + "def f(n): return Any()"),
    Abuse("a list of such objects", EQUAL.format(base="") + "def f(n): return [Any(), Any()]",
          "listed"),
    Abuse("an int that equals everything", EQUAL.format(base="(int)") + "def f(n): return Any(1)"),
    Abuse("text that equals everything",
          EQUAL.format(base="(str)") + "def f(n): return Any('x')", "text"),
    Abuse("a list that equals everything",
          EQUAL.format(base="(list)") + "def f(n): return Any()", "pair"),
    Abuse("a float that is near everything",
          EQUAL.format(base="(float)") + "def f(n): return Any(0)", "nan"),
    Abuse("a dict that equals everything", EQUAL.format(base="(dict)") + "def f(n): return Any()"),
    Abuse("a class whose metaclass equals everything",
          EQUAL.format(base="(type)") + "def f(n): return Any('X', (), {})"),
    Abuse("the function itself", "def f(n): return f"),
    Abuse("a function that takes all", "def f(n): return lambda *a: True"),
    Abuse("a mock", "from unittest.mock import ANY\ndef f(n): return ANY"),
    Abuse("a magic mock",
          "from unittest.mock import MagicMock\ndef f(n):\n    m = MagicMock()\n"
          "    m.__eq__.side_effect = lambda other: True\n    return m"),
    Abuse("an enum of int",
          "import enum\nclass E(enum.IntEnum):\n    A = 1\ndef f(n): return E.A", "one", "cases"),
    Abuse("True for 1", "def f(n): return True", "one", "cases"),
    Abuse("1.0 for 1", "def f(n): return 1.0", "one", "cases"),
    Abuse("a Decimal for 1", "from decimal import Decimal\ndef f(n): return Decimal(1)", "one",
          "cases"),
    Abuse("a tuple for a list", "def f(n): return (1, 2)", "pair"),
    Abuse("a named tuple for a list",
          "from collections import namedtuple\nP = namedtuple('P', 'a b')\n"
          "def f(n): return P(1, 2)", "pair"),
    Abuse("an iterator for a list", "def f(n): return iter([1, 2])", "pair"),
    Abuse("a generator for a list", "def f(n):\n    yield 1\n    yield 2", "pair"),
    Abuse("map for a list", "def f(n): return map(int, '12')", "pair"),
    Abuse("a set for a list", "def f(n): return {1, 2}", "pair"),
    Abuse("bytes for text", "def f(n): return b'one'", "text"),
    Abuse("text with a NUL", "def f(n): return 'one\\0'", "text"),
    Abuse("text with ANSI codes", "def f(n): return '\\x1b[8mone\\x1b[0m\\x1b]0;x\\x07'", "text"),
    Abuse("text with a lone surrogate", "def f(n): return 'one\\udce9'", "text"),
    Abuse("text that looks the same", "def f(n): return '\\u03bfne'", "text"),
    Abuse("NaN for a float", "def f(n): return float('nan')", "nan"),
    Abuse("infinity for a float", "def f(n): return float('inf')", "nan"),
    Abuse("a signalling NaN", "from decimal import Decimal\ndef f(n): return Decimal('sNaN')",
          "text"),
    Abuse("NotImplemented", "def f(n): return NotImplemented"),
    Abuse("Ellipsis", "def f(n): return ..."),
    Abuse("a list that holds itself", "def f(n):\n    x = []\n    x.append(x)\n    return x",
          "pair"),
    Abuse("a list nested 100,000 deep",
          "def f(n):\n    x = [1, 2]\n    for _ in range(100000): x = [x]\n    return x", "pair"),
    Abuse("a list that holds another a million times",
          "def f(n):\n    x = [0] * 1000\n    y = [x] * 1000\n    return [y] * 1000", "pair"),
    Abuse("keys that all hash alike",
          "def f(n): return {k * (2**61 - 1): 0 for k in range(3000)}", "pair"),
    Abuse("an int of ten million digits", "def f(n): return 1 << 33_000_000"),
    Abuse("an exception as a value", "def f(n): return AssertionError('48611')"),
    Abuse("an exception for None", "def f(n): raise ValueError", "none"),
    Abuse("nothing for an exception", "def f(n): return ValueError('x')", "raises"),
    Abuse("another exception", "def f(n): raise KeyError('ValueError: x')", "raises"),
    Abuse("an exception whose name carries a message",
          "def f(n): raise type('E\\nValueError: x', (Exception,), {})('ValueError')", "raises"),
    Abuse("the argument changed into the answer",
          "def f(n):\n    n[:] = [86028]\n    return n", "listed"),
    Abuse("an argument swapped for another object",
          "def f(xs):\n    xs = [1, 2, 3]\n    return None", "in place"),
    Abuse("recorded calls", "seen = []\ndef f(n):\n    seen.append(n)\n    return seen[0]"),
    Abuse("StopIteration ends the loop of the tests", "def f(n): raise StopIteration", "looped"),
    Abuse("GeneratorExit", "def f(n): raise GeneratorExit", "looped"),
    Abuse("StopIteration of its own",
          "class E(StopIteration): pass\ndef f(n): raise E", "looped"),
    Abuse("a tag as an answer", "def f(n): return {'$ref': [0, 'x']}"),
    Abuse("a tag with a forged handle", "def f(n): return {'$ref': ['__builtins__', 'int']}"),
]  # fmt: skip
