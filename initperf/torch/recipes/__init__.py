"""Recipes: one, or one family, a file, each with its source and formula."""

from initperf._core.registry import import_siblings
from initperf.torch.recipe import RECIPES

__all__ = ["RECIPES"]

import_siblings(__name__, __path__)
