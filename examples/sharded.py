"""First weights that do not depend on the number of processes.

    torchrun --nproc-per-node 4 examples/sharded.py

draws one model on meshes of 1, 2, 3 and 4 processes (gloo, on this machine), each of which draws
its shards only, and prints the digest of the full weights: the same each time.
"""

import hashlib
import os
import sys

import torch
from torch import distributed, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import fully_shard

import initperf.torch


def model() -> nn.Module:
    """Return an encoder on ``meta``: nothing has memory yet."""
    with torch.device("meta"):
        layer = nn.TransformerEncoderLayer(256, 4, 1024, batch_first=True)
        return nn.TransformerEncoder(layer, 4)


def digest(processes: int, rank: int) -> str | None:
    """Return the digest of the weights that so many processes draw; None on the others."""
    mesh = DeviceMesh("cpu", list(range(processes)))  # every process takes part in making it
    if rank >= processes:
        return None
    encoder = model()
    for layer in encoder.layers:
        fully_shard(layer, mesh=mesh)
    fully_shard(encoder, mesh=mesh)
    initperf.torch.materialize_(encoder, "pytorch", rng=0)
    found = hashlib.sha256()
    for name, parameter in encoder.named_parameters():
        found.update(name.encode())
        found.update(parameter.full_tensor().detach().numpy().tobytes())
    return found.hexdigest()


def main() -> None:
    """Draw on each number of processes, and print what they drew."""
    distributed.init_process_group("gloo")
    rank, size = distributed.get_rank(), distributed.get_world_size()
    for processes in range(1, size + 1):
        found = digest(processes, rank)
        if rank == 0:
            print(f"{processes} {'process' if processes == 1 else 'processes'}: {found}")
        distributed.barrier()
    distributed.destroy_process_group()


if __name__ == "__main__":
    main()
    # PyTorch's caches keep the meshes, and with them threads of gloo. One that still drops a tensor
    # while Python shuts down aborts the process (pytorch/pytorch#190489), so Python does not.
    sys.stdout.flush()
    os._exit(0)
