"""Messages of the library on a terminal: so far, that a wait is for the compiler."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def messages() -> Iterator[None]:
    """Show what the library logs within the block on stderr, if that is a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    logger, handler = logging.getLogger("initperf"), logging.StreamHandler()
    handler.setFormatter(logging.Formatter("initperf: %(message)s"))
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
