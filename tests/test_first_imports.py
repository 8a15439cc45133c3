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


@pytest.fixture
def told(caplog):
    caplog.set_level(logging.INFO, logger=LOGGER.name)
    return lambda: [record.message for record in caplog.records]


def test_a_long_wait_for_the_compiler_is_told_once_while_it_lasts(told):
    notice, timer_ran = CompileNotice(0.02), threading.Event()
    for name in ("first", "second"):
        with notice.compiling(name):
            timer_ran.wait(0.2)
            assert told() == ["compiling (once per machine): first"]


@pytest.mark.slow
def test_short_waits_add_up_and_nested_ones_count_once(told):
    notice, pause = CompileNotice(0.5), threading.Event()
    for name in ("first", "second"):
        with notice.compiling(name), notice.compiling("within"):
            pause.wait(0.2)
    assert told() == []  # 0.4 s, not 0.8 s
    with notice.compiling("third"):
        pause.wait(0.4)
        assert told() == ["compiling (once per machine): third"]


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


def test_no_wait_is_told_after_a_failure(told):
    notice = CompileNotice(0.05)
    with pytest.raises(InterruptedError), notice.compiling("fails"):
        raise InterruptedError
    threading.Event().wait(0.2)
    assert told() == []


def test_a_verb_shows_messages_on_a_terminal_only(monkeypatch, capsys):
    from initperf.cli._messages import messages

    for terminal, shown in ((True, "initperf: compiling\n"), (False, "")):
        monkeypatch.setattr("sys.stderr.isatty", lambda terminal=terminal: terminal)
        with messages():
            LOGGER.info("compiling")
        LOGGER.info("after the verb")
        assert capsys.readouterr().err == shown
