"""Steps of gradient descent on a deep perceptron with tanh units."""

from initperf.benchmarks.workloads._step import NARROW
from initperf.benchmarks.workloads._workload import register
from initperf.benchmarks.workloads.train_step import workload

register(workload("train_step_tanh", "tanh", (NARROW,)))
