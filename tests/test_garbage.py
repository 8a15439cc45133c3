"""The collector of garbage while much is measured: what it looks at, and that it is given back."""

import gc

import pytest

from initperf.benchmarks._garbage import existing_objects_kept


@pytest.fixture(autouse=True)
def _as_before():
    yield
    gc.unfreeze()


def test_existing_objects_are_left_alone_and_given_back():
    class Cycle:
        pass

    gc.collect()  # else garbage of other tests would count, and be collected
    before = len(gc.get_objects())
    with existing_objects_kept():
        assert gc.get_freeze_count() >= 0.9 * before
        cycle = Cycle()
        cycle.itself = cycle
        del cycle
        assert len(gc.get_objects()) < 0.1 * before
        assert gc.collect() >= 1, "new garbage is collected"
    assert gc.get_freeze_count() == 0


def test_objects_that_others_have_set_aside_stay_so():
    gc.freeze()
    with existing_objects_kept(), existing_objects_kept():
        count = gc.get_freeze_count()
    assert gc.get_freeze_count() == count > 0


def test_an_error_gives_them_back():
    with pytest.raises(KeyError), existing_objects_kept():
        raise KeyError
    assert gc.get_freeze_count() == 0
