"""What a training script does first: it joins the others by env://, and counts them.

Like v1's own example (training-operator v1.9.3 examples/pytorch/mnist/mnist.py) it takes itself for the only process
where nobody says otherwise. Each process prints one line: its rank, how many there are, and the sum of 1 + rank over all.
"""

import os

import torch
import torch.distributed as dist

if "WORLD_SIZE" not in os.environ:
    os.environ.update(RANK="0", WORLD_SIZE="1", MASTER_ADDR="127.0.0.1", MASTER_PORT="0")

dist.init_process_group("gloo", init_method="env://")
total = torch.tensor([1 + dist.get_rank()])
dist.all_reduce(total)
print(f"rank={dist.get_rank()} world={dist.get_world_size()} sum={total.item()}", flush=True)
dist.destroy_process_group()
