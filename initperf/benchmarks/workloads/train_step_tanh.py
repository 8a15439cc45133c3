"""Steps of gradient descent on a deep perceptron whose units take the hyperbolic tangent."""

from initperf.benchmarks.workloads._workload import register
from initperf.benchmarks.workloads.train_step import NARROW, workload

register(workload("train_step_tanh", "tanh", (NARROW,)))
