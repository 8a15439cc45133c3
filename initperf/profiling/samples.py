"""Samples of perf: stacks, a table of functions, and the boxes of a flame graph.

Flame graphs after Gregg, "The flame graph", Communications of the ACM 59 (2016).
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
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


class Sample(NamedTuple):
    """A thread's number, and its stack from the outermost function to the innermost."""

    thread: int
    stack: tuple[Frame, ...]


class Box(NamedTuple):
    """A function above its callers in a flame graph: its level is their number.

    The left edge and the width are shares of the whole; the count is of the samples in the
    function and in what it called.
    """

    frame: Frame
    level: int
    left: float
    width: float
    count: int


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


def flame(samples: Iterable[Sample]) -> list[Box]:
    """Return the boxes of a flame graph, callers first; the first one stands for all samples."""
    stacks = sorted((Frame("all samples", NATIVE), *sample.stack) for sample in samples)
    return list(_boxes(stacks, 0, 0, len(stacks)))


def _boxes(stacks: list[tuple[Frame, ...]], level: int, left: int, total: int) -> Iterator[Box]:
    """Lay out sorted stacks that agree below a level, from a left edge in samples."""
    for frame, group in groupby(stacks, key=lambda stack: stack[level : level + 1]):
        if not frame:  # the samples in the caller itself
            continue
        alike = list(group)
        if len(alike) / total >= _LEAST_SHARE:
            yield Box(frame[0], level, left / total, len(alike) / total, len(alike))
            yield from _boxes(alike, level + 1, left, total)
        left += len(alike)
