"""Parts of a transformer, recognised by the names that libraries give its parameters."""

import math

from initperf.errors import UnsuitableError
from initperf.torch.parameters import Parameter
from initperf.torch.recipe import Assign, normal

_OF_ATTENTION = ("c_proj", "o_proj", "out_proj", "wo", "attn_out", "o", "linear_proj")
_OF_FEED_FORWARD = ("down_proj", "w2", "fc2", "linear2", "ff_out", "lin2", "dense_4h_to_h")
_OUTPUTS = frozenset((*_OF_ATTENTION, *_OF_FEED_FORWARD))
"""Modules that write to the residual stream: of attention, then of the feed-forward network."""

_OUTPUT_PATHS = (".attn.proj.weight", ".output.dense.weight", ".attention.dense.weight")
HEADS = frozenset(("lm_head", "head", "output", "classifier", "fc", "embed_out", "unembedding"))
"""Modules that give the logits, outside of blocks."""
_QUERIES = frozenset(("q", "wq", "q_proj", "query", "q_lin"))
_KEYS = frozenset(("k", "wk", "k_proj", "key", "k_lin"))
_VALUES = frozenset(("v", "wv", "v_proj", "value", "v_lin"))


def is_output(parameter: Parameter) -> bool:
    """Return whether it is the weight of a layer that writes to the residual stream."""
    if parameter.role != "weight" or parameter.layer is None:
        return False
    return parameter.last in _OUTPUTS or parameter.name.endswith(_OUTPUT_PATHS)


def is_head(parameter: Parameter) -> bool:
    """Return whether it is the weight of the layer that gives the logits, outside of blocks."""
    return parameter.role == "weight" and parameter.layer is None and parameter.last in HEADS


def is_query_or_key(parameter: Parameter) -> bool:
    """Return whether it is the weight of a layer of queries or keys."""
    return parameter.role == "weight" and parameter.last in _QUERIES | _KEYS


def is_query(parameter: Parameter) -> bool:
    """Return whether it is the weight of a layer of queries."""
    return parameter.role == "weight" and parameter.last in _QUERIES


def is_value(parameter: Parameter) -> bool:
    """Return whether it is the weight of a layer of values."""
    return parameter.role == "weight" and parameter.last in _VALUES


def layers_of(parameter: Parameter) -> int:
    """Return the number of blocks.

    Raises
    ------
    UnsuitableError
        Outside of blocks.
    """
    if parameter.layers is None:
        raise UnsuitableError(f"{parameter.name}: it lies in no block, and the rule counts blocks")
    return parameter.layers


def layer_of(parameter: Parameter) -> int:
    """Return the index of the block, from 0; raise UnsuitableError outside of blocks."""
    layers_of(parameter)
    assert parameter.layer is not None
    return parameter.layer


def width_of(parameter: Parameter) -> int:
    """Return the model's width; raise UnsuitableError where nothing tells it."""
    if parameter.width is None:
        raise UnsuitableError(
            f"{parameter.name}: the model has neither embedding nor normalization, which tell "
            "its width"
        )
    return parameter.width


_TABLES = (
    "pos_embed",
    "pos_embedding",
    "position_embedding",
    "position_embeddings",
    "cls_token",
    "class_token",
    "reg_token",
    "mask_token",
    "dist_token",
)
"""Ends of the names of learned positions and tokens."""


def is_position(parameter: Parameter) -> bool:
    """Return whether it holds learned positions or tokens, as a parameter of no layer."""
    return parameter.name.endswith(_TABLES)


def position_tables(std: float, cut: float | None = None) -> tuple[Assign, ...]:
    """Return the rule of learned positions and tokens that are plain parameters.

    Parameters
    ----------
    std : float
        Standard deviation before the cut.
    cut : float, optional
        As `initperf.torch.recipe.normal` takes it.
    """
    return (Assign(is_position, normal(std, cut), optional=True),)


def inverse_root(number: float) -> float:
    """Return 1/√number."""
    return 1.0 / math.sqrt(number)
