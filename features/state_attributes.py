"""A customer's attributes inside the packed state: a short JSON text, read only when a plan asks for attributes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from features.errors import StateError
from features.grammar import ATTRIBUTE_SCALE
from features.kernel_program import NULL, Attributes

__all__ = ["ALWAYS_US", "AttributeRow", "attributes_of", "packed_attributes", "scaled_attribute"]

ALWAYS_US = -(2**63) + 1
"""``valid_from`` of what has no date: before every cutoff."""
_NOTHING = np.zeros(0, dtype=np.int64)
_NONE = Attributes(np.zeros(2, dtype=np.int64), _NOTHING, _NOTHING.reshape(0, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeRow:
    """Attributes of a customer from a moment on.

    Parameters
    ----------
    valid_from_us : int
        Epoch µs; a cutoff after it sees the row, until another is valid. :data:`ALWAYS_US` if it was always so.
    values : mapping of str to (float, str or None)
        Name → number or text; what is not there is null.
    """

    valid_from_us: int
    values: Mapping[str, float | str | None] = field(default_factory=dict)


def packed_attributes(rows: Sequence[AttributeRow]) -> bytes:
    """Encode attributes, ascending by when they are valid; of several at one time the last given stays last."""
    ordered = sorted(rows, key=lambda row: row.valid_from_us)
    listed = [[row.valid_from_us, dict(row.values)] for row in ordered]
    return json.dumps(listed, separators=(",", ":"), allow_nan=True).encode() if listed else b""


def attributes_of(packed: bytes, wanted: Sequence[tuple[str, str | None]]) -> Attributes:
    """Attributes that a plan wants, as the kernel reads them, of one customer.

    Raises
    ------
    StateError
        If the text is damaged.
    """
    if not wanted or not packed:
        return _NONE
    try:
        rows = [(int(at), dict(values)) for at, values in json.loads(packed)]
    except (ValueError, TypeError) as error:
        raise StateError(
            "a customer's attributes cannot be read", remedy="rebuild the online store: `ebbtide materialize`"
        ) from error
    values = np.array(
        [[scaled_attribute(row.get(name), text) for _, row in rows] for name, text in wanted], dtype=np.int64
    )
    return Attributes(
        np.array([0, len(rows)], dtype=np.int64), np.array([at for at, _ in rows], dtype=np.int64), values
    )


def scaled_attribute(value: object, text: str | None) -> int:
    """Integer of an attribute: its number in thousandths, or whether it is a text; NULL if it is neither.

    Examples
    --------
    >>> scaled_attribute(1.5, None), scaled_attribute("gold", "gold"), scaled_attribute("tin", "gold")
    (1500, 1, 0)
    >>> scaled_attribute(None, "gold") == scaled_attribute("gold", None) == NULL
    True
    """
    if text is not None:
        return NULL if value is None else int(str(value) == text)
    if isinstance(value, str) or not isinstance(value, int | float) or not math.isfinite(value):
        return NULL
    product = abs(value * ATTRIBUTE_SCALE)
    if product >= 2**62:
        return NULL
    whole = math.floor(product)
    whole += product - whole >= 0.5
    return -whole if value < 0 else whole
