"""Rescaling of first weights: the graph of a forward pass, and factors for its weights."""
