"""A Dask scheduler and its workers, each a process of its own, on loopback."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

_WITHOUT = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "initperf":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
"""
_OTHER_NUMBA = """
import numba
numba.__version__ = "0.1"
"""

_SECONDS = 240.0
"""Time for the start of processes, on a machine that does other work."""

SURROUNDINGS = {"": "", "without initperf": _WITHOUT, "other numba": _OTHER_NUMBA}
"""What a worker's interpreter runs first, by what is the matter with it."""


class Cluster:
    """A scheduler and workers.

    Attributes
    ----------
    address : str
        Of the scheduler, once it was started.
    workers : list of subprocess.Popen
        In the order of their start.
    """

    def __init__(self) -> None:
        self.address = "tcp://127.0.0.1:0"
        self.workers: list[subprocess.Popen[bytes]] = []
        self.scheduler: subprocess.Popen[bytes] | None = None
        self._processes: list[subprocess.Popen[bytes]] = []

    def _start(
        self, module: str, words: tuple[str, ...], before: str = "", **environment: str
    ) -> subprocess.Popen[bytes]:
        code = f"{before}\nfrom distributed.cli.{module} import main\nmain()"
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", code, *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | environment,
        )
        self._processes.append(process)
        return process

    def start_scheduler(self) -> None:
        """Start the scheduler at a port that the system chooses, or again, at the same address."""
        host, _, port = self.address.removeprefix("tcp://").partition(":")
        with tempfile.TemporaryDirectory() as place:
            told = Path(place, "scheduler.json")
            words = ("--host", host, "--port", port, "--no-dashboard", "--no-show")
            self.scheduler = self._start("dask_scheduler", (*words, "--scheduler-file", str(told)))
            self.address = self._told(told)

    def _told(self, file: Path) -> str:
        """Return the address that the scheduler writes into a file once it listens."""
        end = time.monotonic() + _SECONDS
        while True:
            try:
                return str(json.loads(file.read_text())["address"])
            except (FileNotFoundError, json.JSONDecodeError):  # not there, or not whole
                assert self.scheduler is not None
                assert self.scheduler.poll() is None, "the scheduler has ended"
                assert time.monotonic() < end, "the scheduler does not start"
                time.sleep(0.01)

    def start_worker(self, matter: str = "", **environment: str) -> None:
        """Start a worker of one thread.

        Parameters
        ----------
        matter : str
            One of `SURROUNDINGS`.
        **environment
            Environment variables of its own.
        """
        words = ("--nthreads", "1", "--no-dashboard", "--no-nanny", "--memory-limit", "0")
        before = SURROUNDINGS[matter]
        self.workers.append(
            self._start("dask_worker", (self.address, *words), before, **environment)
        )

    def kill_worker(self, number: int) -> None:
        """Kill a worker with SIGKILL."""
        self.workers[number].send_signal(signal.SIGKILL)
        self.workers[number].wait()

    def wait(self, workers: int) -> None:
        """Wait until the scheduler answers and has so many workers."""
        from distributed import Client

        with Client(self.address, timeout=_SECONDS, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=_SECONDS)

    def wait_until_none(self) -> None:
        """Wait until the scheduler has seen that the connections of all workers are closed."""
        from distributed import Client

        end = time.monotonic() + _SECONDS
        with Client(self.address, timeout=_SECONDS, set_as_default=False) as client:
            while client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.workers)):
                assert time.monotonic() < end
                time.sleep(0.01)

    def end(self, *_error: Any) -> None:
        """End all processes."""
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait()
