"""The local engine: one base model in memory, many adapters, many conversations at once.

Limits: plain decoders of transformers with full attention (checked at load against the model's
own attention); one `generate` at a time; keys and values are kept in the model's dtype.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils.logging import disable_progress_bar

from improvement.records import Completion, Conversation, Sampling
from improvement.serving.adapters import Adapter, load_adapter
from improvement.serving.base_model import base_digest, check
from improvement.serving.chat import Chat
from improvement.serving.engine import attention
from improvement.serving.engine.forward import Row, Runner
from improvement.serving.engine.kv import KvShape, KvStore
from improvement.serving.engine.prefixes import Prefixes
from improvement.serving.engine.sampling import choose, uniform
from improvement.serving.engine.state import Open
from improvement.serving.engine.weights import Weights
from improvement.serving.hardware import choose_device, choose_dtype, set_threads

WORDS = "The customer wants three lamps and two rugs, and asks what they cost together."


class UnsupportedModel(Exception):
    """The engine would not compute what transformers computes for this model."""


class LocalEngine:
    """A loaded base model. `policy()` gives one policy an adapter; they share the weights."""

    def __init__(
        self,
        base_dir: Path,
        device: str | None = None,
        dtype: torch.dtype | None = None,
        threads: int | None = None,
    ) -> None:
        os.environ["HF_HUB_OFFLINE"] = "1"  # nothing below may reach for the network
        set_threads(threads)
        check(base_dir)
        self.device = choose_device(device)
        self.dtype = dtype or choose_dtype(self.device)
        self.base_digest = base_digest(base_dir)
        self.model = _load(base_dir, self.dtype).to(self.device)
        self.model.eval().requires_grad_(False)
        self.tokenizer = AutoTokenizer.from_pretrained(base_dir)
        config = self.model.config
        self.eos_ids = _eos_ids(self.model, self.tokenizer)
        self.context = _context(config)
        self.chat = Chat(self.tokenizer, self.eos_ids)
        self.kv = KvStore(_kv_shape(config, self.dtype, self.device))
        self.runner = Runner(self.model)
        self.weights = Weights(self.model, base_dir)
        self.lock = threading.Lock()
        self._check_against_transformers()

    def policy(self, adapter_dir: Path | None = None, digest: str | None = None) -> LocalPolicy:
        """The base model, or the base with an adapter, whose content must have `digest`.

        Raises AdapterDamaged.
        """
        adapter = None
        if adapter_dir is not None:
            adapter = load_adapter(adapter_dir, digest)
            self.weights.check(adapter)
        return LocalPolicy(self, adapter)

    @torch.inference_mode()
    def _check_against_transformers(self) -> None:
        """Both attentions must give the same logits; leaves the engine's own switched on."""
        # Plain words: on control tokens bfloat16 alone is 20 % off, whichever attention runs.
        ids = torch.tensor(self.tokenizer.encode(WORDS), device=self.device)
        expected = self.model(ids[None], use_cache=False).logits[0, -1].float()
        self.model.set_attn_implementation(attention.NAME)
        place = self.kv.reserve(None, len(ids))
        tokens = ids.tolist()
        self.runner.logits([Row(tokens[:-4], place, None)])
        found = self.runner.logits([Row(tokens[-4:], place, None)])[0].float()
        self.kv.release(place)
        tolerance = 1e-3 if self.dtype == torch.float32 else 0.1
        if (found - expected).norm() > tolerance * expected.norm().clamp(min=1e-6):
            kind = self.model.config.model_type
            raise UnsupportedModel(
                f"The local engine can't run a {kind} model. Serve it with vLLM instead."
            )


