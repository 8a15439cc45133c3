"""Processes that draw figures for another, which they serve through pipes."""

import os
import pickle  # noqa: TID251  # between two processes of one program, and never on disk
import subprocess
import sys
from contextlib import suppress
from typing import Any

from initperf._core.child_python import python_command
from initperf._core.parallel import interrupts_ignored

_COMMAND = """
import sys
sys.path[:] = sys.argv[1:]
from initperf_figures._process import serve
serve()
"""


class Process:
    """A process that calls functions one at a time, and ignores Ctrl-C.

    It imports this package as soon as it is made, while this process goes on. Pools of joblib
    start their processes when they have work, and keep this process from working itself.

    Raises
    ------
    OSError
        When it cannot be started.
    """

    def __init__(self) -> None:
        with interrupts_ignored():
            self._process = subprocess.Popen(
                python_command("-c", _COMMAND, *sys.path),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )

    def call(self, *call: Any) -> Any:
        """Return the result of a function in the other process.

        Parameters
        ----------
        *call : object
            The function, which may be one of ``__main__`` or of no module, and its arguments.

        Raises
        ------
        RuntimeError
            When the function raises there.
        OSError, EOFError
            When the process has ended.
        """
        from joblib import wrap_non_picklable_objects

        given, answers = self._process.stdin, self._process.stdout
        assert given is not None
        assert answers is not None
        given.write(pickle.dumps(wrap_non_picklable_objects(call, keep_wrapper=False)))
        given.flush()
        failure, result = pickle.load(answers)  # noqa: S301  # from a child
        if failure:
            raise RuntimeError(failure)
        return result

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        with suppress(OSError), self._process:  # closes the pipes, and waits
            pass


def serve() -> None:
    """Call the functions that arrive on standard input, until it ends.

    What they print goes to standard error: results go through standard output.
    """
    results = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    with suppress(EOFError, OSError):  # where the process that is served has ended
        while True:
            try:
                function, *arguments = pickle.load(sys.stdin.buffer)  # noqa: S301  # from the parent
                answer = pickle.dumps(("", function(*arguments)))
            except EOFError:
                raise
            except Exception as error:
                answer = pickle.dumps((f"{type(error).__name__}: {error}", None))
            results.write(answer)
            results.flush()
    os._exit(0)  # without the second that it takes to take all apart
