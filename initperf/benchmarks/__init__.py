"""Timings of kernels, workloads and rivals, with intervals and the limits of the hardware."""
