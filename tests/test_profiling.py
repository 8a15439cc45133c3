"""The parts of a profile: spans, samples as perf printed them, the flame graph, the trace."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from initperf import Experiment, train
from initperf.profiling import perf
from initperf.profiling.compiling import numba_passes
from initperf.profiling.page import as_json, page
from initperf.profiling.samples import Frame, Sample, flame, functions, read_samples
from initperf.profiling.session import Profile, profile
from initperf.profiling.spans import Span, seconds_by_name, trace
from initperf.profiling.target import Target
from initperf.training.phases import observed, phase

RECORDED = (Path(__file__).parent / "recorded" / "perf.script").read_text("utf-8")


def span(name, begin, end, kind="phase", thread=1):
    return Span(name, kind, begin, end, process=1, thread=thread)


NESTED = [span("inner", 2.0, 3.0), span("outer", 1.0, 5.0), span("later", 5.0, 6.0)]


def test_samples_are_read_as_perf_prints_them():
    first, second, third, fourth = read_samples(RECORDED)
    assert first.stack == (
        Frame("forward(UniTuple, int64, float32[,], …)", "jitted"),
        Frame("sgemm_nn", "BLAS"),
        Frame("sgemm_kernel_HASWELL", "BLAS"),
    )
    assert second.stack == (Frame("_epoch.steps(float32[,], int64[], int64[], …)", "jitted"),)
    assert [frame.kind for frame in third.stack] == ["native", "Python", "native", "system"]
    assert fourth.stack == (Frame("machine code without a name", "jitted"),)
    assert sorted(sample.thread for sample in read_samples(RECORDED)) == [9899, 9899, 9899, 9900]


def test_functions_count_with_and_without_what_they_call():
    rows = {row["function"]: row for row in functions(list(read_samples(RECORDED)))}
    forward = rows["forward(UniTuple, int64, float32[,], …)"]
    assert (forward["percent"], forward["with_callees_percent"]) == (0.0, 25.0)
    assert sum(row["percent"] for row in rows.values()) == pytest.approx(100.0)


def test_boxes_stand_within_those_of_their_callers():
    boxes = flame(read_samples(RECORDED))
    assert (boxes[0].frame.name, boxes[0].width, boxes[0].count) == ("all samples", 1.0, 4)
    above = {box.level: box for box in boxes[:1]}
    for box in boxes[1:]:
        below = above[box.level - 1]
        assert below.left <= box.left
        assert box.left + box.width <= below.left + below.width + 1e-12
        above[box.level] = box
    assert sum(box.width for box in boxes if box.level == 1) == pytest.approx(1.0)


def test_samples_in_a_caller_itself_leave_room_beside_what_it_calls():
    outer, inner, last = (Frame(name, "native") for name in ("outer", "inner", "z"))
    stacks = [(outer,), (outer, inner), (last,), (outer,)]
    found = {box.frame.name: box for box in flame(Sample(1, stack) for stack in stacks)}
    assert [(box.left, box.width) for box in found.values()] == [
        (0.0, 1.0),
        (0.0, 0.75),
        (0.0, 0.25),
        (0.75, 0.25),
    ]
    assert [found[name].count for name in ("outer", "inner", "z")] == [3, 1, 1]


def test_no_samples_give_no_boxes():
    assert flame([]) == []


class Event:
    def __init__(self, name, is_start):
        self.data, self.is_start = {"name": name}, is_start


def test_a_pass_counts_without_what_was_compiled_inside_it():
    events = [
        (1.0, Event("typing [outer]", True)),
        (2.0, Event("typing [inner]", True)),
        (2.5, Event("typing [inner]", False)),
        (5.0, Event("typing [outer]", False)),
        (5.0, Event("lowering [outer]", True)),
        (11.0, Event("lowering [outer]", False)),
    ]
    spans, rows = numba_passes(events)
    assert rows == [
        {"pass": "lowering", "runs": 1, "seconds": 6.0},
        {"pass": "typing", "runs": 2, "seconds": 4.0},
    ]
    assert [one.name for one in spans] == ["typing [inner]", "typing [outer]", "lowering [outer]"]
    assert spans[1].seconds == pytest.approx(4.0, abs=1e-6)  # times of day have no more digits


def test_spans_of_one_name_are_added_up():
    assert seconds_by_name([*NESTED, span("later", 7.0, 9.0)]) == {
        "inner": 1.0,
        "outer": 4.0,
        "later": 3.0,
    }


def test_the_trace_is_what_perfetto_reads():
    written = json.loads(json.dumps(trace(NESTED, {1: "measured"})))
    name, *events = written["traceEvents"]
    assert (name["ph"], name["args"]["name"]) == ("M", "measured")
    assert [event["name"] for event in events] == ["outer", "inner", "later"]
    assert [event["ts"] for event in events] == [0.0, 1e6, 4e6]
    for event in events:
        assert set(event) == {"name", "cat", "ph", "ts", "dur", "pid", "tid"}
        assert (event["ph"], event["dur"] >= 0) == ("X", True)


def test_phases_are_told_to_who_observes_and_to_nobody_else():
    told = []
    with phase("before"):
        pass
    with observed(lambda name, begin, end: told.append(name)):
        with phase("outer"), phase("inner"):
            pass
        with pytest.raises(ZeroDivisionError), phase("failing"):
            raise ZeroDivisionError
    with phase("after"):
        pass
    assert told == ["inner", "outer", "failing"]


def test_training_names_its_phases(blobs):
    told = []
    experiment = Experiment("he_normal", "relu", hidden=(4,), epochs=2, backend="numpy")
    with observed(lambda name, begin, end: told.append(name)):
        train(experiment, dataset=blobs)
    assert set(told) == {"data", "compile or load", "draw", "steps", "evaluation"}
    assert told.count("steps") == 2
    assert told.count("evaluation") == 3


def test_without_perf_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(perf.sys, "platform", "linux")
    with pytest.raises(perf.PerfError, match="apt install linux-perf"):
        perf.sampled(int, 0.0)
    monkeypatch.setattr(perf.sys, "platform", "darwin")
    with pytest.raises(perf.PerfError, match="Linux only"):
        perf.sampled(int, 0.0)


DEAF = """\
import sys, time
if sys.argv[1] == "record":
    print("attached", flush=True)
    time.sleep(60)
