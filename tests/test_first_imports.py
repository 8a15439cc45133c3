"""What a first draw imports, and what it says when it has to compile."""

import logging
import threading
from contextlib import nullcontext
from types import SimpleNamespace

import child
import numba
import pytest

from initperf.jit.notice import LOGGER, CompileNotice, announce

JIT = {"NUMBA_DISABLE_JIT": "0"}

DRAW = """
import sys
import initperf
assert initperf.draw("he_normal", (30, 20), rng=0).shape == (30, 20)
print(*sys.modules)
"""


@pytest.mark.slow
def test_a_draw_imports_neither_what_it_does_not_call_nor_what_only_compilation_needs(tmp_path):
    known = JIT | {"INITPERF_CACHE": str(tmp_path)}
    compiling, loading = (set(child.run(DRAW, **known).split()) for _ in range(2))
    for needless in (
        "initperf.kernels.train_epoch",
        "initperf.kernels.haar",
        "initperf.schemes",
        "initperf.training",
        "scipy.linalg",
        "scipy.optimize",
        "scipy.special",
    ):
        assert needless not in loading
    assert "numba.np.linalg" in compiling
    assert "numba.np.linalg" not in loading


def test_packages_import_the_module_of_a_name_when_it_is_asked_for():
    code = """
    import sys
    import initperf, initperf.theory
    assert "relu_log_norm" in dir(initperf.theory)
    assert "scipy" not in sys.modules
    initperf.theory.relu_log_norm
    assert "initperf.theory.finite_width" in sys.modules
    assert "initperf.theory.jacobian" not in sys.modules
    for package in (initperf, initperf.theory):
        for name in package.__all__:
            assert getattr(package, name) is getattr(package, name)
        try:
            package.nothing_like_it
        except AttributeError as error:
            print(error)
    """
    assert child.run(code).splitlines() == [
        "module 'initperf' has no attribute 'nothing_like_it'",
        "module 'initperf.theory' has no attribute 'nothing_like_it'",
    ]


def test_a_missing_backend_of_keras_is_named(tmp_path):
    """Keras itself is here, and its backend, by default TensorFlow, is not."""
    (tmp_path / "keras.py").write_text("import no_such_tensorflow\n")
    code = """
    import sys
    sys.path.insert(0, sys.argv[1])
    try:
        import initperf.keras
    except ImportError as error:
        print(error)
    """
    assert child.run(code, str(tmp_path)) == (
        "Keras's backend needs no_such_tensorflow, which is not installed; the environment "
        "variable KERAS_BACKEND chooses another: jax, tensorflow or torch\n"
    )


def test_the_file_of_a_kernel_is_imported_when_it_is_asked_for_by_any_spelling():
    code = """
    import sys
    from initperf.kernels import KERNELS
    of = lambda name: f"initperf.kernels.{name}" in sys.modules
    assert KERNELS["Squared-Norm"].name == "squared_norm" and of("squared_norm")
    assert not of("transpose") and "transpose" in KERNELS and of("transpose")
    for wrong in ("_kernel", "nothing_like_it", "not.one", ""):
        assert wrong not in KERNELS
    print(len(KERNELS), list(KERNELS) == sorted(KERNELS), of("haar"))
    """
    count, ordered, imported = child.run(code).split()
    assert (int(count) > 10, ordered, imported) == (True, "True", "True")


class Told(logging.Handler):
    """Messages, and an event of the first of them."""

    def __init__(self):
        super().__init__()
        self.messages, self.first = [], threading.Event()

    def emit(self, record):
        self.messages.append(record.getMessage())
        self.first.set()


@pytest.fixture
def told(caplog):
    caplog.set_level(logging.INFO, logger=LOGGER.name)
    handler = Told()
    LOGGER.addHandler(handler)
    yield handler
    LOGGER.removeHandler(handler)


class Timers:
    """The time and the timers of a notice, whose time passes only where a test says so."""

    Lock = threading.Lock

    def __init__(self):
        self.now, self.started = 0.0, []

    def perf_counter(self):
        return self.now

    def Timer(self, seconds, function, arguments):  # noqa: N802  # as in threading
        ends = self.now + seconds
        timer = SimpleNamespace(
            start=lambda: self.started.append((ends, timer)),
            cancel=lambda: self.started.remove((ends, timer)),
            run=lambda: function(*arguments),
        )
        return timer

    def sleep(self, seconds):
        self.now += seconds
        for ends, timer in self.started:
            if self.now - seconds < ends <= self.now:
                timer.run()


@pytest.fixture
def timers(monkeypatch):
    found = Timers()
    for module in ("threading", "time"):
        monkeypatch.setattr(f"initperf.jit.notice.{module}", found)
    return found


def test_a_long_wait_for_the_compiler_is_told_once_while_it_lasts(told):
    notice = CompileNotice(0.02)
    with notice.compiling("first"):
        assert told.first.wait(child.TIMEOUT_SECONDS)
    with notice.compiling("second"):
        threading.Event().wait(0.1)
    assert told.messages == ["compiling (once per machine): first"]


def test_short_waits_add_up_and_nested_ones_count_once(told, timers):
    notice = CompileNotice(0.5)
    for name in ("first", "second"):
        with notice.compiling(name), notice.compiling("within"):
            timers.sleep(0.2)
        timers.sleep(5.0)
    assert told.messages == []  # 0.4 s, not 0.8 s
    with notice.compiling("third"):
        timers.sleep(0.09)
        assert told.messages == []
        timers.sleep(0.02)
        assert told.messages == ["compiling (once per machine): third"]


@pytest.mark.parametrize("lacking", [(), ("numba.core.registry:CPUDispatcher()._renamed",)])
def test_the_compiler_of_a_jitted_function_is_timed_where_numba_lets_it(monkeypatch, lacking):
    timed = []
    kept = SimpleNamespace(compiling=lambda name: nullcontext(timed.append(name)))
    monkeypatch.setattr("initperf.jit.notice._NOTICE", kept)
    monkeypatch.setattr("initperf.jit.internals.missing", lambda part: lacking)

    @numba.njit
    def one_more(x):
        return x + 1

    announce(one_more)
    assert [one_more(1), one_more(2)] == [2, 3]
    watched = not lacking and not numba.config.DISABLE_JIT
    assert timed == [one_more.__qualname__] * watched


def test_no_wait_is_told_after_a_failure(told, timers):
    notice = CompileNotice(0.05)
    with pytest.raises(InterruptedError), notice.compiling("fails"):
        raise InterruptedError
    timers.sleep(0.2)
    assert told.messages == []


def test_a_verb_shows_messages_on_a_terminal_only(monkeypatch, capsys):
    from initperf.cli._messages import messages

    for terminal, shown in ((True, "initperf: compiling\n"), (False, "")):
        monkeypatch.setattr("sys.stderr.isatty", lambda terminal=terminal: terminal)
        with messages():
            LOGGER.info("compiling")
        LOGGER.info("after the verb")
        assert capsys.readouterr().err == shown
