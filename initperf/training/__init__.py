"""Experiments, training runs, their storage, and sweeps."""
