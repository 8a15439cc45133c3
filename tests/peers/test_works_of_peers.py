"""Works as other libraries do them: the same work as ours, checked as before every timing."""

import pytest

from initperf.benchmarks.workloads import WORKS


def rows():
    for work in WORKS.values():
        size = work.trial or work.quick_sizes[0]
        for dtype in work.dtypes:
            for entry in work.entries(size, dtype):
                if entry.method.needs != "numpy":
                    yield pytest.param(work, size, dtype, entry, id=f"{work.name}-{dtype}-{entry}")


ROWS = list(rows())


@pytest.mark.parametrize(("work", "size", "dtype", "entry"), ROWS)
def test_peers_do_the_same_work(work, size, dtype, entry):
    assert callable(work.prepare(entry, size, dtype))


def test_a_module_of_pytorch_is_checked():
    import torch

    work = WORKS["torch_module"]
    size = work.trial
    entry = next(one for one in work.entries(size, "float32") if one.method.role == "ours")
    module = work.prepare(entry, size, "float32")()
    for spoil, complaint in (
        (lambda: module[-1].bias.data.add_(1.0), "biases"),
        (lambda: torch.nn.init.normal_(module[0].weight, std=0.1), "std"),
        (lambda: module[0].double(), "float64"),
    ):
        spoil()
        with pytest.raises(ValueError, match=complaint):
            work.check(module, size.shape, "float32")
