"""The verbs of the command line, one a file: HELP, ``configure(parser)`` and ``run(arguments)``."""
