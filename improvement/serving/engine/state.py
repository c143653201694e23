"""One open conversation of a policy, from turn to turn."""

from __future__ import annotations

from typing import Any

from improvement.records import Completion, Conversation, FinishReason, Message
from improvement.serving.chat import Chat
from improvement.serving.engine.attention import Prefix
from improvement.serving.engine.forward import Row
from improvement.serving.engine.kv import Place


class Open:
    """What is known of a conversation. `unread` are tokens that the model must read before it
    can write; `prefix` and `place` hold what it has read; `token_ids` is the turn being written.
    """

    def __init__(self, conversation: Conversation) -> None:
        self.key, self.seed = conversation.key, conversation.seed
        self.messages: tuple[Message, ...] = ()
        self.text = ""
        self.unread: list[int] = []
        self.prefix: Prefix | None = None
        self.place: Place | None = None
        self.sampled = 0  # tokens sampled in all turns: the position of the next draw
        self.limit = 0
        self.closed = False
        self._reset()

    def _reset(self) -> None:
        self.read: tuple[tuple[int, ...], ...] = ()
        self.token_ids: list[int] = []
        self.logprobs: list[float] = []
        self.entropies: list[float] = []
        self.finish_reason: FinishReason | None = None
        self.latency_ms = 0.0

    @property
    def own(self) -> int:
        """Tokens held beside the prefix."""
        return self.place.length if self.place else 0

    def begin(self, conversation: Conversation, chat: Chat) -> None:
        """Take in the new messages; raise ValueError unless they continue what was written."""
        messages = conversation.messages
        self._reset()
        if not self.messages:
            self.read = chat.opening(messages)
        else:
            self._check_continues(messages)
            seen = len(self.messages)
            self.read = chat.continuation(messages, seen, closed=self.closed)
        self.messages, self.seed, self.closed = messages, conversation.seed, False
        self.unread += [token for piece in self.read for token in piece]

    def _check_continues(self, messages: tuple[Message, ...]) -> None:
        seen = len(self.messages)
        as_left = (
            messages[:seen] == self.messages
            and len(messages) > seen
            and messages[seen].role == "assistant"
            and messages[seen].content.strip() == self.text.strip()
        )
        if not as_left:
            raise ValueError(
                f"conversation {self.key} does not continue as it was left: the messages must be "
                "the earlier ones, the assistant's turn as written, and new ones. "
                "Forget the key to start afresh."
            )

    def row(self) -> Row:
        """What to read next; it counts as read from here on."""
        assert self.place is not None
        tokens, self.unread = self.unread, []
        return Row(tokens, self.place, self.prefix)

    def add(self, token: int, logprob: float, entropy: float) -> None:
        """Note a sampled token; it is read with the next step or the next turn."""
        self.token_ids.append(token)
        self.logprobs.append(logprob)
        self.entropies.append(entropy)
        self.unread.append(token)
        self.sampled += 1

    def completion(self, tokenizer: Any) -> Completion:
        """The finished turn."""
        assert self.finish_reason is not None
        written = self.token_ids[:-1] if self.closed else self.token_ids
        self.text = tokenizer.decode(written)
        return Completion(
            text=self.text,
            read=self.read,
            token_ids=tuple(self.token_ids),
            logprobs=tuple(self.logprobs),
            entropies=tuple(self.entropies),
            finish_reason=self.finish_reason,
            latency_ms=self.latency_ms,
        )
