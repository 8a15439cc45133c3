"""`initperf.torch.init_` of tensors: which bits it draws, and what it refuses.

These tests need PyTorch: ``pytest tests/peers``.
"""

import tracemalloc
import warnings

import numpy as np
import pytest
import torch
from torch import nn

import initperf
from initperf import INITIALIZERS
from initperf._core.keys import Key, as_key
from initperf._core.parallel import default_threads
from initperf.initializers._parts import as_part, whole
from initperf.torch import draw, init_
from initperf.torch.pieces import Piece
from initperf.torch.write import write_part

DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.float16]
NAMES = ["glorot_uniform", "he_normal", "truncated_normal", "orthogonal", "zeros"]


def drawn(name, shape, dtype, **options):
    """Return what `initperf.draw` gives, rounded as PyTorch rounds."""
    exact = "float64" if dtype == torch.float64 else "float32"
    if "gain" in vars(INITIALIZERS[name]):
        options = {"in_axis": 1, "out_axis": 0} | options
    return torch.from_numpy(initperf.draw(name, shape, dtype=exact, **options)).to(dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(30, 20), (20, 30), (6, 5, 3, 3), (1, 1)], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_a_tensor_gets_the_bits_of_draw(name, shape, dtype):
    tensor = torch.full(shape, torch.nan, dtype=dtype)
    assert init_(tensor, name, rng=7) is tensor
    assert torch.equal(tensor, drawn(name, shape, dtype, rng=7))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_a_tensor_of_any_strides_gets_the_same_bits_and_nothing_beside_is_written(name, dtype):
    shape = (12, 5, 3, 3)
    around = torch.full((3, 10, 12, 3), torch.nan, dtype=dtype)
    tensor = around[:, ::2].permute(2, 1, 0, 3)
    init_(tensor, name, rng=7)
    assert torch.equal(tensor, drawn(name, shape, dtype, rng=7))
    assert torch.all(torch.isnan(around[:, 1::2]))
    last = torch.empty(shape, dtype=dtype).to(memory_format=torch.channels_last)
    assert torch.equal(init_(last, name, rng=7), tensor)


PARTS = {
    "rows": ((12, 700), np.s_[3:9]),
    "columns": ((12, 700), np.s_[:, 130:420]),
    "of an image": ((6, 5, 3, 4), np.s_[1:5, 2:, :, 1:3]),
    "nothing": ((12, 700), np.s_[4:4]),
}


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("case", PARTS)
@pytest.mark.parametrize("name", [*NAMES, "clipped_normal"])
def test_a_part_has_the_bits_of_the_whole(name, case, dtype):
    shape, part = PARTS[case]
    expected = draw(name, shape, rng=7, stream=3, dtype=dtype)
    drawn = draw(name, shape, part=part, rng=7, stream=3, dtype=dtype)
    assert torch.equal(drawn, expected[part])


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_a_part_is_written_to_any_strides(name, dtype):
    shape, part = PARTS["of an image"]
    cut = as_part(shape, part)
    around = torch.full((2, 3, 6, 2, 4), torch.nan, dtype=dtype)
    target = around[0, :, ::2].permute(3, 0, 1, 2)
    piece = Piece(whole(shape), INITIALIZERS[name], shape, 3)
    write_part(target, piece, cut, Key(as_key(7)))
    expected = draw(name, shape, rng=7, stream=3, dtype=dtype, **axes_of(name))
    assert torch.equal(target, expected[part])
    assert around[1].isnan().all()
    assert around[0, :, 1::2].isnan().all()


def axes_of(name):
    return {"in_axis": -2, "out_axis": -1} if hasattr(INITIALIZERS[name], "in_axis") else {}


