"""Steps of gradient descent on a deep perceptron with tanh units."""

from initperf.benchmarks.workloads._workload import register
from initperf.benchmarks.workloads.train_step import NARROW, workload

register(workload("train_step_tanh", "tanh", (NARROW,)))
