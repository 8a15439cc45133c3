"""Figures and reports of initperf's measurements; a figure dropped in here joins the report."""

from initperf._core.registry import import_siblings
from initperf_figures._draw import draw
from initperf_figures._figure import FIGURES, ReportFigure, Tables, register
from initperf_figures._movie import movie
from initperf_figures._style import SIZES, canvas

__all__ = ["FIGURES", "SIZES", "ReportFigure", "Tables", "canvas", "draw", "movie", "register"]

import_siblings(__name__, __path__)
