"""The tagged encoding: plain values survive exactly, everything else is refused, hostile bytes
are Malformed and never more."""

import contextlib
import enum
import json
import math
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from datetime import UTC, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from improvement.sandbox.inside import tagged
from improvement.sandbox.inside.decoding import _LIST, _TEXT
from improvement.sandbox.inside.plain import MOST_BITS, MOST_DEPTH, MOST_DIGITS, MOST_ITEMS

texts = st.text(st.characters(), max_size=20)  # lone surrogates among them
zones = st.none() | st.just(UTC) | st.just(timezone(timedelta(hours=-5, minutes=-30)))
keys = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    texts,
    st.binary(max_size=9),
    st.dates(),
    st.times().map(lambda one: one.replace(fold=0)),  # fold is not carried
    st.timedeltas(),
    st.fractions(max_denominator=999),
    st.decimals(allow_nan=False, places=3),
    st.complex_numbers(allow_nan=False, allow_infinity=True),
    st.builds(range, st.integers(-9, 9), st.integers(-9, 9), st.integers(1, 9)),
    st.datetimes().flatmap(
        lambda moment: zones.map(lambda zone: moment.replace(tzinfo=zone, fold=0))
    ),
)
leaves = keys | st.binary(max_size=9).map(bytearray)


def inner(of):
    few = st.lists(of, max_size=4)
    return st.one_of(
        few,
        few.map(tuple),
        few.map(lambda held: deque(held, 5)),
        st.sets(keys, max_size=4),
        st.frozensets(keys, max_size=4),
        st.dictionaries(texts, of, max_size=4),
        st.dictionaries(keys, of, max_size=4),
        st.dictionaries(keys, of, max_size=4).map(OrderedDict),
        st.dictionaries(keys, st.integers(), max_size=4).map(Counter),
        st.dictionaries(keys, of, max_size=4).map(lambda held: defaultdict(list, held)),
    )


values = st.recursive(leaves, inner, max_leaves=12)


