"""JAX-style initializers: same weights inside ``jit`` as outside, of the key and shape alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import initperf.jax
from initperf import INITIALIZERS

KEY = jax.random.key(5)
init = initperf.jax.initializer("he_normal")


def test_the_weights_depend_on_key_and_shape_alone():
    w = init(KEY, (30, 20))
    assert isinstance(w, jax.Array)
    assert (w.shape, w.dtype) == ((30, 20), jnp.float32)
    np.testing.assert_array_equal(w, init(KEY, (30, 20), jnp.float32))
    np.testing.assert_array_equal(w, init(jax.random.PRNGKey(5), (30, 20)))  # raw words
    compiled = jax.jit(init, static_argnums=(1, 2))
    np.testing.assert_array_equal(w, compiled(KEY, (30, 20), jnp.float32))
    other = init(jax.random.split(KEY)[0], (30, 20))
    assert not np.any(w == other)


def test_the_law_is_the_one_declared():
    w = np.asarray(init(KEY, (300, 200)), np.float64)
    # the standard error of a standard deviation is σ/√2N; five of them, once
    declared = INITIALIZERS["he_normal"].std((300, 200))
    assert abs(w.std() - declared) < 5 * declared / np.sqrt(2 * w.size)


def test_keys_in_a_batch_draw_what_each_draws_alone():
    keys = jax.random.split(KEY, 3)
    together = jax.vmap(lambda key: init(key, (4, 3)))(keys)
    for key, w in zip(keys, together, strict=True):
        np.testing.assert_array_equal(w, init(key, (4, 3)))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_narrow_dtypes_are_float32_rounded(dtype):
    w = init(KEY, (30, 20), dtype)
    assert w.dtype == dtype
    np.testing.assert_array_equal(w, init(KEY, (30, 20)).astype(dtype))


def test_float64_is_drawn_as_such_where_jax_allows_it():
    with jax.enable_x64(True):
        w = init(KEY, (30, 20), jnp.float64)
    assert w.dtype == jnp.float64
    assert np.any(np.asarray(w) != np.asarray(w).astype("float32"))


def test_shapes_are_known_without_drawing_and_parameters_pass_on():
    gained = initperf.jax.initializer("orthogonal", gain=2.0)
    shape = jax.eval_shape(lambda key: gained(key, (7, 5)), KEY)
    assert (shape.shape, shape.dtype) == ((7, 5), jnp.float32)
    rule = INITIALIZERS["orthogonal"].replace(gain=2.0)
    np.testing.assert_array_equal(initperf.jax.initializer(rule)(KEY, (7, 5)), gained(KEY, (7, 5)))
    with jax.default_matmul_precision("highest"):
        w = gained(KEY, (7, 5))
        np.testing.assert_allclose(w.T @ w, 4 * np.eye(5), atol=64 * np.finfo("float32").eps)


def test_placement_is_respected():
    placement = jax.sharding.SingleDeviceSharding(jax.devices()[0])
    assert init(KEY, (4, 3), jnp.float32, placement).sharding == placement


def test_the_default_dtype_is_that_of_jax():
    assert init(KEY, (4, 3)).dtype == jnp.float32
    with jax.enable_x64(True):
        assert init(KEY, (4, 3)).dtype == jnp.float64


@pytest.mark.parametrize("keys", [jax.random.split(KEY, 3), jax.random.PRNGKey(0)[None]])
def test_an_array_of_keys_is_refused(keys):
    with pytest.raises(ValueError, match="key must be a single key, not an array of them"):
        init(keys, (4, 3))


def test_empty_weights_are_drawn():
    assert init(KEY, (0, 3)).shape == (0, 3)
    assert jax.jit(lambda key: init(key, (3, 0)))(KEY).shape == (3, 0)


def test_what_cannot_be_is_refused_early():
    with pytest.raises(TypeError, match=r"key must be a key of jax\.random"):
        init(0, (4, 3))
    with pytest.raises(TypeError, match=r"key must be a key of jax\.random"):
        init(jnp.zeros(2), (4, 3))
    with pytest.raises(TypeError, match="a name or an Initializer"):
        initperf.jax.initializer(len)
    with pytest.raises(ValueError, match="did you mean 'he_normal'"):
        initperf.jax.initializer("he_norml")
    with pytest.raises(TypeError, match="has no parameter 'gian'"):
        initperf.jax.initializer("he_normal", gian=2.0)
    with pytest.raises(ValueError, match="dtype must be float32 or float64"):
        init(KEY, (4, 3), jnp.int32)
    with pytest.raises(ValueError, match="at least two axes"):
        jax.jit(lambda key: init(key, (4,)))(KEY)
