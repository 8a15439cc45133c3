"""Registry of kernels: NumPy references, Numba twins, test cases and benchmark loads."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from initperf._core.arguments import BACKENDS
from initperf._core.registry import Registry
from initperf.jit.policy import Function
from initperf.kernels._load import Load

Place = int | tuple[int | str, ...]


def leaves(arguments: Iterable[Any]) -> dict[Place, Any]:
    """Return arguments by place, with records opened.

    Parameters
    ----------
    arguments : iterable
        Those of a kernel, of which some may be named tuples.

    Returns
    -------
    dict
        Positions, or for the fields of a record ``(position, name)``, with as many names as
        records are nested.
    """
    found: dict[Place, Any] = {}

    def add(place: tuple[int | str, ...], value: Any) -> None:
        if hasattr(value, "_fields"):
            for name, field in value._asdict().items():
                add((*place, name), field)
        else:
            found[place if len(place) > 1 else place[0]] = value  # type: ignore[index]  # an int

    for position, value in enumerate(arguments):
        add((position,), value)
    return found


@dataclass(frozen=True)
class Case:
    """Arguments on which the twin of a kernel must agree with the reference.

    Attributes
    ----------
    label : str
        Names the case in the test report.
    arguments : callable
        Makes fresh arguments, the same at every call.
    writes : tuple of int or tuple
        Places of the arrays that the kernel writes: the position of an argument, or for a field of
        a record ``(position, name)``, see `leaves`. All others must come back untouched.
    unspecified : tuple of int or tuple
        Places of arrays that the kernel may write, and whose contents afterwards mean nothing.
    tolerance : float
        The largest difference allowed, relative to the largest magnitude of each output; 0 asks
        for the same bits. Derive it from the number of roundings, in units of the dtype's eps.
    """

    label: str
    arguments: Callable[[], tuple[Any, ...]]
    writes: tuple[Place, ...] = ()
    unspecified: tuple[Place, ...] = ()
    tolerance: float = 0.0


@dataclass(frozen=True)
class Kernel(Mapping[str, Function]):
    """A NumPy reference and its Numba twin; ``kernel["numba"]`` gives one of them.

    Attributes
    ----------
    name : str
        Canonical name.
    numpy, numba : callable
        The readable specification, and the compiled twin with the same arguments.
    cases : callable
        Generates the test cases on which the two are compared.
    loads : callable
        Generates the loads on which the two are timed.
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
    """Add a kernel to the registry; every kernel's file ends with this call.

    Parameters
    ----------
    name : str
        Canonical name.
    numpy, numba : callable
        The reference and its twin, which take the same arguments.
    cases, loads : callable
        Generate test cases and benchmark loads.

    Returns
    -------
    Kernel

    Raises
    ------
    ValueError
        When the name is taken.
    """
    return KERNELS.register(name, Kernel(name, numpy, numba, cases, loads))