def same(one, other):
    """Equal and of equal types all the way down."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list | tuple | deque):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        pairs = zip(one.items(), other.items(), strict=True)
        return one == other and all(same(a, b) and same(c, d) for (a, c), (b, d) in pairs)
    return one == other and (isinstance(one, set | frozenset) or repr(one) == repr(other))


@given(values)
@settings(max_examples=300, deadline=None)
def test_a_plain_value_comes_back_equal_and_of_the_same_type(value):
    assert same(tagged.loads(tagged.dumps(value)), value)


@given(values)
@settings(max_examples=100, deadline=None)
def test_what_is_sent_is_strict_ascii_json(value):
    data = tagged.dumps(value)
    assert data.isascii()
    assert b"\n" not in data
    json.loads(data, parse_constant=pytest.fail)


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode()))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_a_value_or_malformed(data):
    with contextlib.suppress(tagged.Malformed):
        tagged.loads(data)


trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda of: (
        st.lists(of, max_size=4)
        | st.dictionaries(
            st.sampled_from(["$exception", "$ref", "$unknown", "a", "b", *_TEXT, *_LIST]),
            of,
            max_size=2,
        )
    ),
    max_leaves=10,
)


@given(trees)
@settings(max_examples=500, deadline=None)
def test_any_forged_tree_is_a_value_or_malformed(tree):
    with contextlib.suppress(tagged.Malformed):
        tagged.decode(tree)


def test_nan_and_infinities_arrive():
    found = tagged.loads(tagged.dumps([math.nan, math.inf, -math.inf, -0.0]))
    assert math.isnan(found[0])
    assert found[1:3] == [math.inf, -math.inf]
    assert math.copysign(1, found[3]) == -1


def test_two_halves_of_a_pair_are_not_joined():
    value = "\ud83d\ude00"
    assert len(value) == 2
    assert tagged.loads(tagged.dumps(value)) == value


def test_an_iterator_arrives_as_one_over_a_list():
    for one in ((n for n in range(3)), iter([0, 1, 2]), map(int, "012"), filter(None.__eq__, [])):
        assert type(tagged.loads(tagged.dumps(one))) is type(iter([]))
    found = tagged.loads(tagged.dumps({"a": 1}.items()))
    assert list(found) == [("a", 1)]


def test_an_exception_arrives_with_its_arguments():
    found = tagged.loads(tagged.dumps(KeyError("a", 1)))
    assert type(found) is KeyError
    assert found.args == ("a", 1)


def test_a_factory_that_is_foreign_is_dropped():
    found = tagged.loads(tagged.dumps(defaultdict(lambda: 3, a=1)))
    assert found == {"a": 1}
    assert found.default_factory is None


class EqualsAll(int):
    def __eq__(self, other):
        return True

    __hash__ = int.__hash__


class MyList(list):
    pass


class Colour(enum.IntEnum):
    RED = 1


Point = namedtuple("Point", "x y")


@pytest.mark.parametrize(
    "value",
    [EqualsAll(3), MyList([1]), Colour.RED, Point(1, 2), object(), print, int, ..., lambda: 1],
    ids=lambda value: type(value).__name__,
)
def test_only_exact_types_are_plain(value):
    for held in (value, [value], {"a": value}, (1, {2: value})):
        with pytest.raises(tagged.NotPlain):
            tagged.dumps(held)


def test_a_message_names_what_is_not_plain():
    with pytest.raises(tagged.NotPlain, match="an EqualsAll, which is not a plain value"):
        tagged.dumps(EqualsAll(3))


def test_depth_and_self_reference_are_refused():
    loop = []
    loop.append(loop)
    deep = []
    for _ in range(MOST_DEPTH + 5):
        deep = [deep]
    for value in (loop, deep):
        with pytest.raises(tagged.NotPlain, match="nested deeper"):
            tagged.dumps(value)


def test_what_would_grow_on_the_wire_is_refused_in_time():
    shared = ["x"]
    for _ in range(60):
        shared = [shared, shared]
    for value in (shared, ["a" * 1000] * 100_000, 1 << 10**9, count(), b"\0" * 10**7):
        with pytest.raises(tagged.TooLarge):
            tagged.dumps(value, 1 << 20)
    assert MOST_ITEMS < 1 << 20


def test_numbers_that_would_be_slow_to_reckon_with_are_refused():
    with pytest.raises(tagged.TooLarge):
        tagged.dumps(Decimal(10) ** (MOST_DIGITS + 1))
    with pytest.raises(tagged.TooLarge):
        tagged.dumps(Fraction(1, 1 << MOST_BITS))
    forged = [{"$decimal": "1e999999"}, {"$fraction": [{"$int": "f" * MOST_BITS}, 1]}]
    for tree in [*forged, {"$decimal": "1" * (3 * MOST_DIGITS)}]:
        with pytest.raises(tagged.Malformed):
            tagged.decode(tree)


def test_keys_made_to_collide_are_refused():
    colliding = [{"$int": hex(n * (2**61 - 1))} for n in range(5, 2000)]
    for tree in ({"$set": colliding}, {"$dict": [[key, 0] for key in colliding]}):
        with pytest.raises(tagged.Malformed, match="same hash"):
            tagged.decode(tree)
    assert len(tagged.decode({"$set": list(range(5000))})) == 5000


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nan",
        b"NaN",
        b"[Infinity]",
        b"\xff",
        b"1" * 5000,
        b"[" * 100_000,
        b'{"$exec": "1"}',
        b'{"$ref": [0, "x"]}',
        b'{"$tuple": 1}',
        b'{"$tuple": [], "a": 1}',
        b'{"a": 1, "$b": 2}',
        b'{"$set": [[]]}',
        b'{"$int": 5}',
        b'{"$int": "__import__"}',
        b'{"$range": [1, 2, 0]}',
        b'{"$range": [1, 2, true]}',
        b'{"$timedelta": [1e9, 0, 0]}',
        b'{"$timedelta": [999999999999, 0, 0]}',
        b'{"$fraction": [1, 0]}',
        b'{"$exception": ["SystemExit", []]}',
        b'{"$exception": ["ExceptionGroup", ["a", [1]]]}',
        b'{"$defaultdict": ["eval", []]}',
        b'{"$counter": [1]}',
        b'{"$deque": [[1], -1]}',
        b'{"$date": "yesterday"}',
        b'{"$bytes": "zz"}',
        b'{"$float": "1e5"}',
    ],
    ids=lambda data: data[:40].decode(errors="replace"),
)
def test_nonsense_is_malformed(data):
    with pytest.raises(tagged.Malformed):
        tagged.loads(data)


def test_handles_are_only_given_where_they_are_asked_for():
    data = tagged.dumps([1, print], keep=lambda value: [7, type(value).__name__])
    assert json.loads(data) == [1, {"$ref": [7, "builtin_function_or_method"]}]
    assert tagged.loads(data, lambda payload: payload[0]) == [1, 7]
    with pytest.raises(tagged.Malformed):
        tagged.loads(data)
