"""Registry of kernels: each a NumPy reference, its Numba twin, their cases and their loads."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from initperf._core.arguments import BACKENDS
from initperf._core.registry import Registry
from initperf.jit.policy import Function
from initperf.kernels._load import Load


@dataclass(frozen=True)
class Case:
    """Arguments on which both halves of a kernel must agree.

    Attributes
    ----------
    label : str
        Names the case in the test report.
    arguments : callable
        Makes fresh arguments, the same at every call.
    writes : tuple of int
        Positions of the arguments that the kernel writes; all others must come back untouched.
    tolerance : float
        The largest difference allowed, relative to the largest magnitude of each output; 0 asks
        for the same bits. Derive it from the number of roundings, in units of the dtype's eps.
    """

    label: str
    arguments: Callable[[], tuple[Any, ...]]
    writes: tuple[int, ...] = ()
    tolerance: float = 0.0


@dataclass(frozen=True)
class Kernel(Mapping[str, Function]):
    """A NumPy reference and its Numba twin; ``kernel["numba"]`` gives one of them.

    Attributes
    ----------
    name : str
        The name both go by.
    numpy, numba : callable
        The readable specification, and the compiled twin with the same arguments.
    cases : callable
        Makes the cases on which the two are compared.
    loads : callable
        Makes what the two are timed on.
    """

    name: str
    numpy: Function
    numba: Function
    cases: Callable[[], Iterator[Case]]
    loads: Callable[[], Iterator[Load]]

    def __getitem__(self, backend: str) -> Function:
        if backend not in BACKENDS:
            raise KeyError(f"unknown backend {backend!r}; there are {', '.join(BACKENDS)}")
        return self.numpy if backend == "numpy" else self.numba

    def __iter__(self) -> Iterator[str]:
        return iter(BACKENDS)

    def __len__(self) -> int:
        return len(BACKENDS)


KERNELS: Registry[Kernel] = Registry("kernel", plugins="initperf.kernels")


def register(
    name: str,
    *,
    numpy: Function,
    numba: Function,
    cases: Callable[[], Iterator[Case]],
    loads: Callable[[], Iterator[Load]],
) -> Kernel:
    """Add a kernel to the catalogue; every kernel's file ends with this call."""
    return KERNELS.register(name, Kernel(name, numpy, numba, cases, loads))
