"""Token ids of a demonstration, through the base model's own chat template."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from transformers import AutoTokenizer

from improvement.records import Message
from improvement.training.examples import Encode, Piece


class TemplateError(Exception):
    """The chat template cannot be followed message by message."""


def encoder(base_dir: Path) -> Encode:
    """An `Encode` for the model at `base_dir`.

    Each message is rendered as the difference between two prefixes of the conversation and encoded
    on its own, as a policy reads it: the opening of an assistant's turn is read, its words and
    its end-of-turn token are written, what the template adds after that is read again.
    """
    tokenizer = AutoTokenizer.from_pretrained(str(base_dir), local_files_only=True)
    if not tokenizer.chat_template:
        raise TemplateError(f"{base_dir} has no chat template. Add chat_template.jinja.")
    end_of_turn: str = tokenizer.eos_token or ""

    def render(messages: Sequence[Message], opening: bool = False) -> str:
        turns = [{"role": m.role, "content": m.content} for m in messages]
        return str(
            tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=opening)
        )

    def rest(text: str, prefix: str) -> str:
        if not text.startswith(prefix):
            raise TemplateError(
                f"The chat template of {base_dir} rewrites earlier messages when one is added. "
                "Use a template that only appends."
            )
        return text[len(prefix) :]

    def pieces(text: str, written: bool = False) -> list[Piece]:
        ids = tuple(tokenizer.encode(text, add_special_tokens=False)) if text else ()
        return [(ids, written)] if ids else []

    def encode(messages: Sequence[Message]) -> list[Piece]:
        found: list[Piece] = []
        done = ""
        for i, message in enumerate(messages):
            through = render(messages[: i + 1])
            if message.role == "assistant":
                opened = render(messages[:i], opening=True)
                words, end, closing = rest(through, opened).partition(end_of_turn or "\0")
                found += pieces(rest(opened, done))
                found += pieces(words + end, written=True)
                found += pieces(closing)
            else:
                found += pieces(rest(through, done))
            done = through
        return found

    return encode
