"""HTML of records, as notebooks show them."""

from collections.abc import Mapping
from html import escape
from typing import Any

from initperf._core.cells import cell


def record(heading: str, facts: Mapping[str, Any]) -> str:
    """Return a table of two columns, names and values, as HTML.

    Parameters
    ----------
    heading : str
        Caption of the table.
    facts : mapping of str to object
        Values by name; those that are None or empty are left out.
    """
    rows = "".join(
        f'<tr><th scope="row" style="text-align:left">{escape(str(name))}</th>'
        f'<td style="text-align:left">{escape(cell(value))}</td></tr>'
        for name, value in facts.items()
        if value is not None and value != "" and value != ()
    )
    caption = f'<caption style="text-align:left"><b>{escape(heading)}</b></caption>'
    return f"<table>{caption}<tbody>{rows}</tbody></table>"
