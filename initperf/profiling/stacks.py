"""Samples of perf: stacks by thread, a table of functions, and the tree of a flame graph."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

_FRAME = re.compile(r"\s+([0-9a-f]+) (.*) \((.*?)\)$")
_THREAD = re.compile(r"\S.*?\s(\d+)\s+\d+\.\d+:")
_PYTHON = re.compile(r"(^|/)(lib)?python[\d.]*(\.so[\d.]*)?$")

JITTED, BLAS, PYTHON, NATIVE, SYSTEM = "jitted", "BLAS", "Python", "native", "system"


class Frame(NamedTuple):
    """A function on a stack, and what sort of code it is."""

    name: str
    kind: str


@dataclass(frozen=True)
class Sample:
    """Where a thread was, from the outermost function to the innermost."""

    thread: int
    stack: tuple[Frame, ...]


def read_samples(text: str) -> Iterator[Sample]:
    """Read what ``perf script -F comm,tid,time,event,ip,sym,dso`` prints.

    CPython's own functions in a row become one frame, which names the interpreter: they say
    nothing of the Python code that they run.
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


def functions(samples: Iterable[Sample]) -> list[dict[str, Any]]:
    """Return a row for each function, the busiest first.

    Returns
    -------
    list of dict
        function, code, percent of all samples that were in it, and with_callees_percent, which
        counts what it called too, as far as stacks could be unwound.
    """
    own: Counter[Frame] = Counter()
    within: Counter[Frame] = Counter()
    total = 0
    for sample in samples:
        total += 1
        own[sample.stack[-1]] += 1
        within.update(set(sample.stack))
    return [
        {
            "function": frame.name,
            "code": frame.kind,
            "percent": 100.0 * own[frame] / total,
            "with_callees_percent": 100.0 * count / total,
        }
        for frame, count in sorted(within.items(), key=lambda item: (-own[item[0]], -item[1]))
    ]


@dataclass
class Node:
    """A function below its callers, and how many samples it and what it called took."""

    frame: Frame
    count: int = 0
    below: dict[Frame, "Node"] = field(default_factory=dict)


def tree(samples: Iterable[Sample], root: str) -> Node:
    """Join stacks into a tree whose root stands for all of them."""
    top = Node(Frame(root, NATIVE))
    for sample in samples:
        node = top
        node.count += 1
        for frame in sample.stack:
            node = node.below.setdefault(frame, Node(frame))
            node.count += 1
    return top


def by_thread(samples: Iterable[Sample]) -> dict[int, int]:
    """Return how many samples each thread took."""
    counts: dict[int, int] = defaultdict(int)
    for sample in samples:
        counts[sample.thread] += 1
    return dict(counts)
