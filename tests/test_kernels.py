"""Every kernel: its Numba twin does what its NumPy reference does, on all of its own cases."""

import numba
import numpy as np
import pytest

from initperf import KERNELS
from initperf._core.arguments import BACKENDS
from initperf.jit import policy
from initperf.kernels import leaves

CASES = {
    f"{kernel.name}-{case.label}": (kernel, case)
    for kernel in KERNELS.values()
    for case in kernel.cases()
}


def contents(value):
    return (value.dtype, value.shape, value.tobytes()) if isinstance(value, np.ndarray) else value


@pytest.mark.parametrize("label", CASES)
def test_twin_follows_reference(label):
    kernel, case = CASES[label]
    expected, actual, fresh = (case.arguments() for _ in range(3))
    returned = [kernel.numpy(*expected), kernel.numba(*actual)]
    expected, actual, fresh = (leaves(arguments) for arguments in (expected, actual, fresh))

    for place in fresh.keys() - {*case.writes, *case.unspecified}:
        assert contents(expected[place]) == contents(fresh[place]), f"argument {place}"
        assert contents(actual[place]) == contents(fresh[place]), f"argument {place}"
    outputs = [(expected[place], actual[place]) for place in case.writes]
    for want, got in [*outputs, returned]:
        if case.tolerance == 0.0:
            assert contents(want) == contents(got)
        elif want is not None:
            largest = float(np.max(np.abs(want), initial=0.0))
            np.testing.assert_allclose(got, want, rtol=0.0, atol=case.tolerance * largest)


@pytest.mark.parametrize("name", KERNELS)
def test_arguments_of_cases_are_fresh_and_alike_and_name_arrays_to_write(name):
    for case in KERNELS[name].cases():
        first, second = leaves(case.arguments()), leaves(case.arguments())
        assert first.keys() == second.keys(), case.label
        for place, value in first.items():
            assert contents(value) == contents(second[place]), (case.label, place)
            if isinstance(value, np.ndarray):
                assert not np.shares_memory(value, second[place]), (case.label, place)
        assert case.writes, case.label
        for place in (*case.writes, *case.unspecified):
            assert isinstance(first[place], np.ndarray), (case.label, place)


@pytest.mark.parametrize("name", KERNELS)
def test_cases_of_a_kernel_have_distinct_names(name):
    labels = [case.label for case in KERNELS[name].cases()]
    assert labels
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_is_a_mapping_of_its_backends(name):
    kernel = KERNELS[name]
    assert tuple(kernel) == BACKENDS
    assert kernel["numpy"] is kernel.numpy
    assert kernel["numba"] is kernel.numba
    with pytest.raises(KeyError, match="unknown backend 'cuda'; there are numpy, numba"):
        kernel["cuda"]


@pytest.mark.parametrize("setting", ["OPT", "BOUNDSCHECK"])
def test_code_of_other_compiler_settings_is_cached_apart(monkeypatch, setting):
    before = policy._source_digest()
    monkeypatch.setattr(numba.config, setting, 1)
    assert policy._source_digest() != before