"""

REFUSING = """\
import sys
if sys.argv[1] == "record":
    sys.exit("Error:\\nNo permission to enable cycles event.")
if sys.argv[1] == "script":
    sys.exit("failed to open perf.data: No such file or directory")
"""

EMPTY = """\
import sys
if sys.argv[1] == "record":
    print("attached", flush=True)
    sys.stdin.read()
    sys.exit("[ perf record: Captured and wrote 0.006 MB perf.data ]")
"""


@pytest.fixture
def stand_in(monkeypatch, tmp_path):
    """Put a program in the place of perf, and nothing else on the path."""

    def put(code):
        path = tmp_path / "perf"
        path.write_text(f"#!{sys.executable}\n{code}")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr(perf.sys, "platform", "linux")

    return put


posix = pytest.mark.skipif(sys.platform == "win32", reason="perf is Linux's")


@posix
def test_a_perf_that_does_not_end_is_ended_and_told_of(stand_in):
    stand_in(DEAF)
    with pytest.raises(perf.PerfError, match=r"did not end within 0\.1 s"):
        perf.sampled(int, 0.0, patience_s=0.1)


@posix
def test_a_perf_that_refuses_is_quoted_and_nothing_is_called(stand_in):
    stand_in(REFUSING)
    calls = []
    with pytest.raises(perf.PerfError, match=r"cannot sample here \(No permission to enable"):
        perf.sampled(lambda: calls.append(1), 0.0)
    assert not calls


@posix
def test_a_perf_without_samples_is_told_of(stand_in):
    stand_in(EMPTY)
    calls = []
    with pytest.raises(perf.PerfError, match=r"Captured and wrote 0\.006 MB"):
        perf.sampled(lambda: calls.append(1), 0.0)
    assert calls == [1]


@posix
def test_perf_leaves_no_libraries_in_the_home(stand_in, tmp_path):
    words = tmp_path / "words"
    stand_in(
        f"import pathlib, sys\nwith open({str(words)!r}, 'a') as file: print(*sys.argv, file=file)"
    )
    with pytest.raises(perf.PerfError):
        perf.sampled(int, 0.0)
    (line,) = (line for line in words.read_text().splitlines() if " record " in line)
    options, _, _ = line.partition(" -- ")
    assert "--no-buildid-cache" in options.split()


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan")])
def test_a_profile_takes_some_time(seconds):
    with pytest.raises(ValueError, match="must be positive"):
        profile(Target("kernel", "fill_normal"), seconds)


def test_the_page_needs_nothing_else_and_shows_everything():
    samples = list(read_samples(RECORDED))
    found = Profile(
        title="a <kernel>",
        tables={"phases": [{"phase": "import", "seconds": 0.25}], "samples": functions(samples)},
        notes=["a note"],
        trace=trace(NESTED, {1: "measured"}),
        samples=samples,
        event="cpu-clock",
        script=RECORDED,
    )
    text = page(found)
    assert "a &lt;kernel&gt;" in text
    # landmarks and keyboards: axe's rules region and scrollable-region-focusable
    body = text.partition("<body>")[2].partition("<script>")[0].strip()
    assert body.startswith("<main>")
    assert body.endswith("</main>")
    assert text.count('<div class="table" tabindex="0" role="group" aria-label=') == 2
    assert '<th scope="col" class="number">time</th>' in text
    assert '<td class="number">250 ms</td>' in text
    assert "prefers-color-scheme: dark" in text
    assert text.count("<button") == len(flame(samples))
    assert "forward(UniTuple, int64, float32[,], …): 1 sample, 25.0 %" in text
    assert "src=" not in text
    assert "href=" not in text
    assert as_json(found)["phases"] == [{"phase": "import", "seconds": 0.25}]
