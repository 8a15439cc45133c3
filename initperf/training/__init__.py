"""Training of multilayer perceptrons: experiments, runs, their storage, and sweeps."""
