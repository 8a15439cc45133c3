"""An initializer, scheme, activation, optimizer, schedule, loss, kernel, workload, claim, figure or
verb is one file or one record, in the package or in another distribution, and shows up by itself.
"""

import json
import shutil
from pathlib import Path

import child
import pytest

ROOT = Path(__file__).parents[1]

INITIALIZER = """
from dataclasses import dataclass

from initperf.initializers import Independent, Uniform, register


@dataclass(frozen=True, kw_only=True)
class Wide(Independent):
    width: float = 3.0

    def __post_init__(self):
        self.check_numbers("width", least=0.0)

    def distribution_of(self, shape):
        return Uniform(-self.width, self.width)


register("wide", Wide(formula="U(±3)", cite="a test", suits=("tanh",)), aliases=("broad",))
"""

SCHEME = """
from initperf import INITIALIZERS
from initperf.schemes import PerLayer, register


class First(PerLayer):
    def initializers(self, network, number):
        ones = INITIALIZERS["constant"].replace(value=1.0)
        return ones if number == 0 else INITIALIZERS["zeros"], INITIALIZERS["zeros"]


register("first", First(formula="1, then 0", cite="a test"), aliases=("foremost",))
"""

ACTIVATION = """
from initperf.activations import register
from initperf.jit import like


@register("cubed", "x³", "a test")
def _cubed(x):
    return x * x * x, like(x, 3.0) * (x * x)
"""

OPTIMIZER = """
from dataclasses import dataclass

import numpy as np

from initperf.optimizers import Optimizer, Range, register, setting


@register
@dataclass(frozen=True)
class RmsProp(Optimizer):
    name, formula, cite, memories = "rmsprop", "w − ηg / √v", "Hinton 2012", 1

    decay: float = setting(0.9, "share of the mean square that is kept", allowed=Range(0.0))

    def step_factors(self, rates, steps):
        return self.decay, 1.0 - self.decay, 1e-8

    @staticmethod
    def step(w, g, first, second, factors):
        g = g + factors[1] * w
        first = factors[2] * first + factors[3] * (g * g)
        return w - factors[0] * g / (np.sqrt(first) + factors[4]), first, second
"""

SCHEDULE = """
from dataclasses import dataclass

import numpy as np

from initperf.training.schedules import Range, Schedule, register, setting


@register
@dataclass(frozen=True)
class Steps(Schedule):
    name, formula, cite = "steps", "η/2 after each d steps", "a test"

    drop_every: int = setting(5, "steps between two halvings", allowed=Range(at_least=1))

    def rates(self, highest_rate, first, count, total):
        return highest_rate * 0.5 ** (np.arange(first, first + count) // self.drop_every)
"""

LOSS = """
from initperf.jit.policy import like, where
from initperf.losses import register


@register("huber", "(y − t)²/2 within 1, |y − t| − 1/2 beyond", "Huber 1964")
def _huber(output, target):
    error, one, half = output - target, like(output, 1.0), like(output, 0.5)
    bounded = where(error > one, one, where(error < -one, -one, error))
    return bounded * (error - half * bounded), bounded
"""

KERNEL = """
import numpy as np

from initperf.jit import jit
from initperf.kernels import Case, Load, register


def negate_reference(x, out):
    np.negative(x, out=out)


@jit
def negate(x, out):
    for i in range(x.size):
        out[i] = -x[i]


def _cases():
    yield Case("three", lambda: (np.arange(3.0), np.zeros(3)), writes=(1,))


def _loads():
    yield Load("9", lambda dtype: tuple(np.zeros((2, 9), dtype)), {"float32": 9}, 18)


register("negate", numpy=negate_reference, numba=negate, cases=_cases, loads=_loads)
"""

WORKLOAD = """
import numpy as np

from initperf.benchmarks.limits import Limit
from initperf.benchmarks.workloads import Method, Size, Workload, register


def _prepare(shape, dtype, threads):
    x = np.ones(shape, dtype)
    return lambda: x.sum()


def _check(total, shape, dtype):
    if total != np.prod(shape):
        raise ValueError(f"a sum of {total}")


SIZES = (Size("100", (100,), 100),)
register(
    Workload(
        name="summing",
        methods=tuple(
            Method(name=role, label=role, role=role, prepare=_prepare)
            for role in ("reference", "rival", "ours")
        ),
        sizes=SIZES,
        quick_sizes=SIZES,
        check=_check,
        amount=lambda shape, dtype: float(np.prod(shape)),
        limit=lambda shape, dtype, threads: Limit("additions", 1e12, "1/s", threads),
        kernels=(),
        dtypes=("float32",),
    )
)
"""

CLAIM = """
from initperf.claims import Claim, register


def _seed(seed, quick):
    return float(seed)


register(
    Claim(
        name="seeds_count",
        statement="Seeds are numbers.",
        cite="a test",
        setting="none.",
        quantity="seed",
        number=1.0,
        low=-20.0,
        high=20.0,
        tolerance="wide.",
        measure=_seed,
        quick_seeds=3,
    )
)
"""

