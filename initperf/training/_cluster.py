"""Training on the workers of a Dask cluster: ``dask scheduler``, ``dask worker``, or SLURM.

Data goes to the workers through the scheduler and runs come back to this process, which alone
writes the store: workers need no common file system.
"""

import contextlib
import logging
import secrets
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from initperf._core.arguments import shown
from initperf.data import Dataset
from initperf.errors import UsageError
from initperf.training._process import handed_on, train_here
from initperf.training._workers import Stop, StoppedError
from initperf.training.run import Run

if TYPE_CHECKING:
    from distributed import Client

CONNECT_SECONDS = 10.0
"""Seconds after which a scheduler that does not answer counts as absent."""

_AGAIN = "runs that were done are kept in --out; the same command goes on"


@contextmanager
def connected(address: str) -> "Iterator[Client]":
    """Connect to a scheduler, and check that its workers can train.

    Parameters
    ----------
    address : str
        Such as ``tcp://host:8786``.

    Raises
    ------
    initperf.errors.UsageError
        When no scheduler answers, it has no workers, or a worker has no initperf or another
        version of what decides about results.
    """
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise UsageError(
            f"a Dask scheduler needs {error.name}; pip install 'initperf[dask]' brings it"
        ) from None

    # its log repeats in many lines what is raised as an error here
    for name in ("distributed", "distributed.client"):  # Dask gives both a level of their own
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about versions, which are checked below
            client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError, AssertionError) as error:
        reason = shown(str(error)) if str(error) else type(error).__name__
        raise UsageError(
            f"no Dask scheduler answers at {address}; start one with 'dask scheduler': {reason}"
        ) from None
    with client:
        _check_workers(client, address)
        yield client


def versions() -> dict[str, str]:
    """Return the versions that decide about results."""
    import numba
    import numpy

    from initperf import __version__

    return {"initperf": __version__, "numpy": numpy.__version__, "numba": numba.__version__}


def _check_workers(client: "Client", address: str) -> None:
    if not client.scheduler_info(n_workers=-1)["workers"]:
        raise UsageError(
            f"the scheduler at {address} has no workers; start 'dask worker {address}'"
        )
    own = versions()
    try:
        found = client.run(versions)
    except Exception as error:
        # Dask raises what a worker cannot unpickle as an Exception with the error's text
        reason = f"{type(error).__name__}: {error}"
        if "ModuleNotFoundError" not in reason:
            raise
        raise UsageError(
            f"a worker of {address} lacks a package ({shown(str(error))}); install initperf "
            f"{own['initperf']} in the environment that runs 'dask worker'"
        ) from None
    for worker, there in found.items():
        for name, version in own.items():
            if there[name] != version:
                raise UsageError(
                    f"worker {worker} has {name} {there[name]}, and this process {version}: "
                    "results could differ; install the same version on both"
                )


def trained(
    client: "Client",
    calls: Iterable[tuple[str, str, str]],
    sets: Mapping[str, Dataset],
    stop: Stop,
) -> Iterator[Run]:
    """Give the runs of experiments as they end.

    Parameters
    ----------
    client : distributed.Client
    calls : iterable of tuple of str
        JSON of each experiment, name of its run and name of its data set.
    sets : mapping of str to Dataset
        Data sets by name.
    stop : Stop
        Ends the waiting. Runs that have not begun are cancelled then, and those under way end by
        themselves when the time is over.

    Raises
    ------
    initperf.errors.UsageError
        When the connection is lost, or a run has ended several workers.
    """
    import asyncio
    from concurrent.futures import CancelledError

    from distributed import KilledWorker, as_completed

    # Dask's own errors of a lost connection are of these classes
    lost = (CancelledError, asyncio.CancelledError, OSError, TimeoutError)
    futures = []
    try:
        # Tasks, and not scattered: Dask keeps scattered data on one worker (its active memory
        # manager drops other copies), and cancels what needs data that a dead worker had.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of a task as large as its data
            there = {
                name: client.submit(handed_on, dataset, key=f"data-{secrets.token_hex(4)}")
                for name, dataset in sets.items()
            }
        futures = [
            client.submit(
                train_here,
                text,
                run,
                there[name],
                stop.deadline,
                key=f"{run}-{secrets.token_hex(4)}",
            )
            for text, run, name in calls
        ]
        left = stop.left
        limit = None if left == float("inf") else left
        for future in as_completed(futures, loop=client.loop, timeout=limit):
            yield future.result()
    except StoppedError:  # a worker's clock is ahead of this one's
        return
    except KilledWorker as error:
        raise UsageError(
            f"a run has ended several workers, perhaps for want of memory: {error}"
        ) from None
    except lost as error:
        if not stop.left:
            return
        reason = shown(str(error)) if str(error) else type(error).__name__
        raise UsageError(f"the scheduler was lost ({reason}); {_AGAIN}") from None
    finally:
        with contextlib.suppress(*lost):
            client.cancel(futures, force=True)
