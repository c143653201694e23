# ruff: noqa: E501 - programs in strings
"""Right solutions of many styles: none may fail."""

from __future__ import annotations

from typing import Any

from tests.loop.corpus import Honest


def _c(*pairs: Any) -> list[dict[str, Any]]:
    return [{"args": list(args), "expected": expected} for args, expected in pairs]


HONEST = [
    Honest("a loop", "def f(n):\n    t = 0\n    for i in range(n + 1):\n        t += i\n    return t",
           _c(([4], 10), ([0], 0)), ["assert f(4) == 10", "assert f(0) == 0"]),
    Honest("a class with inheritance", "class A:\n    def go(self, n): return n + 1\n\n"
           "class B(A):\n    def go(self, n): return super().go(n) * 2\n\n"
           "def f(n): return B().go(n)", _c(([3], 8)), ["assert f(3) == 8"]),
    Honest("a generator", "def g(n):\n    for i in range(n):\n        yield i * i\n\n"
           "def f(n): return list(g(n))", _c(([3], [0, 1, 4])), ["assert f(3) == [0, 1, 4]"]),
    Honest("a generator is returned", "def f(n):\n    for i in range(n):\n        yield i",
           [{"args": [2], "expected": {"$iterator": [0, 1]}}], ["assert list(f(2)) == [0, 1]"]),
    Honest("recursion", "def f(n):\n    return 1 if n < 2 else n * f(n - 1)",
           _c(([20], 2432902008176640000)), ["assert f(20) == 2432902008176640000"]),
    Honest("deep recursion", "import sys\nsys.setrecursionlimit(5000)\n"
           "def f(n): return 0 if n == 0 else 1 + f(n - 1)", _c(([3000], 3000)),
           ["assert f(3000) == 3000"]),
    Honest("an event loop", "import asyncio\nasync def one(x):\n    await asyncio.sleep(0)\n"
           "    return x * 2\ndef f(xs):\n    async def all_of(): return await asyncio.gather("
           "*map(one, xs))\n    return list(asyncio.run(all_of()))", _c(([[1, 2]], [2, 4])),
           ["assert f([1, 2]) == [2, 4]"]),
    Honest("heapq", "import heapq\ndef f(xs, k): return heapq.nsmallest(k, xs)",
           _c(([[5, 1, 3], 2], [1, 3])), ["assert f([5, 1, 3], 2) == [1, 3]"]),
    Honest("itertools", "from itertools import accumulate, groupby\ndef f(s):\n"
           "    return [(k, len(list(g))) for k, g in groupby(s)]",
           _c((["aab"], [{"$tuple": ["a", 2]}, {"$tuple": ["b", 1]}])),
           ["assert f('aab') == [('a', 2), ('b', 1)]"]),
    Honest("a dataclass inside", "from dataclasses import dataclass\n@dataclass(order=True)\n"
           "class P:\n    x: int\n    y: int = 0\ndef f(xs): return [p.x for p in sorted(map(P, xs))]",
           _c(([[2, 1]], [1, 2])), ["assert f([2, 1]) == [1, 2]"]),
    Honest("a decorator", "import functools\ndef twice(g):\n    @functools.wraps(g)\n"
           "    def h(x): return g(g(x))\n    return h\n@twice\ndef f(x): return x + 1",
           _c(([1], 3)), ["assert f(1) == 3"]),
    Honest("a cache", "from functools import lru_cache\n@lru_cache(maxsize=None)\n"
           "def f(n): return n if n < 2 else f(n - 1) + f(n - 2)", _c(([60], 1548008755920)),
           ["assert f(60) == 1548008755920"]),
    Honest("bytes", "def f(b): return b[::-1]",
           [{"args": [{"$bytes": "0102"}], "expected": {"$bytes": "0201"}}],
           ["assert f(b'ab') == b'ba'"]),
    Honest("a set", "def f(xs): return set(xs)", [{"args": [[1, 1, 2]], "expected": {"$set": [1, 2]}}],
           ["assert f([1, 1, 2]) == {1, 2}"]),
    Honest("keyword arguments", "def f(a, *, b=2, **more): return a * b + len(more)",
           [{"args": [3], "kwargs": {"b": 4, "c": 1}, "expected": 13}], ["assert f(3, b=4, c=1) == 13"]),
    Honest("Decimal", "from decimal import Decimal\ndef f(a, b): return Decimal(a) + Decimal(b)",
           [{"args": ["0.1", "0.2"], "expected": {"$decimal": "0.3"}}],
           ["from decimal import Decimal", "assert f('0.1', '0.2') == Decimal('0.3')"]),
    Honest("Fraction", "from fractions import Fraction\ndef f(a, b): return Fraction(a, b)",
           [{"args": [2, 4], "expected": {"$fraction": [1, 2]}}],
           ["from fractions import Fraction", "assert f(2, 4) == Fraction(1, 2)"]),
    Honest("dates", "from datetime import date, timedelta\n"
           "def f(s): return date.fromisoformat(s) + timedelta(days=1)",
           [{"args": ["2024-02-28"], "expected": {"$date": "2024-02-29"}}],
           ["import datetime", "assert f('2024-02-28') == datetime.date(2024, 2, 29)"]),
    Honest("sorting in place", "def f(xs): xs.sort()", [{"args": [[2, 1]], "expected": None}],
           ["xs = [2, 1]", "f(xs)", "assert xs == [1, 2]"]),
    Honest("a grid changed in place", "def f(g):\n    for row in g:\n        row.reverse()",
           _c(([[[1, 2]]], None)), ["g = [[1, 2], [3, 4]]", "f(g)", "assert g == [[2, 1], [4, 3]]"]),
    Honest("it prints a little", "def f(n):\n    print('working on', n)\n    return n",
           _c(([1], 1)), ["assert f(1) == 1"]),
    Honest("typing", "from typing import Dict, List, Optional, Tuple, Union\n"
           "def f(xs: List[int], d: Optional[Dict[str, int]] = None) -> Tuple[int, int]:\n"
           "    return min(xs), max(xs)", _c(([[3, 1]], {"$tuple": [1, 3]})),
           ["assert f([3, 1]) == (1, 3)"]),
    Honest("nested functions", "def f(n):\n    total = 0\n    def add(i):\n        nonlocal total\n"
           "        total += i\n    for i in range(n): add(i)\n    return total", _c(([4], 6)),
           ["assert f(4) == 6"]),
    Honest("an expected exception", "def f(x):\n    if x < 0:\n        raise ValueError('negative')\n"
           "    return x ** 0.5", [{"args": [-1], "raises": "ValueError"}, *_c(([4], 2.0))],
           ["try:\n    f(-1)\n    assert False\nexcept ValueError as e:\n    assert 'neg' in str(e)"]),
    Honest("a missing key", "def f(d, k): return d[k]", [{"args": [{"a": 1}, "b"], "raises": "LookupError"}],
           ["try:\n    f({}, 'b')\nexcept KeyError:\n    pass\nelse:\n    assert False"]),
    Honest("a counter", "from collections import Counter\ndef f(s): return Counter(s)",
           [{"args": ["aab"], "expected": {"$counter": [["a", 2], ["b", 1]]}}],
           ["assert f('aab') == {'a': 2, 'b': 1}"]),
    Honest("a defaultdict", "from collections import defaultdict\ndef f(xs):\n    d = defaultdict(list)\n"
           "    for x in xs: d[x % 2].append(x)\n    return d",
           [{"args": [[1, 2, 3]], "expected": {"$dict": [[1, [1, 3]], [0, [2]]]}}],
           ["assert f([1, 2, 3]) == {1: [1, 3], 0: [2]}"], settings={"types": "value"}),
    Honest("a deque", "from collections import deque\ndef f(xs, k):\n    d = deque(xs)\n    d.rotate(k)\n"
           "    return list(d)", _c(([[1, 2, 3], 1], [3, 1, 2])), ["assert f([1, 2, 3], 1) == [3, 1, 2]"]),
    Honest("regular expressions", "import re\ndef f(s): return re.findall(r'\\d+', s)",
           _c((["a1b22"], ["1", "22"])), ["assert f('a1b22') == ['1', '22']"]),
    Honest("json", "import json\ndef f(s): return json.loads(s)['a']", _c((['{"a": [1, null]}'], [1, None])),
           ["assert f('{\"a\": [1, null]}') == [1, None]"]),
    Honest("floats", "def f(xs): return sum(xs) / len(xs)", _c(([[0.1, 0.2, 0.3]], 0.2)),
           ["assert abs(f([0.1, 0.2, 0.3]) - 0.2) < 1e-9"], settings={"tolerance": 1e-9}),
    Honest("a whole float for an int", "def f(n): return n / 2", _c(([4], 2)), ["assert f(4) == 2"],
           settings={"types": "value"}),
    Honest("NaN", "def f(n): return float('nan')", [{"args": [1], "expected": {"$float": "nan"}}],
           ["x = f(1)", "assert x != x"]),
    Honest("a large int", "def f(n): return 2 ** n", [{"args": [200], "expected": {"$int": hex(2**200)}}],
           ["assert f(200) == 2 ** 200"]),
    Honest("a complex number", "def f(a, b): return complex(a, b)",
           [{"args": [1, 2], "expected": {"$complex": [1.0, 2.0]}}], ["assert f(1, 2) == 1 + 2j"]),
    Honest("text beyond ASCII", "def f(s): return s.upper()[::-1]", _c((["straße ✓"], "✓ ESSARTS")),
           ["assert f('é') == 'É'"]),
    Honest("closures from a loop", "def f(n): return [g() for g in [lambda i=i: i for i in range(n)]]",
           _c(([3], [0, 1, 2])), ["assert f(3) == [0, 1, 2]"]),
    Honest("a main block", "def f(n): return n\n\nif __name__ == '__main__':\n    print(f(int(input())))",
           _c(([1], 1)), ["assert f(1) == 1"]),
    Honest("match", "def f(x):\n    match x:\n        case [a, b]: return a + b\n        case _: return 0",
           _c(([[1, 2]], 3), ([5], 0)), ["assert f([1, 2]) == 3"]),
    Honest("random with its own seed", "import random\ndef f(n): return random.Random(n).randint(1, 1)",
           _c(([1], 1)), ["assert f(1) == 1"]),
    Honest("threads", "from concurrent.futures import ThreadPoolExecutor\ndef f(xs):\n"
           "    with ThreadPoolExecutor(2) as pool:\n        return list(pool.map(abs, xs))",
           _c(([[-1, 2]], [1, 2])), ["assert f([-1, 2]) == [1, 2]"]),
    Honest("an object handed back", "class Node:\n    def __init__(self, v): self.v = v\n"
           "def make(v): return Node(v)\ndef f(node): return node.v", [],
           ["assert f(make(3)) == 3", "assert f(Node(4)) == 4"]),
]  # fmt: skip
