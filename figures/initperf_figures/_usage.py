"""Lines of code that use an initializer in PyTorch, Keras, JAX and here."""


def usage_lines(name: str, activation: str) -> str:
    """Return lines of Python that draw first weights by a rule, or nothing for an unknown one.

    Parameters
    ----------
    name : str
        Name of an initializer, or of a scheme, which sets a whole network.
    activation : str
        Activation of the hidden layers.
    """
    # These import compiled kernels, which figures do not need.
    from initperf.initializers import INITIALIZERS
    from initperf.schemes import SCHEMES

    if name in INITIALIZERS:
        lines = (
            ("initperf", f"weights = initperf.draw({name!r}, (784, 256), rng=0)"),
            ("initperf.torch", f"initperf.torch.init_(model, {name!r}, rng=0)"),
            ("initperf.keras", f"kernel = initperf.keras.Initializer({name!r}, seed=0)"),
            ("initperf.jax", f"init = initperf.jax.initializer({name!r})"),
        )
        titles = ("here", "PyTorch", "Keras: kernel_initializer=kernel", "JAX: init(key, shape)")
        return "\n\n".join(
            f"# {title}\nimport {module}\n{line}"
            for title, (module, line) in zip(titles, lines, strict=True)
        )
    if name in SCHEMES:
        return (
            "# of all layers, as pairs of weights (fan_in, fan_out) and biases; of PyTorch's "
            "weights the transpose\nimport initperf\n"
            f"layers = initperf.draw_network({name!r}, (784, 256, 10), {activation!r}, rng=0)"
        )
    return ""
