"""How the local engine draws tokens."""

from __future__ import annotations

import pytest
import torch

from improvement.records import Sampling
from improvement.serving.engine.sampling import choose, uniform


def test_top_p_and_the_draws() -> None:
    logits = torch.log(torch.tensor([[0.5, 0.3, 0.15, 0.05]])).repeat(2000, 1)
    draws = [uniform(seed, 0) for seed in range(2000)]
    everything = choose(logits, draws, Sampling(temperature=1.0))
    counts = torch.bincount(torch.tensor(everything.tokens), minlength=4) / 2000
    assert torch.allclose(counts, torch.tensor([0.5, 0.3, 0.15, 0.05]), atol=0.04)
    assert everything.entropies[0] == pytest.approx(1.1424, abs=1e-3)
    nucleus = choose(logits, draws, Sampling(temperature=1.0, top_p=0.7))
    assert set(nucleus.tokens) == {0, 1}
    assert set(nucleus.logprobs) <= set(choose(logits, draws, Sampling(1.0)).logprobs)
