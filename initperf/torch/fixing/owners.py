"""Addresses of tensors that are parameters, copies of parameters, or computed from them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from initperf.torch.fixing.operations import LOOKUPS, WEIGHTED, address_of
from initperf.torch.parameters import Parameter, parameters


@dataclass(frozen=True)
class Held:
    """A parameter as a pass knows it.

    Attributes
    ----------
    parameter : Parameter
    copies : tuple of torch.Tensor
        Copies of its values in another dtype, made in this pass.
    """

    parameter: Parameter
    copies: tuple[torch.Tensor, ...] = ()


@dataclass(frozen=True)
class Weight:
    """A weight among the operands of an operation.

    Attributes
    ----------
    operand : torch.Tensor
    held : Held
        The parameter that it is, or is a view or a copy of.
    """

    operand: torch.Tensor
    held: Held


class Owners:
    """What is known, in one pass, of tensors that no signal made.

    Attributes
    ----------
    parameters : dict of str to Parameter
        By name, those without elements left out.
    obstacles : dict of str to str
        Why a weight cannot be scaled, by its name.

    Parameters
    ----------
    model : torch.nn.Module
    """

    def __init__(self, model: nn.Module) -> None:
        self.parameters = {each.name: each for each in parameters(model) if each.tensor.numel()}
        self.obstacles: dict[str, str] = {}
        self._held = {address_of(each.tensor): Held(each) for each in self.parameters.values()}
        self._buffers = {address_of(buffer) for buffer in model.buffers()}
        self._computed: dict[int, tuple[str, ...]] = {}

    def held(self, x: torch.Tensor) -> Held | None:
        """Return the parameter that a tensor is, or is a view or a copy of."""
        return self._held.get(address_of(x))

    def name_of(self, x: torch.Tensor | None) -> str | None:
        """Return the name of a parameter, or None for any other tensor."""
        held = None if x is None else self.held(x)
        return None if held is None else held.parameter.name

    def constant(self, x: torch.Tensor) -> bool:
        """Return whether a tensor is a parameter, a buffer, or computed from parameters."""
        address = address_of(x)
        return address in self._held or address in self._buffers or address in self._computed

    def forget(self, x: torch.Tensor) -> None:
        """Take a tensor for a signal from now on."""
        self._computed.pop(address_of(x), None)

    def add_copy(self, held: Held, copy: torch.Tensor) -> None:
        """Take a tensor for a parameter of which it holds all values."""
        if copy.numel() == held.parameter.tensor.numel() and self.held(copy) is None:
            self._held[address_of(copy)] = Held(held.parameter, (*held.copies, copy))

    def add_computed(
        self, operands: Sequence[torch.Tensor], results: Iterable[torch.Tensor]
    ) -> bool:
        """Note results of parameters alone; return whether they are."""
        names: list[str] = []
        for x in operands:
            own = self.held(x)
            if own is None and address_of(x) not in self._computed:
                return False
            names += self._computed[address_of(x)] if own is None else (own.parameter.name,)
        for x in results if names else ():
            self._computed[address_of(x)] = tuple(dict.fromkeys(names))
        return bool(names)

    def blame(self, x: torch.Tensor) -> None:
        """Note of the parameters that a weight is computed from that they cannot be scaled."""
        for name in self._computed.get(address_of(x), ()):
            reason = "the model computes the weight that it uses from it"
            self.obstacles.setdefault(name, reason)

    def weight(self, operation: str, operands: Sequence[torch.Tensor]) -> Weight | None:
        """Return the operand that is a weight which can be scaled, and note why others cannot.

        Parameters
        ----------
        operation : str
        operands : sequence of torch.Tensor
        """
        for x in operands:
            if x.ndim < 2:
                continue
            if operation in WEIGHTED:
                self.blame(x)
            own = self.held(x)
            if own is None:
                continue
            if operation in WEIGHTED:
                if operation in LOOKUPS or own.parameter.tensor.ndim > 1:
                    return Weight(x, own)
            elif own.parameter.role == "weight":
                reason = f"there is no rule for the operation {operation}, which uses it"
                self.obstacles.setdefault(own.parameter.name, reason)
        return None
