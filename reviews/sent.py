"""Text that a person or a link sent: without NUL (PostgreSQL refuses it) and of bounded length."""

from __future__ import annotations

from django.http import QueryDict

LETTERS = 10_000


def text(sent: QueryDict, name: str, default: str = "") -> str:
    """The value of a field, or `default` where the field is missing."""
    return sent.get(name, default).replace("\x00", "")[:LETTERS]


def word(sent: QueryDict, name: str, longest: int = 120) -> str:
    """A short value to look up, without the blanks around it."""
    return text(sent, name).strip()[:longest]
