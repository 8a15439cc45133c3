"""The errors that the command line turns into exit codes of their own."""


class DataError(Exception):
    """A data set is missing, truncated, corrupted or not what it claims to be (exit 3)."""


class UsageError(Exception):
    """The caller asked for something that does not exist or cannot be (exit 2)."""


class UnsuitableError(UsageError, ValueError):
    """A network cannot be, or a scheme does not apply to it or to a batch; says what would do."""


class PluginError(UsageError):
    """A module that an entry point of another distribution names cannot be imported."""
