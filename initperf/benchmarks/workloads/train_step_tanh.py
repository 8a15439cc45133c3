"""Steps of gradient descent on a deep perceptron with tanh units."""

from initperf.benchmarks.workloads._work import register
from initperf.benchmarks.workloads.train_step import NARROW, work

register(work("train_step_tanh", "tanh", (NARROW,)))
