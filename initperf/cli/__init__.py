"""The command line, one verb a file: HELP, ``configure(parser)`` and ``run(arguments)``."""

from initperf.cli._main import main, parser_of_verbs, verbs

__all__ = ["main", "parser_of_verbs", "verbs"]
