"""Predictions for wide random networks: mean field, critical points and gains."""

from initperf.theory.gains import calculate_gain
from initperf.theory.mean_field import MeanField, critical

__all__ = ["MeanField", "calculate_gain", "critical"]
