"""Fills of one array by several threads that wait for each other in compiled code.

A board is an array of int64 that the threads share. The caller writes a job on it and opens it by
an odd ticket; helpers that spin on the ticket join it and take parts, as the caller does, until
none is left. Each has a range of its own, whose lines stay in its caches from fill to fill, and
takes from the ranges of others when it has finished that. The caller then closes the ticket and
waits for the helpers that are still active: none that comes later touches the array. A board has
one caller at a time.
"""

from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

from initperf.jit.atomics import (
    add,
    fetch,
    give_way,
    lock,
    make_condition,
    make_mutex,
    notify_all,
    pause,
    replace,
    store,
    unlock,
    wait_for,
)
from initperf.jit.internals import array_maker, cgutils, fill_array, struct_value
from initperf.jit.policy import jit, portable
from initperf.kernels._philox_block import WORDS

LINE = 16
"""Int64 of two cache lines, which processors fetch in pairs."""

OWNED, TICKET, ACTIVE, AWAKE, CALLED, MUTEX, CONDITION, JOB, RANGES = (
    LINE * place for place in range(9)
)
"""Places on a board: whether it has a caller; number of the job, odd while it is open; helpers
that take part in it, that wait for one, and that are called from their sleep; what they sleep at;
the job; and for each thread the first block of its range that is left."""

ADDRESS, KIND, DATA, KEY, STREAM, START, COUNT, PEOPLE, FAILED = (JOB + at for at in range(9))
"""Places of a job: the kernel's address and its index in `KINDS`; address of the array, key,
stream and first index; number of values; number of threads; and whether a part failed."""

LEAST, MOST = JOB + 9, JOB + 10
"""Places of the least and the largest number of blocks of a part."""

STALL = 4096
"""Turns of waiting for an active helper, after which the caller lets others run."""

OCCUPIED, UNDONE = -1, -2
"""Results of `lead_fill`: the board has another caller; a part could not be filled."""

KINDS = [(kind, count) for kind in (types.float32, types.float64) for count in (2, 7)]
"""Dtypes of a fill's array, and numbers of its parameters."""

PARAMETERS = max(count for _, count in KINDS)


