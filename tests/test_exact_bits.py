"""The bits of a draw: pinned, and the same by any backend, cut, thread count and machine code."""

import hashlib
import json

import child
import llvmlite.binding
import numpy as np
import pytest

from initperf import INITIALIZERS, KERNELS, STREAM_VERSION

LAWS = {
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
    "normal-float32-700": "b1d23f1bbb5f001a6e731486d2702ba0004cdd8532ecfa11dbef9aa5c4fbf63f",
    "normal-float64-700": "8fe01c63ac9aac8eb44d2021111a37aec4bce15dccb5b2229f5d6f195e35e167",
    "truncated-float32-700": "517ef6de42c0aa3dfa20c3d312290542018c518a4731ae2088528f3c7c405748",
    "truncated-float64-700": "db2d89519410f188ceb84888b07e7ac36df7bddd4d51999ea11b5a5fe25d410c",
    "one-sided-float32-700": "dd8e23e87bc443ceac09baeb8bee5fc098d0b61adf22505be545da54d841a3dc",
    "one-sided-float64-700": "9eeb551ac431363e69ef2a2f1084723925fd2f9fd237b16c9c7be15556a06ec1",
    "uniform-float32-100000": "ab7657db0a74b98f3fc7205a9117502371f01da004d24ec3e59711380248ea2e",
    "uniform-float64-100000": "caeab2f5e59516c4c8261e94ab4b9961bec8dcf3e01682f5a686b3911f5916f9",
    "normal-float32-100000": "93fa1206268130ef3f6b710853d8bf188503fcb51a3d318ab6402583f6386fdb",
    "normal-float64-100000": "f1af6b7bba8e0cb9890020817bf9ba68f169f9b08169a23afeed31fe9f9f9ded",
    "truncated-float32-100000": "b1d436eeea4d12c957b9eeead278edc996bc144f8887c1616bd089f62214456b",
    "truncated-float64-100000": "5db89b6bcfe80859f687b8ebea657a061fa3905fee26380bd60a939dadf0b28d",
    "one-sided-float32-100000": "8bf8e556e5a535941dd216dcdfd9a22795e099ee991be3d8661098590d64d3b9",
    "one-sided-float64-100000": "05f63d4985fb8f7b7b19f8a5cf33b0674dd9c43dbf5e317607d52b6e79795370",
}


def digests(count, **options):
    """Return the SHA-256 of `count` values of each law and dtype, around index 2^32."""
    source = {"rng": 12345, "stream": 3, "offset": 2**32 - 300}
    found = {}
    for law, initializer in LAWS.items():
        for dtype in DTYPES:
            values = initializer(count, dtype=dtype, **source, **options)
            plain = values.astype(values.dtype.newbyteorder("<")).tobytes()
            found[f"{law}-{dtype}-{count}"] = hashlib.sha256(plain).hexdigest()
    return found


def test_the_digests_belong_to_this_version_of_the_stream():
    # Whoever changes a bit changes the version first, and then the digests.
    assert STREAM_VERSION == 1
    assert len(GOLDEN) == 2 * len(LAWS) * len(DTYPES)


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
from initperf import parallel
from test_exact_bits import FEW, MANY, digests
sizes = [FEW] if sys.argv[1] == "python" else [FEW, MANY]
threads = [1, 2, 5] if sys.argv[1] == "native" else [None]
print(json.dumps([digests(size, threads=number) for size in sizes for number in threads]))
assert parallel._HELPERS._count == int(sys.argv[2]) - 1
"""


@pytest.fixture(scope="module")
def children(tmp_path_factory):
    """Start all at once: compiling takes their time, in caches of their own but for the native."""
    caches = {
        setting: {"INITPERF_CACHE": str(tmp_path_factory.mktemp("cache"))}
        for setting in SETTINGS
        if setting != "native"
    }
    return {
        setting: child.start(
            DRAW, setting, THREADS.get(setting, "1"), **environment, **caches.get(setting, {})
        )
        for setting, environment in SETTINGS.items()
    }


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_process_of_other_settings_draws_the_values_pinned(children, setting):
    for found in json.loads(child.output(children[setting])):
        assert found.items() <= GOLDEN.items()


STARTS = (0, 77, 2**32 - 1000, 2**63 - 1000, 2**64 - 1600)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("law", LAWS)
def test_any_cuts_in_any_order_join(law, dtype, start):
    source = {"rng": 6, "stream": 2**40, "dtype": dtype}
    whole = LAWS[law](1500, offset=start, backend="numpy", **source)
    for backend in KERNELS["fill_normal"]:
        rng = np.random.default_rng(start)
        cuts = [0, *sorted(rng.integers(0, 1500, 9)), 1500]
        joined = np.full_like(whole, np.nan)
        for piece in rng.permutation(10):
            begin, end = map(int, cuts[piece : piece + 2])
            LAWS[law](
                end - begin,
                out=joined[begin:end],
                offset=start + begin,
                backend=backend,
                **source,
            )
        assert joined.tobytes() == whole.tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("law", LAWS)
def test_the_shape_does_not_matter_and_the_size_neither(law, dtype):
    whole = LAWS[law](1500, rng=1, dtype=dtype)
    assert LAWS[law]((3, 5, 100), rng=1, dtype=dtype).tobytes() == whole.tobytes()
    assert LAWS[law](333, rng=1, dtype=dtype).tobytes() == whole[:333].tobytes()
