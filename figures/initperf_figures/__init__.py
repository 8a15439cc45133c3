"""Figures and reports of initperf's measurements; a figure dropped in here joins the report."""

from initperf._core.registry import import_siblings
from initperf_figures._figure import FIGURES, ReportFigure, register

__all__ = ["FIGURES", "ReportFigure", "register"]

import_siblings(__name__, __path__)
