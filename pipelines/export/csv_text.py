"""CSV that a spreadsheet can open without running anything, and a program can read without losing anything.

RFC 4180 with LF line ends: every text is quoted (so leading zeros, commas, quotes and line breaks are plainly
part of it), numbers are not, null is an empty unquoted field.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["csv_text", "neutralise"]

# OWASP, "CSV Injection": cells that begin with these may be run as formulas; the last four are full-width forms.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # fmt: skip
# Importers trim what cannot be seen before they look for a formula.
_INVISIBLE = " \u00a0\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u3000"


def neutralise(text: str) -> str:
    r"""Put an apostrophe before a text that a spreadsheet might run as a formula.

    Examples
    --------
    >>> neutralise('=HYPERLINK("http://example.com")')
    '\'=HYPERLINK("http://example.com")'
    >>> neutralise("007"), neutralise("a=b"), neutralise("-5")
    ('007', 'a=b', "'-5")

    References
    ----------
    OWASP, "CSV Injection", https://owasp.org/www-community/attacks/CSV_Injection
    """
    if text.startswith(_FORMULA_STARTS) or text.lstrip(_INVISIBLE).startswith(_FORMULA_STARTS):
        return "'" + text
    return text


def csv_text(header: Sequence[str], rows: Iterable[Sequence[str | float | datetime | None]]) -> str:
    r"""Render a table.

    Parameters
    ----------
    header : sequence of str
        Column names.
    rows : iterable of sequences
        Texts (neutralised), finite numbers (shortest form that reads back as the same float64), aware
        datetimes (ISO 8601 in UTC), or None.

    Returns
    -------
    str
        Ends with a line feed; just the header when there are no rows.

    Examples
    --------
    >>> csv_text(["id", "p", "value"], [["00,7", 0.25, None]])
    '"id","p","value"\n"00,7",0.25,\n'
    """
    lines = [",".join(_quoted(name) for name in header)]
    lines += [",".join(map(_cell, row)) for row in rows]
    return "\n".join(lines) + "\n"


def _cell(value: str | float | datetime | None) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return _quoted(neutralise(value))
    if isinstance(value, datetime):
        return _quoted(value.astimezone(UTC).isoformat().replace("+00:00", "Z"))
    return repr(value)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
