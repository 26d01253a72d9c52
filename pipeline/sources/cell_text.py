"""What a cell says: one rule for manifests and saved datasets, of what is text and what is nothing.

Text is itself, and in a CSV everything is text: ``007`` and ``7.0`` stay as they are written. Elsewhere
whole numbers are their digits (7.0 too: a column of whole numbers becomes one of floats where a cell is
missing), and dates are written as ISO 8601 has them. Nothing, an empty text and NaN say nothing. What else
there is (booleans, fractions, lists) is a mistake: nobody knows which text was meant.
"""

import math
from datetime import date

from schemas import ConfigError


def read_text(where: str, column: str, value: object) -> str | None:
    """Return the text that ``value`` stands for, or None if it says nothing.

    Raises ``ConfigError`` with ``where``, ``column`` and ``value`` for what has no text of its own, and for
    half of a sign.
    """
    text = _text(value)
    if text is None or not _is_unicode(text):
        raise ConfigError(f"{where}: {column!r} must be text, got {value!r}")
    return text or None


def _text(value: object) -> str | None:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    match value:
        case bool():
            return None
        case str() | int():
            return str(value)
        case float() if value.is_integer():
            return str(int(value))
        case date():  # a datetime is one too
            return value.isoformat()
    return None


def _is_unicode(text: str) -> bool:
    """Whether ``text`` has no half of a pair of surrogates, which JSON can write and nothing can store."""
    return not any("\ud800" <= sign <= "\udfff" for sign in text)
