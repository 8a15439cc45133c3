"""Which of its backends Keras uses here: one that comes with the extra, on the CPU."""

import os

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"
