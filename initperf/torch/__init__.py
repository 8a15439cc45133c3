"""First values of PyTorch's tensors and modules; the only package that imports torch.

`init_` sets a tensor, or every parameter of a module by a recipe; `plan` shows what it would do;
`materialize_` allocates and sets a module that was built on the device ``meta``; `draw` gives a
tensor or a part of one; `check` measures what a model's weights do to signals and gradients,
`fix_` rescales them, and `coordinate_check` says whether updates keep their size with the width. A
weight of PyTorch has the axes (out, in, ...), that of a transposed convolution (in, out, ...):
fans are counted accordingly.
"""

from initperf.torch.coordinates import CoordinateCheck, coordinate_check
from initperf.torch.draw import draw, init_
from initperf.torch.fixing.fix import Fix, fix_
from initperf.torch.materialize import materialize_
from initperf.torch.names import stream_of
from initperf.torch.parameters import Parameter
from initperf.torch.planned import Plan
from initperf.torch.planning import plan
from initperf.torch.recipe import KEEP, Assign, Recipe, register, role
from initperf.torch.recipes import RECIPES
from initperf.torch.recipes.mup import mup_groups
from initperf.torch.signals import CheckResult, Finding, check

__all__ = [
    "KEEP",
    "RECIPES",
    "Assign",
    "CheckResult",
    "CoordinateCheck",
    "Finding",
    "Fix",
    "Parameter",
    "Plan",
    "Recipe",
    "check",
    "coordinate_check",
    "draw",
    "fix_",
    "init_",
    "materialize_",
    "mup_groups",
    "plan",
    "register",
    "role",
    "stream_of",
]
