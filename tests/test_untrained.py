"""Tables of untrained networks: which calls are made, and what the tables hold."""

import pandas as pd
import pytest

from initperf.report import untrained
from initperf.report.untrained import Untrained
from initperf.training.each_network import EachNetwork


@pytest.fixture
def made():
    """Give what was measured, in the order of the calls."""
    return []


@pytest.fixture
def tables(made):
    """Give two tables: of two setups, and of one; networks are letters here."""

    def of(networks, table):
        def measured(network):
            made.append((table, network))
            return pd.DataFrame({"network": [network] * 2, "layer": [2, 1]})

        return EachNetwork(tuple(networks), measured, ("network", "layer"))

    return {
        "signal": {"wide": of("ba", "signal"), "deep": of("c", "signal")},
        "descent": {"wide": of("d", "descent")},
    }


CALLS = [("signal", "b"), ("signal", "a"), ("signal", "c"), ("descent", "d")]


def silent(*_):
    pass


def test_each_call_measures_the_next_network_and_none_is_given_twice(tables, made):
    waiting = Untrained(tables)
    assert len(waiting) == 4
    calls = waiting.calls()
    first = next(calls)
    assert (len(waiting), made) == (3, [])  # given, and not yet made
    first()
    assert made == CALLS[:1]
    for call in waiting.calls():  # other calls go on from there
        call()
    assert (len(waiting), made) == (0, CALLS)
    assert list(calls) == []


def test_what_is_left_is_measured_at_the_end(tables, made, monkeypatch):
    monkeypatch.setenv("INITPERF_NUM_THREADS", "1")
    waiting, told = Untrained(tables), []
    next(waiting.calls())()
    found = waiting.finish(lambda *words: told.append(words))
    assert sorted(made) == sorted(CALLS)  # each once
    assert told == [(number, 3, "networks") for number in range(3)]
    assert len(waiting) == 0
    assert list(found) == ["signal", "descent"]


def test_tables_hold_every_network_in_order_whoever_measured_it(tables):
    waiting = Untrained(tables)
    for call in reversed(list(waiting.calls())):
        call()
    found = waiting.finish(silent)
    expected = pd.DataFrame(
        {
            "network": list("aabbcc"),
            "layer": [1, 2] * 3,
            "setup": ["wide"] * 4 + ["deep"] * 2,
        }
    )
    pd.testing.assert_frame_equal(found["signal"], expected)
    pd.testing.assert_frame_equal(
        found["descent"],
        pd.DataFrame({"network": ["d", "d"], "layer": [1, 2], "setup": ["wide"] * 2}),
    )


def test_the_end_measures_side_by_side_each_with_one_thread_of_blas(tables, monkeypatch):
    seen = []

    def side_by_side(function, items, workers):
        seen.append((list(items), workers, limits[-1]))
        return map(function, seen[-1][0])

    class Limit:
        def __init__(self, threads):
            self.threads = threads

        def __enter__(self):
            limits.append(self.threads)

        def __exit__(self, *_):
            limits.pop()

    limits = [None]
    monkeypatch.setattr(untrained, "side_by_side", side_by_side)
    monkeypatch.setattr(untrained, "blas_threads", Limit)
    monkeypatch.setenv("INITPERF_NUM_THREADS", "3")
    Untrained(tables).finish(silent)
    ((calls, workers, threads),) = seen
    assert (len(calls), workers, threads) == (4, 3, 1)


def test_an_error_of_a_network_is_raised_at_the_end():
    def failing(network):
        raise ArithmeticError(network)

    tables = {"signal": {"": EachNetwork(("a",), failing, ("network",))}}
    with pytest.raises(ArithmeticError, match="a"):
        Untrained(tables).finish(silent)
