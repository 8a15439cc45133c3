"""Figures and reports of initperf's measurements; a figure dropped in here joins the report."""

from initperf._core.registry import import_siblings
from initperf_figures._figure import FIGURES, ReportFigure, Tables, register
from initperf_figures._style import canvas

__all__ = ["FIGURES", "ReportFigure", "Tables", "canvas", "register"]

import_siblings(__name__, __path__)
