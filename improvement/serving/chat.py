"""Renders a conversation through the tokenizer's chat template, one message at a time.

A conversation is only ever appended to: what the policy sampled stays as it was sampled, and the
template is asked only for what comes between. Where a boundary between two messages is not stable
under the template (it renders earlier messages differently once a later one is there), the
message's text is joined to the next one's.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from improvement.records import Message

STAND_IN = "\u2997stand-in\u2998"  # takes the place of the sampled text; occurs nowhere else


class TemplateError(Exception):
    """The chat template cannot be followed message by message."""


class Chat:
    """The incremental renderer for one tokenizer."""

    def __init__(self, tokenizer: Any, eos_ids: frozenset[int]) -> None:
        if not getattr(tokenizer, "chat_template", None):
            raise TemplateError("The base model has no chat template. Add chat_template.jinja.")
        self.tokenizer = tokenizer
        self.eos_ids = eos_ids
        self.render = lru_cache(4096)(self._render)
        self.encode = lru_cache(8192)(self._encode)

    def opening(self, messages: Sequence[Message]) -> tuple[tuple[int, ...], ...]:
        """Token ids of a new conversation: one tuple a message, then the generation prompt."""
        texts = [self._try_render(tuple(messages[: i + 1])) for i in range(len(messages))]
        return self._pieces(texts, self.render(tuple(messages), True))

    def continuation(
        self, messages: Sequence[Message], seen: int, *, closed: bool
    ) -> tuple[tuple[int, ...], ...]:
        """Token ids that follow the assistant's turn at index `seen`: what closes it, one tuple a
        message after it, then the generation prompt. `closed`: it ended with its eos token."""
        head = (*messages[:seen], Message("assistant", STAND_IN))
        after = tuple(messages[seen + 1 :])
        texts = [self._try_tail((*head, *after[:i])) for i in range(len(after) + 1)]
        closing, *rest = self._pieces(texts, self._tail((*head, *after), True))
        if closed and closing and closing[0] in self.eos_ids:
            closing = closing[1:]
        return (closing, *rest)

    def _pieces(self, texts: Sequence[str | None], full: str) -> tuple[tuple[int, ...], ...]:
        pieces, done = [], 0
        for text in texts:
            stable = text is not None and len(text) >= done and full.startswith(text)
            end = len(text) if text is not None and stable else done
            pieces.append(self.encode(full[done:end]))
            done = end
        return (*pieces, self.encode(full[done:]))

    def _tail(self, messages: tuple[Message, ...], opening: bool = False) -> str:
        _, found, tail = self.render(messages, opening).rpartition(STAND_IN)
        if not found:
            raise TemplateError("The chat template drops or rewrites the assistant's last turn.")
        return tail

    def _try_tail(self, messages: tuple[Message, ...]) -> str | None:
        try:
            return self._tail(messages)
        except TemplateError:
            return None

    def _try_render(self, messages: tuple[Message, ...]) -> str | None:
        try:
            return self.render(messages, False)
        except TemplateError:
            return None

    def _render(self, messages: tuple[Message, ...], opening: bool) -> str:
        turns = [{"role": m.role, "content": m.content} for m in messages]
        try:
            return str(
                self.tokenizer.apply_chat_template(
                    turns, tokenize=False, add_generation_prompt=opening
                )
            )
        except Exception as error:  # templates raise what they like
            raise TemplateError(f"The chat template refuses this conversation: {error}") from error

    def _encode(self, text: str) -> tuple[int, ...]:
        return tuple(self.tokenizer.encode(text, add_special_tokens=False)) if text else ()