@pytest.mark.parametrize("rows", [1, 700, 3])
@pytest.mark.parametrize("dtype", DTYPES[2:], ids=str)
def test_blocks_of_half_precision_join(dtype, rows):
    # Several blocks of 2^17 values, also where one row is longer than a block.
    shape = (rows, 700_000 // rows)
    expected = drawn("glorot_normal", shape, dtype, rng=3)
    assert torch.equal(init_(torch.empty(shape, dtype=dtype), "glorot_normal", rng=3), expected)
    strided = torch.empty((shape[1], shape[0]), dtype=dtype).T
    assert torch.equal(init_(strided, "glorot_normal", rng=3), expected)


def test_half_precision_needs_a_block_and_no_copy():
    tensor = torch.empty((4096, 4096), dtype=torch.bfloat16)
    init_(tensor, "he_normal", rng=0)
    tracemalloc.start()
    init_(tensor, "he_normal", rng=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < default_threads() * 2**17 * 4 + 2**16


def test_parameters_of_the_initializer_are_passed_on():
    shape = (12, 5)
    assert torch.equal(
        init_(torch.empty(shape), "he_normal", rng=0, gain=0.5, in_axis=0, out_axis=1),
        torch.from_numpy(initperf.draw("he_normal", shape, rng=0, gain=0.5)),
    )
    rule = INITIALIZERS["normal"].replace(scale=3.0)
    expected = torch.from_numpy(rule(shape, rng=0))
    assert torch.equal(init_(torch.empty(shape), rule, rng=0), expected)


def test_a_generator_is_advanced_and_nothing_gives_fresh_entropy():
    generator, twin = np.random.default_rng(1), np.random.default_rng(1)
    for _ in range(2):
        expected = drawn("he_normal", (4, 3), torch.float32, rng=twin)
        assert torch.equal(init_(torch.empty(4, 3), "he_normal", rng=generator), expected)
    one, other = (init_(torch.empty(4, 3), "he_normal") for _ in range(2))
    assert not torch.any(one == other)


def test_fans_are_those_of_pytorch():
    linear = init_(nn.Linear(4000, 10), "he_normal", rng=0).weight
    convolution = init_(nn.Conv2d(400, 30, 3), "he_normal", rng=0).weight
    transposed = init_(nn.ConvTranspose2d(400, 30, 3), "he_normal", rng=0).weight
    for weight, fan_in in ((linear, 4000), (convolution, 3600), (transposed, 3600)):
        # The standard error of a deviation is σ/√2n, n at least 40,000: five of them are 1.8 %.
        assert weight.std().item() == pytest.approx((2 / fan_in) ** 0.5, rel=0.018)


def complex_layer():
    layer = nn.Linear(3, 2)
    layer.weight = nn.Parameter(torch.zeros((2, 3), dtype=torch.complex64))
    return layer


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_gradients_do_not_see_it(dtype):
    layer = nn.Linear(3, 2, dtype=dtype)
    version = layer.weight._version
    init_(layer, "he_normal", rng=0)
    assert layer.weight.requires_grad
    assert layer.weight.grad_fn is None
    assert layer.weight._version > version
    loss = (layer.weight**2).sum()
    init_(layer, "he_normal", rng=1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def quantized():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch has deprecated these tensors
        return torch.quantize_per_tensor(torch.zeros(4, 3), 0.1, 0, torch.qint8)


class Marked(torch.Tensor):
    """A tensor of a class of its own, as quantization libraries have them."""


REFUSED = {
    "meta": (lambda: torch.empty(4, 3, device="meta"), "on the device meta, .*materialize_"),
    "sparse": (lambda: torch.zeros(4, 3).to_sparse(), "dense, not torch.sparse_coo"),
    "integers": (lambda: torch.zeros(4, 3, dtype=torch.int32), "not torch.int32"),
    "complex": (lambda: torch.zeros(4, 3, dtype=torch.complex64), "not torch.complex64"),
    "expanded": (lambda: torch.zeros(3).expand(4, 3), "elements that share memory"),
    "expanded half": (lambda: torch.zeros(3).half().expand(4, 3), "elements that share memory"),
    "one axis": (lambda: torch.zeros(4), "at least two axes"),
    "quantized": (
        quantized,
        "not torch.qint8",
    ),
    "computed": (
        lambda: torch.zeros(4, 3, requires_grad=True) * 2,
        "the result of a computation, MulBackward0",
    ),
    "subclass": (lambda: Marked(torch.zeros(4, 3)), "plain or a DTensor, not Marked"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_drawn_is_refused(case):
    make, message = REFUSED[case]
    generator = np.random.default_rng(0)
    state = generator.bit_generator.state
    with pytest.raises(ValueError, match=f"^target: .*{message}"):
        init_(make(), "he_normal", rng=generator)
    assert generator.bit_generator.state == state


@pytest.mark.parametrize(
    ("last", "message"),
    [
        (lambda: nn.Linear(3, 2, device="meta"), "^1.weight: it is on the device meta"),
        (complex_layer, "^1.weight: a tensor must be float32"),
        (lambda: nn.LazyLinear(2), "^1.weight: it has no shape before"),
        (lambda: nn.Linear(3, 2).half(), "^1.weight: values up to .* than torch.float16 can hold"),
    ],
)
def test_a_module_is_drawn_whole_or_not_at_all(last, message):
    first = nn.Linear(5, 3)
    before = first.weight.clone()
    with pytest.raises(ValueError, match=message):
        init_(nn.Sequential(first, last()), "he_normal", rng=0, gain=1e5)
    assert torch.equal(first.weight, before)


def test_a_tensor_without_elements_is_left_as_it_is():
    assert init_(torch.zeros(0, 3), "he_normal", rng=0).shape == (0, 3)


def test_a_tensor_of_inference_mode_is_drawn():
    with torch.inference_mode():
        tensor = torch.zeros(4, 3)
    assert torch.equal(
        init_(tensor, "he_normal", rng=0), drawn("he_normal", (4, 3), torch.float32, rng=0)
    )


def test_other_targets_and_names_are_refused():
    with pytest.raises(TypeError, match="target must be a tensor or a module, not ndarray"):
        init_(np.zeros((4, 3)), "he_normal")
    with pytest.raises(TypeError, match="a tensor takes an initializer or its name, not dict"):
        init_(torch.zeros(4, 3), {"*": "he_normal"})
    with pytest.raises(ValueError, match="did you mean 'he_normal'"):
        init_(torch.zeros(4, 3), "he_norma")
    with pytest.raises(TypeError, match="he_normal has no parameter 'slope'"):
        init_(torch.zeros(4, 3), "he_normal", slope="relu")
