"""Reading a number as people and models write it, exactly: the value is a Fraction.

Read: 1,234.5  -3/4  1.2e-3  2×10^3  5%  $7  \\frac{1}{2}  12 km (where "km" is a named unit).
Refused: more than 1,000 digits and exponents beyond ±1,000, so that no text can take long; and
everything that is not wholly a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from functools import reduce

MOST_CHARACTERS = 1_100
MOST_DIGITS = 1_000
MOST_EXPONENT = 1_000

_DIGITS = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?|\.[0-9]+"
_TIMES = r"(?:[×*]|\\times|\\cdot)"
_POWER = rf"(?:[eE](?P<e>[+-]?[0-9]+)|\s?{_TIMES}\s?10\s?(?:\^|\*\*)\s?\{{?(?P<p>[+-]?[0-9]+)\}}?)"
_NUMBER = re.compile(
    rf"(?P<sign>[+-]?)(?P<digits>{_DIGITS})(?:{_POWER})?(?:\s?/\s?(?P<below>{_DIGITS}))?(?P<percent>\s?%)?"
)
_LAST = re.compile(
    rf"(?:(?<![0-9A-Za-z_.)])[+-])?[$€£¥₹]?(?<![0-9A-Za-z_.])(?:{_DIGITS})"
    rf"(?:[eE][+-]?[0-9]+(?![0-9A-Za-z_]))?(?:/(?:{_DIGITS}))?%?"
)
_FRACTION = re.compile(r"^([+-]?)\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}$")
_THOUSANDS = re.compile("(?<=[0-9])[\u00a0\u202f\u2009](?=[0-9]{3})")
_CURRENCIES = ("\\$", "$", "€", "£", "¥", "₹")


def number(text: str, units: Iterable[str] = (), decimal: str = ".") -> Fraction | None:
    """The value of a text that is wholly a number; None where it is not, or is over the caps."""
    if len(text) > MOST_CHARACTERS:
        return None
    plain = _plain(text, units, decimal)
    if parts := _FRACTION.match(plain):
        plain = f"{parts[1]}{parts[2].strip()}/{parts[3].strip()}"
    found = _NUMBER.fullmatch(plain)
    return _value(found) if found else None


def last_number(text: str, decimal: str = ".") -> str | None:
    """The last number that stands in a text, as it is written there."""
    last = reduce(lambda _, found: found, _LAST.finditer(_canonical(text, decimal)), None)
    return _canonical(last[0], decimal) if last else None


def _canonical(text: str, decimal: str) -> str:
    """With a decimal point, commas between thousands and a plain minus sign."""
    text = text.translate(str.maketrans(",.", ".,")) if decimal == "," else text
    return _THOUSANDS.sub(",", text.replace("−", "-"))


def _plain(text: str, units: Iterable[str], decimal: str) -> str:
    """Without spaces around it, LaTeX's marks, a unit, a currency sign and a closing full stop."""
    text = text.strip().removeprefix("$").removesuffix("$") if text.count("$") == 2 else text
    text = text.strip().replace("{,}", ",").replace("\\!", "").replace("\\%", "%")
    text = _canonical(text, decimal)
    if text.endswith(".") and text.count(".") == 1:
        text = text[:-1]
    for unit in sorted(units, key=len, reverse=True):
        if unit and text.endswith(unit):
            text = text[: -len(unit)].rstrip()
            break
    return _without_currency(text)


def _without_currency(text: str) -> str:
    sign, rest = (text[:1], text[1:]) if text[:1] in ("+", "-") else ("", text)
    for mark in _CURRENCIES:
        if rest.startswith(mark):
            return sign + rest[len(mark) :].lstrip()
        if rest.endswith(mark):
            return sign + rest[: -len(mark)].rstrip()
    return sign + rest


def _value(found: re.Match[str]) -> Fraction | None:
    exponent = found["e"] or found["p"] or "0"
    if len(exponent) > 6 or abs(int(exponent)) > MOST_EXPONENT:
        return None
    above, below = _decimal(found["digits"]), _decimal(found["below"] or "1")
    if not above or not below or below[0] == 0:
        return None
    value = above[0] * Fraction(10) ** int(exponent) / below[0]
    value = value / 100 if found["percent"] else value
    return -value if found["sign"] == "-" else value


def _decimal(text: str) -> tuple[Fraction] | None:
    """In a tuple, so that 0 is told from nothing."""
    digits = text.replace(",", "")
    if len(digits) > MOST_DIGITS:
        return None
    whole, _, part = digits.partition(".")
    return (Fraction(int(whole + part or "0"), 10 ** len(part)),)
