"""Real processes over gloo on loopback: each scenario of `sharded` at each number of processes.

``python torch_processes.py DIRECTORY`` imports PyTorch once, draws once so that kernels are
compiled, and forks: a process costs milliseconds then, not the seconds of its imports. It runs in
one thread until it forks. What a process raises goes to ``DIRECTORY/SCENARIO-SIZE-RANK.txt``.
"""

import os
import socket
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
        "MASTER_ADDR": "127.0.0.1",
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


def _free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _fork(size, scenarios, directory):
    """Run scenarios one after another in so many processes, and wait for all."""
    os.environ |= {"WORLD_SIZE": str(size), "MASTER_PORT": str(_free_port())}
    children = []
    for rank in range(size):
        child = os.fork()
        if child == 0:
            os.environ["RANK"] = str(rank)
            _be(scenarios, directory, f"{size}-{rank}")
        children.append(child)
    for child in children:
        os.waitpid(child, 0)


def _be(scenarios, directory, label):
    """Be one of the processes; never return."""
    import sharded
    from torch import distributed

    name = "start"
    try:
        distributed.init_process_group("gloo")
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
