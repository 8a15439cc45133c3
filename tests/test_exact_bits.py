"""The bits of a draw: pinned, and the same by any backend, cut, thread count and machine code."""

import hashlib
import json

import child
import llvmlite.binding
import numpy as np
import pytest

from initperf import INITIALIZERS, KERNELS, STREAM_VERSION

DISTRIBUTIONS = {
    "uniform": INITIALIZERS["uniform"].replace(low=-0.1, high=0.7),
    "normal": INITIALIZERS["normal"].replace(loc=0.5, scale=2.0),
    "truncated": INITIALIZERS["truncated_normal"],
    "one-sided": INITIALIZERS["truncated_normal"].replace(low=1.0, high=np.inf),
}
DTYPES = ("float32", "float64")
FEW, MANY = 700, 100_000  # less than a thread's piece, and several of them

GOLDEN = {
    "uniform-float32-700": "aa097e738fbda54d20e2c4d9e8eb86adb1c2b4e0d298d4052d06bb59ae3c232d",
    "uniform-float64-700": "debaa2cc901b009524a6759d6ebadd6b53572bc8d48e2e20aed94a97a20bd2bb",
    "normal-float32-700": "cdca5c6fc09480f9756cdfe6e4e9fce114968c8592470a4c104f32b36b5a8fbf",
    "normal-float64-700": "4226ce9ac890ca2327fa110c48a3a46195be5a75d92eb12d393e710cf42a8531",
    "truncated-float32-700": "5b74707c2c07df2e35b6b4fdbc21e295c090cfdcd952dce8fa75ba28d8ee389c",
    "truncated-float64-700": "3eb327b8e46d9c9945772623e6c5626e09aed8c1cfc9814e023d3533194092f5",
    "one-sided-float32-700": "13f93820c7e825e6eaf98b18306f14fa198f463e6215c3879763f8d6d0619bda",
    "one-sided-float64-700": "686768fd626700dbfd1859f554b7fa7278cc73012aee0d6678c18d186ffbe257",
    "uniform-float32-100000": "ab7657db0a74b98f3fc7205a9117502371f01da004d24ec3e59711380248ea2e",
    "uniform-float64-100000": "caeab2f5e59516c4c8261e94ab4b9961bec8dcf3e01682f5a686b3911f5916f9",
    "normal-float32-100000": "3d6750e4fb2ac26c7133e355457ce6faa5e450fde6d177c9914f5da14c928a29",
    "normal-float64-100000": "cd4b5cea0bcfcd3e38533a8b6446a0c2eab01c1972801a84d63adc17516a3409",
    "truncated-float32-100000": "52548e4191005cc28fb043bb0d422be721b58460cfbfb0d4aba9a06e2a12c354",
    "truncated-float64-100000": "d40c30a56e0fe36b83b43f01d9b9f0e402fac231ff8ca970d17d1090058327e9",
    "one-sided-float32-100000": "d15bba4efd02a72949936d9d7a853a60dcbd96e85cacf5ef17aec294c18503fd",
    "one-sided-float64-100000": "9ab7de640d8854a521cea4d9ecc648c6c38f42d3591ef491d1b45db79e2c7647",
}


def digests(count, **options):
    """Return the SHA-256 of `count` values of each distribution and dtype, around index 2^32."""
    source = {"rng": 12345, "stream": 3, "offset": 2**32 - 300}
    found = {}
    for distribution, initializer in DISTRIBUTIONS.items():
        for dtype in DTYPES:
            values = initializer(count, dtype=dtype, **source, **options)
            plain = values.astype(values.dtype.newbyteorder("<")).tobytes()
            found[f"{distribution}-{dtype}-{count}"] = hashlib.sha256(plain).hexdigest()
    return found


def test_the_digests_belong_to_this_version_of_the_stream():
    # Whoever changes a bit changes the version first, and then the digests.
    assert STREAM_VERSION == 2
    assert len(GOLDEN) == 2 * len(DISTRIBUTIONS) * len(DTYPES)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_few_values_are_those_pinned(backend):
    assert digests(FEW, backend=backend).items() <= GOLDEN.items()


def runs_haswell_code():
    features = llvmlite.binding.get_host_cpu_features()
    return all(features.get(name) for name in ("avx2", "fma", "bmi", "bmi2", "f16c", "movbe"))


COMPILED = {"NUMBA_DISABLE_JIT": "0"}
GENERIC = {"NUMBA_CPU_NAME": "generic", "NUMBA_OPT": "1", "INITPERF_NUM_THREADS": "1"}
NATIVE = {"NUMBA_OPT": "3", "INITPERF_NUM_THREADS": "2"}
HASWELL = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": ""}
SETTINGS = {
    "python": {"NUMBA_DISABLE_JIT": "1"},
    "native": COMPILED,
    "generic-O1-1-thread": COMPILED | GENERIC,
    "native-O3-2-threads": COMPILED | NATIVE,
}
if runs_haswell_code():
    SETTINGS["haswell-O3-2-threads"] = SETTINGS.pop("native-O3-2-threads") | HASWELL
THREADS = {setting: "2" for setting in SETTINGS if setting.endswith("2-threads")} | {"native": "5"}

DRAW = f"""{child.PARTED}
import json, sys
from initperf._core import parallel
from test_exact_bits import FEW, MANY, digests
sizes = [FEW] if sys.argv[1] == "python" else [FEW, MANY]
threads = [1, 2, 5] if sys.argv[1] == "native" else [None]
print(json.dumps([digests(size, threads=number) for size in sizes for number in threads]))
assert len(parallel._HELPERS._threads) == int(sys.argv[2]) - 1
"""


def compiles_anew(setting):
    return setting not in ("python", "native")


@pytest.mark.parametrize(
    "setting",
    [
        pytest.param(setting, marks=pytest.mark.slow if compiles_anew(setting) else ())
        for setting in SETTINGS
    ],
)
def test_a_process_of_other_settings_draws_the_values_pinned(setting, tmp_path):
    cache = {"INITPERF_CACHE": str(tmp_path)} if compiles_anew(setting) else {}
    threads = THREADS.get(setting, "1")
    printed = child.run(DRAW, setting, threads, **SETTINGS[setting], **cache)
    for found in json.loads(printed):
        assert found.items() <= GOLDEN.items()


STARTS = (0, 77, 2**32 - 1000, 2**63 - 1000, 2**64 - 1600)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_any_cuts_in_any_order_join(distribution, dtype, start):
    source = {"rng": 6, "stream": 2**40, "dtype": dtype}
    whole = DISTRIBUTIONS[distribution](1500, offset=start, backend="numpy", **source)
    for backend in KERNELS["fill_normal"]:
        rng = np.random.default_rng(start)
        cuts = [0, *sorted(rng.integers(0, 1500, 9)), 1500]
        joined = np.full_like(whole, np.nan)
        for piece in rng.permutation(10):
            begin, end = map(int, cuts[piece : piece + 2])
            DISTRIBUTIONS[distribution](
                end - begin,
                out=joined[begin:end],
                offset=start + begin,
                backend=backend,
                **source,
            )
        assert joined.tobytes() == whole.tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_the_shape_does_not_matter_and_the_size_neither(distribution, dtype):
    whole = DISTRIBUTIONS[distribution](1500, rng=1, dtype=dtype)
    assert DISTRIBUTIONS[distribution]((3, 5, 100), rng=1, dtype=dtype).tobytes() == whole.tobytes()
    assert DISTRIBUTIONS[distribution](333, rng=1, dtype=dtype).tobytes() == whole[:333].tobytes()
