"""Real processes over gloo on loopback: each scenario of `sharded` at each number of processes.

``python torch_processes.py DIRECTORY`` imports PyTorch once, draws once so that kernels are
compiled, and forks: a process costs milliseconds then, not the seconds of its imports. It runs in
one thread until it forks. What a process raises goes to ``DIRECTORY/SCENARIO-SIZE-RANK.txt``.
"""

import os
import subprocess
import sys
import traceback
from pathlib import Path

_SECONDS = 400


def run_all(directory):
    """Run everything in a process of its own, and raise when that fails altogether."""
    settings = {
        "INITPERF_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "GLOO_SOCKET_IFNAME": "lo",
    }
    done = subprocess.run(
        [sys.executable, __file__, str(directory)],
        env=os.environ | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def _fork(size, scenarios, directory):
    """Run scenarios one after another in so many processes, and wait for all."""
    children = []
    for rank in range(size):
        child = os.fork()
        if child == 0:
            _be(scenarios, directory, rank, size)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)


def _be(scenarios, directory, rank, size):
    """Be one of the processes; never return."""
    import sharded
    from torch import distributed

    name, label = "start", f"{size}-{rank}"
    try:
        # they meet at a file, as another program could take a port that is free now
        meeting = (directory / f"meeting-{size}").absolute().as_uri()
        distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=size)
        for name in scenarios:
            getattr(sharded, name)(directory)
            distributed.barrier()
            Path(directory, f"{name}-{label}.txt").write_text("")
        distributed.destroy_process_group()
    except BaseException:
        Path(directory, f"{name}-{label}.txt").write_text(traceback.format_exc())
        os._exit(1)  # the others notice that this process has gone
    os._exit(0)


def main(directory):
    """Run what `sharded.SCENARIOS` lists."""
    import sharded

    sharded.warm()
    for size, scenarios in sharded.SCENARIOS.items():
        _fork(size, scenarios, Path(directory))


if __name__ == "__main__":
    main(sys.argv[1])
