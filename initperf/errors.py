"""Errors that the command line maps to exit codes."""


class DataError(Exception):
    """A data set is missing, truncated, corrupted or not what it claims to be (exit 3)."""


class UsageError(Exception):
    """A request for something that does not exist or is not possible (exit 2)."""


class UnsuitableError(UsageError, ValueError):
    """An experiment is impossible, or a scheme does not apply to it; says what would be right."""


class RuleError(UsageError, ValueError):
    """A user's own rule raised an error, which is the cause, or returned what are no weights."""


class PluginError(UsageError):
    """A module that an entry point of another distribution names cannot be imported."""
