"""Initializer objects of Keras: in layers, saved and loaded again."""

import jax
import keras
import numpy as np
import pytest

import initperf
import initperf.keras
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


def test_what_cannot_be_is_refused_early():
    with pytest.raises(ValueError, match="did you mean 'he_normal'"):
        Initializer("he_norml")
    with pytest.raises(TypeError, match="has no parameter 'gian'"):
        Initializer("he_normal", gian=2.0)
    with pytest.raises(ValueError, match="dtype must be one of float32"):
        Initializer("he_normal")((4, 3), "int32")
    with pytest.raises(ValueError, match="at least two axes"):
        Initializer("he_normal")((4,))