FIGURE = """
from initperf_figures import register
from matplotlib.figure import Figure


def draw(tables):
    figure = Figure()
    figure.subplots().scatter(tables["runs"]["train_seconds"], tables["runs"]["test_accuracy"])
    return figure


register("effort", title="Effort", caption="Dots.", needs=("runs",), draw=draw)
"""

VERB = """
HELP = "greet somebody"


def configure(parser):
    parser.add_argument("whom")


def run(arguments):
    print(f"hello, {arguments.whom}")
"""

# The file, or the module of records that it is added to, and the group of the entry points.
ADDED = {
    "initializer": ("initperf/initializers/wide.py", "initperf.initializers", INITIALIZER),
    "scheme": ("initperf/schemes/first.py", "initperf.schemes", SCHEME),
    "activation": ("initperf/activations.py", "initperf.activations", ACTIVATION),
    "optimizer": ("initperf/optimizers.py", "initperf.optimizers", OPTIMIZER),
    "schedule": ("initperf/training/schedules.py", "initperf.schedules", SCHEDULE),
    "loss": ("initperf/losses.py", "initperf.losses", LOSS),
    "kernel": ("initperf/kernels/negate.py", "initperf.kernels", KERNEL),
    "workload": ("initperf/benchmarks/workloads/summing.py", "initperf.workloads", WORKLOAD),
    "claim": ("initperf/claims/seeds_count.py", "initperf.claims", CLAIM),
    "figure": ("figures/initperf_figures/effort.py", "initperf.figures", FIGURE),
    "verb": ("initperf/cli/greet.py", "initperf.verbs", VERB),
}

TWINS = """
import numpy as np
from initperf import KERNELS
from initperf.kernels import leaves

def twins(kernel, word):
    # the labels that the tests of kernels are parametrised by, and whether the twins agree
    found = {}
    for case in KERNELS[kernel].cases():
        if word in case.label and "float64" not in case.label:
            expected, actual = case.arguments(), case.arguments()
            KERNELS[kernel]["numpy"](*expected)
            KERNELS[kernel]["numba"](*actual)
            before, after = leaves(expected), leaves(actual)
            found[case.label] = all(
                np.allclose(before[i], after[i], rtol=1e-5, atol=1e-5) for i in case.writes
            )
    return found
"""

CODE = """
import contextlib, io, json, sys
import initperf
from initperf import ACTIVATIONS, INITIALIZERS, LOSSES, OPTIMIZERS, SCHEDULES, SCHEMES, Experiment
from initperf.benchmarks.workloads import WORKLOADS
from initperf.claims import CLAIMS
from initperf.cli import main, verbs
from initperf.data import Dataset, from_arrays
from initperf.report import tables
from initperf.training.experiment import Experiment
from initperf.training.run_tables import run_tables
from initperf_figures import FIGURES

def printed(*words):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        try:
            assert main(words) == 0
        except SystemExit as end:
            assert not end.code
    return out.getvalue()

rng = np.random.default_rng(0)
images = rng.integers(0, 256, (40, 784)).astype(np.uint8)
labels = np.arange(40) % 10
dataset = Dataset(train_images=images, train_labels=labels, test_images=images,
                  test_labels=labels, name="mnist", source="a test")
experiment = Experiment("broad", "cubed", hidden=(4,), epochs=1, batch_size=4, optimizer="rmsprop",
                        decay=0.5, schedule="steps", drop_every=4, backend="numpy")
assert Experiment.from_json(experiment.to_json()) == experiment
run = initperf.train(experiment, dataset=dataset)
made = run_tables([run], dataset)
rows = rng.normal(size=(40, 3))
regressed = initperf.train(
    experiment.replace(loss="huber", activation="tanh", optimizer="sgd", dataset="own"),
    dataset=from_arrays(rows, rows[:, 0]),
)
options = printed("train", "--help")
print(json.dumps({
    "home": initperf.__file__,
    "names": [sorted(names) for names in (
        INITIALIZERS, SCHEMES, ACTIVATIONS, OPTIMIZERS, SCHEDULES, LOSSES, KERNELS, WORKLOADS,
        CLAIMS, FIGURES, verbs(),
    )],
    "compared": "wide" in tables.distinct(),
    "largest": float(abs(initperf.draw("broad", (40, 30), rng=0, backend="numpy")).max()),
    "scheme": [weights.tolist() for weights, _ in
               initperf.draw_network("foremost", (3, 2, 2), rng=0, backend="numpy")],
    "listed": json.loads(printed("list", "--json")),
    "options": [word for word in ("--decay", "--drop-every", "cubed", "rmsprop", "steps")
                if word in options],
    "completed": [word for word in ("cubed", "rmsprop", "steps", "wide", "first", "--decay")
                  if word in printed("complete", "bash")],
    "runs": made["runs"][["optimizer", "decay", "schedule", "drop_every"]].values.tolist(),
    "rates": run.steps["learning_rate"].tolist(),
    "twins": twins("activate", "cubed") | twins("update", "rmsprop") | twins("negate", "")
    | twins("pointwise_loss", "huber"),
    "regressed": [regressed.status, list(regressed.epochs)],
    "benchmarked": printed("bench", "--quick", "--filter=summing", "--json"),
    "reproduced": json.loads(printed("reproduce", "seeds-count", "--quick", "--json")),
    "axes": len(FIGURES["effort"].render(made).axes),
    "greeting": printed("greet", "world"),
}))
"""


