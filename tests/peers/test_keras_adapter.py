"""Initializer objects of Keras: in layers, saved and loaded again."""

import jax
import keras
import numpy as np
import pytest

import initperf
import initperf.keras
from initperf.initializers import VarianceScaling
from initperf.keras import Initializer


def test_a_call_draws_what_the_library_draws_and_the_next_another_stream():
    init = Initializer("he_normal", seed=3)
    for stream in range(2):
        drawn = keras.ops.convert_to_numpy(init((30, 20)))
        expected = initperf.draw("he_normal", (30, 20), rng=3, stream=stream)
        np.testing.assert_array_equal(drawn, expected)


def test_layers_begin_at_it():
    init = Initializer("glorot_uniform", seed=0, gain=2.0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            keras.layers.Conv2D(4, 3, kernel_initializer=init),
            keras.layers.Flatten(),
            keras.layers.Dense(5, kernel_initializer=init),
        ]
    )
    kernels = [layer.kernel for layer in (model.layers[0], model.layers[2])]
    for kernel in kernels:
        drawn = np.asarray(kernel.value)
        streams = [
            initperf.draw("glorot_uniform", drawn.shape, rng=0, stream=stream, gain=2.0)
            for stream in range(2)
        ]
        assert any(np.array_equal(drawn, one) for one in streams)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_narrow_dtypes_are_float32_rounded(dtype):
    w = Initializer("he_normal", seed=0)((4, 3), dtype)
    assert keras.backend.standardize_dtype(w.dtype) == dtype
    expected = keras.ops.cast(Initializer("he_normal", seed=0)((4, 3)), dtype)
    assert bool(keras.ops.all(w == expected))


def test_float64_is_drawn_as_such():
    with jax.enable_x64(True):
        w = np.asarray(Initializer("he_normal", seed=0)((4, 3), "float64"))
    np.testing.assert_array_equal(w, initperf.draw("he_normal", (4, 3), rng=0, dtype="float64"))


def test_it_is_saved_with_a_model_and_loaded_again():
    init = Initializer("kaiming_normal", seed=4, a=0.2)
    again = keras.initializers.deserialize(keras.initializers.serialize(init))
    assert again.get_config() == {"name": "he_normal", "seed": 4, "a": 0.2}
    np.testing.assert_array_equal(again((4, 3)), init((4, 3)))
    assert isinstance(keras.initializers.get(init), Initializer)


def test_without_a_seed_layers_differ():
    init = Initializer("he_normal")
    assert not np.array_equal(init((4, 3)), init((4, 3)))


def test_an_initializer_object_will_do_and_is_saved_by_name():
    init = Initializer(initperf.INITIALIZERS["orthogonal"].replace(gain=2.0), seed=1)
    assert init.get_config() == {"name": "orthogonal", "seed": 1, "gain": 2.0}
    expected = initperf.draw("orthogonal", (6, 4), rng=1, gain=2.0)
    np.testing.assert_array_equal(init((6, 4)), expected)
    unnamed = Initializer(VarianceScaling(scale=2.3), seed=1)
    assert unnamed((6, 4)).shape == (6, 4)
    with pytest.raises(ValueError, match="must be registered under a name"):
        unnamed.get_config()


def test_the_seed_of_keras_makes_draws_repeatable():
    drawn = []
    for _ in range(2):
        keras.utils.set_random_seed(7)
        init = Initializer("he_normal")
        drawn.append([np.asarray(init((4, 3))), np.asarray(init((4, 3)))])
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0][0], drawn[0][1])


def test_a_seed_generator_gives_each_call_its_next_seed():
    def both(init):
        return [np.asarray(init((4, 3))) for _ in range(2)]

    init = Initializer("he_normal", seed=keras.random.SeedGenerator(5))
    first = both(init)
    assert not np.array_equal(*first)
    again = both(Initializer("he_normal", seed=keras.random.SeedGenerator(5)))
    np.testing.assert_array_equal(first, again)
    loaded = keras.initializers.deserialize(keras.initializers.serialize(init))
    np.testing.assert_array_equal(both(loaded), first)
    shared = keras.random.SeedGenerator(5)  # advanced by each, so that they differ
    one, other = (np.asarray(Initializer("he_normal", seed=shared)((4, 3))) for _ in range(2))
    assert not np.array_equal(one, other)


def test_copies_begin_equal_with_a_seed_and_differ_without():
    def projections(**seed):
        layer = keras.layers.MultiHeadAttention(
            2, 3, kernel_initializer=Initializer("glorot_uniform", **seed)
        )
        layer.build((1, 5, 6), (1, 5, 6))
        return [np.asarray(layer.query_dense.kernel), np.asarray(layer.key_dense.kernel)]

    assert np.array_equal(*projections(seed=0)), "as with Keras's own; the docstring says so"
    assert not np.array_equal(*projections())

    def cloned(**seed):
        init = Initializer("glorot_uniform", **seed)
        layers = [keras.layers.Dense(6, kernel_initializer=init) for _ in range(2)]
        model = keras.Sequential([keras.Input((6,)), *layers])
        copy = keras.models.clone_model(model)
        return [[np.asarray(one.kernel) for one in each.layers] for each in (model, copy)]

    for seed, equal in (({"seed": 0}, True), ({}, False)):
        before, after = cloned(**seed)
        assert not np.array_equal(*before)
        assert np.array_equal(*after) == equal


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_narrow_weights_keep_within_the_declared_bounds(dtype):
    w = Initializer("uniform", seed=0, low=-0.3, high=0.3)((400, 400), dtype)
    values = np.asarray(keras.ops.cast(w, "float32"), np.float64)
    assert np.abs(values).max() <= 0.3


def test_empty_weights_are_drawn():
    assert Initializer("he_normal", seed=0)((0, 3)).shape == (0, 3)


def test_what_cannot_be_is_refused_early():
    with pytest.raises(TypeError, match=r"a name or an Initializer, not \{'Linear'"):
        Initializer({"Linear": "he_normal"})
    with pytest.raises(TypeError, match="seed must be None, an integer or a SeedGenerator"):
        Initializer("he_normal", seed="0")
    with pytest.raises(ValueError, match="did you mean 'he_normal'"):
        Initializer("he_norml")
    with pytest.raises(TypeError, match="has no parameter 'gian'"):
        Initializer("he_normal", gian=2.0)
    with pytest.raises(ValueError, match="dtype must be float32 or float64"):
        Initializer("he_normal")((4, 3), "int32")
    with pytest.raises(ValueError, match="at least two axes"):
        Initializer("he_normal")((4,))
