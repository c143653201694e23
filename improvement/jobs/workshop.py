"""What this installation gives to its verifiers: judge endpoints, cache, budget, local models."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import uuid4

from django.conf import settings

from improvement.jobs.context import StageFailed
from improvement.records import Conversation, Message, Sampling
from improvement.verifiers.base import Budget, SpecError, Verifier, Workshop, Writer
from improvement.verifiers.build import build
from improvement.verifiers.judging.endpoints import read_endpoints

LOCAL_TOKENS = 300


def workshop(budget: Budget | None = None) -> Workshop:
    """The workshop of this machine. StageFailed names a judge endpoint that makes no sense."""
    try:
        endpoints = read_endpoints(os.environ | {"PAWL_HOME": str(settings.PAWL_HOME)})
    except ValueError as error:
        raise StageFailed(str(error)) from error
    return Workshop(
        endpoints=endpoints,
        local=_local_writer,
        cache=settings.PAWL_HOME / "judge-cache",
        budget=budget or Budget(),
    )


def verifier_from(spec: str | Mapping[str, Any], given: Workshop | None = None) -> Verifier:
    """The verifier of a specification; StageFailed says what is wrong with it."""
    try:
        return build(spec, given or workshop(), settings.PAWL_VERIFIERS)
    except SpecError as error:
        raise StageFailed(f"The verifier {spec!r} can't be used: {error}") from error


def _local_writer(model: str) -> Writer:
    """A judge on a local model, in this process. It shares the machine with the champion."""
    policy = _policy_on(model)

    def write(messages: Sequence[Message], seed: int) -> str:
        key = f"judge-{uuid4().hex}"  # several questions are open at once, with the same seeds
        sampling = Sampling(temperature=0.7, max_new_tokens=LOCAL_TOKENS, stop=())
        try:
            return policy.generate([Conversation(key, tuple(messages), seed)], sampling)[0].text
        finally:
            policy.forget([key])

    return write


@lru_cache(maxsize=1)
def _policy_on(model: str) -> Any:
    """Loaded once in a process: every stage makes several workshops."""
    from improvement.serving.base_model import prepare
    from improvement.serving.local import LocalEngine

    return LocalEngine(prepare(model, settings.PAWL_HOME)).policy(None)