@intrinsic
def _fill(typing, board, values, begin, stop):  # type: ignore[no-untyped-def]  # numba's types
    """Fill the values from `begin` to `stop` of the job's array; return whether that succeeded."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        words, numbers, first, last = arguments

        def entry(kind: Any, array: Any, place: int) -> Any:
            data = context.make_array(kind)(context, builder, array).data
            return builder.load(cgutils.gep_inbounds(builder, data, place))

        whole = {place: entry(board, words, place) for place in range(ADDRESS, COUNT)}
        start = builder.add(whole[START], first)
        length = builder.sub(last, first)
        succeeded = cgutils.alloca_once_value(builder, context.get_constant(types.boolean, True))
        for number, (dtype, count) in enumerate(KINDS):
            index = context.get_constant(types.int64, number)
            with builder.if_then(builder.icmp_signed("==", whole[KIND], index)):
                size = context.get_constant(types.intp, dtype.bitwidth // 8)
                kind = types.Array(dtype, 1, "C")
                view = array_maker(kind)(context, builder)
                data = builder.add(whole[DATA], builder.mul(first, size))
                fill_array(
                    view,
                    data=builder.inttoptr(data, context.get_value_type(dtype).as_pointer()),
                    shape=cgutils.pack_array(builder, [length]),
                    strides=cgutils.pack_array(builder, [size]),
                    itemsize=size,
                    meminfo=None,
                )
                kinds = (kind, *[types.uint64] * 3, *[types.float64] * count)
                convention = context.call_conv
                pointer = convention.get_function_type(types.none, kinds).as_pointer()
                status, _ = convention.call_function(
                    builder,
                    builder.inttoptr(whole[ADDRESS], pointer),
                    types.none,
                    kinds,
                    [
                        struct_value(view),
                        whole[KEY],
                        whole[STREAM],
                        start,
                        *(entry(values, numbers, place) for place in range(count)),
                    ],
                )
                builder.store(status.is_ok, succeeded)
        return builder.load(succeeded)

    return types.boolean(board, values, types.int64, types.int64), generate


@portable
def _take_parts(board: Any, values: Any, index: Any) -> None:
    """Fill parts of the job, of this thread's range and then of the others, until none is left."""
    people, count = board[PEOPLE], board[COUNT]
    least, most = board[LEAST], board[MOST]
    blocks = -(-count // WORDS)
    for turn in range(people):
        owner = (index + turn) % people
        stop = blocks * (owner + 1) // people
        place = RANGES + LINE * owner
        begin = fetch(board, place)
        while begin < stop:
            left = stop - begin
            size = min(left, most, max(least, left // 2))
            if replace(board, place, begin, begin + size):
                last = min((begin + size) * WORDS, count)
                if not _fill(board, values, begin * WORDS, last):
                    store(board, FAILED, 1)
            begin = fetch(board, place)


@portable
def _sleep(board: Any) -> None:
    """Wait, without using a processor, until a caller asks for helpers."""
    lock(board, (MUTEX,))
    while board[CALLED] == 0:
        wait_for(board, (CONDITION, MUTEX))
    board[CALLED] -= 1
    add(board, AWAKE, 1)
    unlock(board, (MUTEX,))


@portable
def _call_helpers(board: Any, helpers: Any) -> None:
    """Call as many helpers as are missing and have not been called."""
    lock(board, (MUTEX,))
    missing = helpers - fetch(board, AWAKE) - board[CALLED]
    if missing > 0:
        board[CALLED] += missing
        notify_all(board, (CONDITION,))
    unlock(board, (MUTEX,))


@portable
def _take_jobs(board: Any, values: Any, index: Any, patience: Any) -> None:
    """Take part in jobs until there has been none for so many turns of waiting."""
    seen = np.int64(0)
    idle = 0
    while idle < patience:
        ticket = fetch(board, TICKET)
        if ticket != seen and ticket % 2 == 1:
            add(board, ACTIVE, 1)
            if fetch(board, TICKET) == ticket and index < board[PEOPLE]:
                _take_parts(board, values, index)
                idle = 0
            add(board, ACTIVE, -1)
            seen = ticket
        else:
            pause()
            idle += 1


@jit
def help_fill(
    board: np.ndarray, values: np.ndarray, index: int, patience: int, forever: bool
) -> None:
    """Take part in jobs when called, until there has been none for a while; then sleep.

    Parameters
    ----------
    board : numpy.ndarray
        Int64, shape (RANGES + LINE * threads,).
    values : numpy.ndarray
        Float64, shape (PARAMETERS,): parameters of the job's kernel.
    index : int
        Number of this thread among those of the board; the caller is 0.
    patience : int
        Turns of waiting.
    forever : bool
        Whether to sleep at first and ever again. Otherwise the board is prepared for helpers that
        do, and there is no sleep.
    """
    if not forever:
        make_mutex(board, (MUTEX,))
        make_condition(board, (CONDITION,))
        _take_jobs(board, values, index, patience)
    while forever:
        _sleep(board)
        _take_jobs(board, values, index, patience)
        add(board, AWAKE, -1)


@portable
def _write_job(board: Any, values: Any, job: Any, out: Any, source: Any, parameters: Any) -> None:
    address, kind, count, people, least, most = job
    key, stream, start = source
    board[ADDRESS], board[KIND], board[DATA] = address, kind, out.ctypes.data
    board[KEY], board[STREAM], board[START] = np.int64(key), np.int64(stream), np.int64(start)
    board[COUNT], board[PEOPLE], board[FAILED] = count, people, 0
    board[LEAST], board[MOST] = least, most
    for place in range(PARAMETERS):
        values[place] = parameters[place]
    blocks = -(-count // WORDS)
    for owner in range(people):
        board[RANGES + LINE * owner] = blocks * owner // people


@jit
def lead_fill(
    board: np.ndarray,
    values: np.ndarray,
    job: tuple[int, ...],
    out: np.ndarray,
    source: tuple[np.uint64, ...],
    parameters: tuple[float, ...],
) -> int:
    """Fill an array with those helpers that wait at the board.

    Parameters
    ----------
    board, values : numpy.ndarray
        As `help_fill` takes them.
    job : tuple of int
        Address of the kernel, its index in `KINDS`, number of values, number of threads, and the
        least and the largest number of blocks of a part.
    out : numpy.ndarray
        Written: the bytes of the array.
    source : tuple of numpy.uint64
        Key, stream and first index.
    parameters : tuple of float
        Parameters of the kernel, and zeros up to `PARAMETERS`.

    Returns
    -------
    int
        Turns that were spent waiting for helpers at the end, `OCCUPIED` or `UNDONE`.
    """
    if not replace(board, OWNED, 0, 1):
        return OCCUPIED
    _write_job(board, values, job, out, source, parameters)
    if fetch(board, AWAKE) < board[PEOPLE] - 1:
        _call_helpers(board, board[PEOPLE] - 1)
    add(board, TICKET, 1)
    _take_parts(board, values, 0)
    add(board, TICKET, 1)
    turns = 0
    while fetch(board, ACTIVE) > 0:
        pause()
        turns += 1
        if turns % STALL == 0:
            give_way(board, ())
    failed = board[FAILED]
    store(board, OWNED, 0)
    return UNDONE if failed else turns
