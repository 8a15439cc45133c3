"""Names of rules that look at data, which models of PyTorch cannot have, and the reason."""

from initperf.errors import UnsuitableError

_LOOK_AT_DATA = {
    "lsuv": "LSUV divides each layer by the deviation of its outputs",
    "dynamic": "LSUV divides each layer by the deviation of its outputs",
    "kraehenbuehl": "Krähenbühl's rule equalises the rates at which layers change",
    "krahenbuhl": "Krähenbühl's rule equalises the rates at which layers change",
    "krähenbühl": "Krähenbühl's rule equalises the rates at which layers change",
}
"""Schemes of multilayer perceptrons, with their aliases, and what they do with a batch."""


def refuse_data_rules(name: str) -> None:
    """Refuse a rule that needs a batch of data.

    Raises
    ------
    UnsuitableError
        With the reason, and with what there is instead.
    """
    what = _LOOK_AT_DATA.get(name.strip().lower().replace("-", "_"))
    if what is not None:
        raise UnsuitableError(
            f"{name} looks at data: {what} on a batch, layer after layer, so a value would depend "
            "on more than seed, name and index, and shards could not be drawn apart; "
            "initperf.draw_network applies it to multilayer perceptrons, and initperf.torch.check "
            "shows what a batch does in a model"
        )
