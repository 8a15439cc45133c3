"""Signals of a model at its first weights: recorder, statistics, theory beside them, verdict."""