@pytest.fixture(params=["inside", "outside"])
def place(request, tmp_path):
    """Give a directory to import from first, where all are added."""
    if request.param == "inside":
        return add_inside(tmp_path)
    return add_outside(tmp_path)


def add_inside(directory):
    """Add files to a copy of the package."""
    for folder in ("initperf", "figures"):
        shutil.copytree(
            ROOT / folder, directory / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    for file, _, text in ADDED.values():
        with (directory / file).open("a", encoding="utf-8") as added:
            added.write(text)
    return directory


def add_outside(directory):
    """Make an installed distribution with an entry point for each."""
    lines = []
    for kind, (_, group, text) in ADDED.items():
        (directory / f"plug_in_{kind}.py").write_text(text, encoding="utf-8")
        name = "greet" if kind == "verb" else kind
        lines += [f"[{group}]", f"{name} = plug_in_{kind}"]
    facts = directory / "initperf_plug_ins-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: initperf-plug-ins\nVersion: 1.0\n"
    )
    (facts / "entry_points.txt").write_text("\n".join(lines))
    return directory


def run(directory, code):
    paths = [str(directory), str(directory / "figures")]
    begin = f"import sys; sys.path[:0] = {paths!r}\n{TWINS}"
    cache = str(directory / "cache")
    return child.run(begin + code, INITPERF_CACHE=cache, PYTHONUTF8="1", NUMBA_DISABLE_JIT="0")


def test_each_shows_up_by_itself(place):
    found = json.loads(run(place, CODE))
    inside = (place / "initperf").is_dir()
    assert Path(found["home"]).is_relative_to(place) == inside
    added = ("wide", "first", "cubed", "rmsprop", "steps", "huber", "negate", "summing")
    added += ("seeds_count", "effort", "greet")
    for name, names in zip(added, found["names"], strict=True):
        assert name in names
    assert found["compared"]
    assert 2.7 < found["largest"] <= 3.0  # of 1200 uniform numbers, up to 3
    assert found["scheme"] == [[[1.0, 1.0]] * 3, [[0.0, 0.0]] * 2]
    listed = {row["name"]: row for row in found["listed"]}
    assert (
        listed["wide"] | {"aliases": ["broad"], "formula": "U(±3)", "suits": ["tanh"]}
        == (listed["wide"])
    )
    assert listed["first"] | {"aliases": ["foremost"], "sets": "a network"} == listed["first"]
    assert found["options"] == ["--decay", "--drop-every", "rmsprop", "steps"]
    assert found["completed"] == ["cubed", "rmsprop", "steps", "wide", "first", "--decay"]
    assert found["runs"] == [["rmsprop", 0.5, "steps", 4]]
    assert found["rates"] == [0.1] * 4 + [0.05] * 4 + [0.025] * 2
    assert len(found["twins"]) > 6
    assert found["regressed"] == ["finished", ["epoch", "test_loss", "test_r2"]]
    assert all(found["twins"].values())
    assert "summing" in found["benchmarked"]
    (row,) = found["reproduced"]
    assert (row["claim"], row["measured"], row["verdict"]) == ("seeds_count", 1.0, "holds")
    assert found["axes"] == 1
    assert found["greeting"] == "hello, world\n"


UPDATE = """
out = np.zeros(3)
KERNELS["negate"]["numba"](np.arange(3.0), out)
for kernel, word in (("update", "rmsprop"), ("activate", "cubed")):
    found = twins(kernel, word)
    assert found and all(found.values()), found
print(out.tolist())
"""


def test_machine_code_of_a_plug_in_follows_its_source(tmp_path):
    place = add_outside(tmp_path)
    assert run(place, UPDATE) == "[-0.0, -1.0, -2.0]\n"
    for kind, old, new in (
        ("optimizer", "np.sqrt(first)", "np.sqrt(first + first)"),
        ("activation", "x * x * x, like(x, 3.0) * (x * x)", "x * x, like(x, 2.0) * x"),
        ("kernel", "-x[i]", "-x[i] - 1.0"),
    ):
        file = place / f"plug_in_{kind}.py"
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")
    assert run(place, UPDATE) == "[-1.0, -2.0, -3.0]\n"


def test_a_plug_in_that_cannot_be_imported_is_named(tmp_path):
    place = add_outside(tmp_path)
    (place / "plug_in_verb.py").write_text("import nothing_like_it")
    code = "from initperf.cli import main\nprint(main(['greet']))"
    environment = {"INITPERF_CACHE": str(tmp_path)}
    process = child.start(f"import sys; sys.path.insert(0, {str(place)!r})\n{code}", **environment)
    printed, complaints = process.communicate(timeout=child.TIMEOUT_SECONDS)
    assert printed == "2\n"
    assert complaints == (
        "initperf: the verb plug-in 'greet' (plug_in_verb) cannot be imported: "
        "ModuleNotFoundError: No module named 'nothing_like_it'\n"
    )
