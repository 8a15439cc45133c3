"""Samples of perf: stacks, a table of functions, and the boxes of a flame graph.

Flame graphs after Gregg, "The flame graph", Communications of the ACM 59 (2016).
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

_FRAME = re.compile(r"\s+([0-9a-f]+) (.*) \((.*?)\)$")
_THREAD = re.compile(r"\S.*?\s(\d+)\s+\d+\.\d+:")
_PYTHON = re.compile(r"(^|/)(lib)?python[\d.]*(\.so[\d.]*)?$")
_LEAST_SHARE = 0.0005  # of all samples, half a pixel on a wide page: narrower boxes are left out

KINDS = (JITTED, BLAS, PYTHON, NATIVE, SYSTEM) = "jitted", "BLAS", "Python", "native", "system"


class Frame(NamedTuple):
    """A function on a stack, and its kind of code, one of KINDS."""

    name: str
    kind: str


Stack = tuple[Frame, ...]


class Sample(NamedTuple):
    """A thread's number, and its stack from the outermost function to the innermost."""

    thread: int
    stack: Stack


ALL = Frame("all samples", NATIVE)
"""The lowest box of a flame graph."""


@dataclass(frozen=True)
class Box:
    """A function above its callers in a flame graph.

    Attributes
    ----------
    stack : tuple of Frame
        From ALL to the function.
    left, width : float
        The left edge and the width, as shares of the whole.
    count : int
        Number of samples in the function and in what it called.
    """

    stack: Stack
    left: float
    width: float
    count: int

    @property
    def frame(self) -> Frame:
        """The function."""
        return self.stack[-1]

    @property
    def level(self) -> int:
        """Number of boxes below."""
        return len(self.stack) - 1


def read_samples(text: str) -> Iterator[Sample]:
    """Read what ``perf script -F comm,tid,time,event,ip,sym,dso`` prints.

    Consecutive frames of CPython become one, which names the interpreter: its C functions do not
    show which Python code they run.
    """
    for paragraph in re.split(r"\n\s*\n", text):
        thread, frames = 0, list[Frame]()
        for line in paragraph.splitlines():
            if found := _FRAME.match(line):
                frame = _frame(*found.groups())
                if not (frames and frame == frames[-1] and frame.kind == PYTHON):
                    frames.append(frame)
            elif header := _THREAD.match(line):
                thread = int(header.group(1))
        if frames:
            yield Sample(thread, tuple(reversed(frames)))


def _frame(address: str, name: str, image: str) -> Frame:
    if image.startswith("/tmp/perf-") and image.endswith(".map"):
        return Frame("machine code without a name" if name == "[unknown]" else name, JITTED)
    if image.startswith("[kernel") or image.endswith(".ko") or address.startswith("ffffffff"):
        return Frame(name, SYSTEM)
    if _PYTHON.search(image):
        return Frame("CPython", PYTHON)
    short = image.rpartition("/")[2]
    if name == "[unknown]":
        name = "?" if short.startswith("[") or not short else f"? in {short}"
    return Frame(name, BLAS if "blas" in short or "mkl" in short else NATIVE)


def functions(samples: Sequence[Sample]) -> list[dict[str, Any]]:
    """Return a row for each function, the busiest first.

    Returns
    -------
    list of dict
        function, code (its kind), percent of all samples that were in it, and
        with_callees_percent, which adds what it called, as far as stacks could be unwound.
    """
    own = Counter(sample.stack[-1] for sample in samples)
    within = Counter(frame for sample in samples for frame in set(sample.stack))
    return [
        {
            "function": frame.name,
            "code": frame.kind,
            "percent": 100.0 * own[frame] / len(samples),
            "with_callees_percent": 100.0 * count / len(samples),
        }
        for frame, count in sorted(within.items(), key=lambda item: (-own[item[0]], -item[1]))
    ]


def stack_counts(samples: Iterable[Sample]) -> Counter[Stack]:
    """Return the number of samples in each stack or in what it called, by stacks from ALL on."""
    stacks = ((ALL, *sample.stack) for sample in samples)
    return Counter(stack[: depth + 1] for stack in stacks for depth in range(len(stack)))


def flame(samples: Iterable[Sample]) -> list[Box]:
    """Return the boxes of a flame graph, callers first; the first one stands for all samples."""
    counts = stack_counts(samples)
    total = counts[(ALL,)]
    boxes = []
    edges = [0]  # where the next box of each level begins, in samples
    for stack, count in sorted(counts.items()):
        level = len(stack) - 1
        left = edges[level]
        edges[level:] = [left + count, left]
        if count / total >= _LEAST_SHARE:
            boxes.append(Box(stack, left / total, count / total, count))
    return boxes
