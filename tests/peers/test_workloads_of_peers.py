"""Workloads done by other libraries: equal to ours, by the check that precedes every timing."""

import pytest

from initperf.benchmarks.workloads import WORKLOADS


def rows():
    for workload in WORKLOADS.values():
        size = workload.trial or workload.quick_sizes[0]
        for dtype in workload.dtypes:
            for entry in workload.entries(size, dtype):
                if entry.method.needs != "numpy":
                    yield pytest.param(
                        workload, size, dtype, entry, id=f"{workload.name}-{dtype}-{entry}"
                    )


ROWS = list(rows())


# PyTorch's compiler imports parts of PyTorch that PyTorch itself calls deprecated
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
@pytest.mark.parametrize(("workload", "size", "dtype", "entry"), ROWS)
def test_peers_do_the_same_work(workload, size, dtype, entry):
    assert workload.prepare(entry, size, dtype)() is not None


def test_a_module_of_pytorch_is_checked():
    import torch

    workload = WORKLOADS["torch_module"]
    size = workload.trial
    entry = next(one for one in workload.entries(size, "float32") if one.method.role == "ours")
    module = workload.prepare(entry, size, "float32")()
    for spoil, complaint in (
        (lambda: module[-1].bias.data.add_(1.0), "biases"),
        (lambda: torch.nn.init.normal_(module[0].weight, std=0.1), "std"),
        (lambda: module[0].double(), "float64"),
    ):
        spoil()
        with pytest.raises(ValueError, match=complaint):
            workload.check(module, size.shape, "float32")
