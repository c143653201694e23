"""What can go wrong when a model is asked. Neither is ever the attempt's fault."""

from __future__ import annotations


class Trouble(Exception):
    """No verdict can be had: the message says why, in words that may be shown (no secret)."""


class Nonsense(Exception):
    """A model answered, but not with a verdict. Asked once more; then the vote is void."""
