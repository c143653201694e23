"""A training to be killed: `python -m tests.loop.train_child BASE WORK`."""

import sys
from pathlib import Path

import torch

from tests.loop.test_lora import run

if __name__ == "__main__":
    torch.set_num_threads(1)
    run(
        Path(sys.argv[1]),
        Path(sys.argv[2]),
        on_progress=lambda p: print(p.done, p.note, flush=True),
    )