class LocalPolicy:
    """Implements `improvement.agent.policy.Policy` on a LocalEngine."""

    def __init__(self, engine: LocalEngine, adapter: Adapter | None) -> None:
        self.engine = engine
        self.adapter = adapter
        self.open: dict[str, Open] = {}
        self.prefixes = Prefixes(engine.runner, engine.kv.shape)

    @property
    def adapter_digest(self) -> str:
        """The digest of the adapter's loaded bytes; "" for the bare base."""
        return self.adapter.digest if self.adapter else ""

    @property
    def digest(self) -> str:
        """What really is loaded: `<base digest>+<adapter digest>`."""
        return f"{self.engine.base_digest}+{self.adapter_digest}"

    @torch.inference_mode()
    def generate(
        self, conversations: Sequence[Conversation], sampling: Sampling
    ) -> list[Completion]:
        """Write the next assistant turn of each conversation, all at once.

        Raises ValueError for a conversation that does not continue as it was left. After any
        error the conversations of this call are forgotten.
        """
        if len({c.key for c in conversations}) < len(conversations):
            raise ValueError("two conversations of one call have the same key")
        with self.engine.lock:
            self.engine.weights.activate(self.adapter)
            try:
                turns = [self._begin(conversation) for conversation in conversations]
                return self._write(turns, sampling)
            except BaseException:
                self._forget([c.key for c in conversations])
                raise

    def forget(self, keys: Sequence[str]) -> None:
        """Drop what is kept of these conversations."""
        with self.engine.lock:
            self._forget(keys)

    def _forget(self, keys: Sequence[str]) -> None:
        for key in keys:
            turn = self.open.pop(key, None)
            if turn is not None and turn.place is not None:
                self.engine.kv.release(turn.place)

    def _begin(self, conversation: Conversation) -> Open:
        """Note what is new in a conversation."""
        turn = self.open.get(conversation.key)
        if turn is None:
            turn = self.open[conversation.key] = Open(conversation)
        turn.begin(conversation, self.engine.chat)
        return turn

    def _write(self, turns: list[Open], sampling: Sampling) -> list[Completion]:
        started = time.perf_counter()
        self.prefixes.assign([turn for turn in turns if turn.place is None])
        for turn in turns:
            turn.limit = self._limit(turn, sampling)
            room = turn.own + len(turn.unread) + turn.limit
            turn.place = self.engine.kv.reserve(turn.place, room)
        writing = turns
        while writing:
            self._step(writing, sampling)
            for turn in writing:
                self._finish(turn, sampling, started)
            writing = [turn for turn in writing if turn.finish_reason is None]
        return [turn.completion(self.engine.tokenizer) for turn in turns]

    def _limit(self, turn: Open, sampling: Sampling) -> int:
        """How many tokens this turn may still write."""
        held = turn.own + len(turn.unread) + (len(turn.prefix.tokens) if turn.prefix else 0)
        left = self.engine.context - held
        if left < 1:
            raise ValueError(
                f"conversation {turn.key} has {held} tokens; the base model reads at most "
                f"{self.engine.context}. Shorten the prompt or lower the number of turns."
            )
        return min(sampling.max_new_tokens, left)

    def _step(self, writing: list[Open], sampling: Sampling) -> None:
        """Read what is unread and sample one token for each."""
        logits = self.engine.runner.logits([turn.row() for turn in writing])
        draws = [uniform(turn.seed, turn.sampled) for turn in writing]
        chosen = choose(logits, draws, sampling)
        for turn, token, logprob, entropy in zip(
            writing, chosen.tokens, chosen.logprobs, chosen.entropies, strict=True
        ):
            turn.add(token, logprob, entropy)

    def _finish(self, turn: Open, sampling: Sampling, started: float) -> None:
        """Decide whether the turn ends with the token just sampled."""
        if turn.token_ids[-1] in self.engine.eos_ids:
            turn.closed = True
            turn.finish_reason = "stop"
        elif sampling.stop and any(
            stop in self.engine.tokenizer.decode(turn.token_ids) for stop in sampling.stop
        ):
            turn.finish_reason = "stop"
        elif len(turn.token_ids) >= turn.limit:
            turn.finish_reason = "length"
        if turn.finish_reason is not None:
            turn.latency_ms = (time.perf_counter() - started) * 1000


def _load(directory: Path, dtype: torch.dtype) -> Any:
    disable_progress_bar()  # loading takes a second; its bar would mix with the commands' own
    return AutoModelForCausalLM.from_pretrained(directory, dtype=dtype, attn_implementation="sdpa")


def _kv_shape(config: Any, dtype: torch.dtype, device: torch.device) -> KvShape:
    heads = config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // heads
    kv_heads = getattr(config, "num_key_value_heads", None) or heads
    return KvShape(config.num_hidden_layers, kv_heads, width, dtype, device)


def _eos_ids(model: Any, tokenizer: Any) -> frozenset[int]:
    ids = model.generation_config.eos_token_id
    listed = ids if isinstance(ids, list) else [ids]
    return frozenset(i for i in [*listed, tokenizer.eos_token_id] if i is not None)


def _context(config: Any) -> int:
    """Tokens that one conversation may have; within a sliding window attention is still full."""
    window = getattr(config, "sliding_window", None)
    longest = int(config.max_position_embeddings)
    return min(longest, window) if window else longest
