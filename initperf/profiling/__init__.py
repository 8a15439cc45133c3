"""Profiles of a kernel, a draw or a training run: phases, compilation, loops, samples."""
