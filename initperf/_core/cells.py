"""Text of one cell of a table, for terminals and pages alike."""

import math
import numbers
from typing import Any

_GROUPED = 1e4


def cell(value: Any, *, missing: str = "", grouped: bool = False, typographic: bool = False) -> str:
    """Return a value of a table as text; numbers that are not integers with four digits.

    Parameters
    ----------
    value : object
        None, a number, a string, or a list or tuple, whose entries are joined by commas.
    missing : str
        Text of a missing value: of None, and with `typographic` of NaN and of pandas' NA too.
    grouped : bool
        Whether numbers of 10,000 and more that are not integers are written out, rounded to an
        integer, with a comma after each thousand, instead of with an exponent.
    typographic : bool
        Whether text is meant to be read and not parsed: integers have a comma after each
        thousand, the minus sign is U+2212 and exponents have no leading zero.
    """
    if value is None or (typographic and _is_missing(value)):
        return missing
    if isinstance(value, numbers.Real) and not isinstance(value, (numbers.Integral, bool)):
        number = float(value)
        if grouped and abs(number) >= _GROUPED:
            return f"{number:,.0f}"
        text = f"{number:.4g}"
        if typographic:
            return text.replace("e-0", "e-").replace("e+0", "e+").replace("-", "−")
        return text
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    if typographic and isinstance(value, numbers.Integral) and not isinstance(value, bool):
        return f"{int(value):,}"
    return str(value)


def _is_missing(value: Any) -> bool:
    """Return whether a value is NaN, or pandas' NA or NaT, which differ from themselves or say so.

    Pandas itself is not imported: its NA is found by the name of its type.
    """
    if isinstance(value, numbers.Real):
        return math.isnan(value)
    return type(value).__name__ in ("NAType", "NaTType")
