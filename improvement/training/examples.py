"""Training examples from what was really read and written.

A trajectory's token ids are used exactly as they were sampled: nothing is rendered again. A
person's demonstration has no ids yet, so an `Encode` callable (see `tokens.encoder`) gives them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from improvement.records import Demonstration, Example, Message, TrajectoryRecord, digest_of

Piece = tuple[tuple[int, ...], bool]  # token ids, and whether the assistant wrote them
Encode = Callable[[Sequence[Message]], Sequence[Piece]]


def from_trajectory(record: TrajectoryRecord, *, key: str, keep_examples: bool) -> Example:
    """The attempt as an example; the loss counts the sampled tokens and no others.

    `keep_examples` False leaves out the worked examples of the prompt (prompt distillation): the
    candidate learns to act without them. Raises ValueError where the policy wrote nothing.
    """
    kept = [s for s in record.segments if keep_examples or s.role != "example"]
    pieces = [(s.token_ids, s.sampled) for s in kept]
    return _example(pieces, key, "own")


def from_demonstration(
    demonstration: Demonstration,
    *,
    encode: Encode,
    system_prompt: str,
    worked_examples: Sequence[Message] = (),
) -> Example:
    """A person's demonstration under the candidate's prompt; the loss counts what the assistant
    writes, its end-of-turn token included. Raises ValueError where the assistant says nothing."""
    system = Message("system", system_prompt)
    before = encode([system, *worked_examples])
    whole = encode([system, *worked_examples, *demonstration.messages])
    if list(whole[: len(before)]) != list(before):
        raise ValueError(
            f"{demonstration.key}: the chat template renders the prompt differently once messages "
            "follow it, so it can't be learned from. Use a template that only appends."
        )
    prompt = [(ids, False) for ids, _ in before]
    return _example([*prompt, *whole[len(before) :]], demonstration.key, "human")


def signature_of(record: TrajectoryRecord) -> str:
    """Equal for attempts that did the same: same calls in the same order, same words otherwise
    (spaces aside). Two such attempts at one task teach the same thing."""
    acts = [s for s in record.steps if s.kind in ("assistant", "reasoning", "tool_call")]
    return digest_of(
        [[s.kind, s.tool, " ".join((s.arguments if s.tool else s.content).split())] for s in acts]
    )


def tokens_digest(example: Example) -> str:
    """sha256 over the token ids and which of them are learned."""
    return digest_of([example.token_ids, [int(x) for x in example.learn]])


def _example(pieces: Sequence[Piece], key: str, source: str) -> Example:
    token_ids = tuple(i for ids, _ in pieces for i in ids)
    learn = tuple(written for ids, written in pieces for _ in ids)
    if not any(learn[1:]):
        raise ValueError(f"{key} has no token to learn from: the policy wrote nothing in it.")
    return Example(
        key=key, token_ids=token_ids, learn=learn, source="human" if source == "human" else "own"
    )
