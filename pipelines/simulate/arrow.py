"""Rows as Arrow: ids of fixed width, short texts by dictionary, so that no text is made row by row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.simulate.draws import Flags, Ints
from pipelines.simulate.faulty_rows import Delivered
from pipelines.simulate.rows import CODED, NUMBERS

__all__ = ["SCHEMA", "Texts", "customer_texts", "hex_ids", "to_table"]

Texts: TypeAlias = "pa.Array[Any]"
"""Arrow array of texts."""
_TIME: Final = pa.timestamp("us", tz="UTC")
_BYTES: Final = 7
_HEX: Final = np.array([f"{byte:02x}".encode() for byte in range(256)], dtype="S2").view(np.uint16)
_MISSING_TIME: Final = np.iinfo(np.int64).min
_SHORT: Final = pa.dictionary(pa.int32(), pa.string())
SCHEMA: Final = pa.schema(
    [
        ("event_id", pa.string()),
        ("customer_id", _SHORT),
        ("event_time", _TIME),
        ("received_at", _TIME),
        *((name, _SHORT) for name in CODED),
        *((name, pa.float64()) for name in NUMBERS),
        ("session_id", pa.string()),
        ("order_id", pa.string()),
        ("related_customer_id", _SHORT),
    ]
)


def customer_texts(chunk: int, size: int) -> Texts:
    """Ids of a chunk's customers: 8 hexadecimal digits of the chunk, 6 of the place in it."""
    return hex_ids((chunk << 24) + np.arange(size), b"c")


def hex_ids(numbers: Ints, prefix: bytes, present: Flags | None = None) -> Texts:
    """Texts of a letter and 14 hexadecimal digits; null where not present.

    Examples
    --------
    >>> hex_ids(np.array([255]), b"e").to_pylist()
    ['e000000000000ff']
    """
    digits = _HEX[numbers.astype(">i8").view(np.uint8).reshape(-1, 8)[:, 8 - _BYTES :]]
    width = 2 * _BYTES + 1
    text = np.empty((numbers.size, width), dtype=np.uint8)
    text[:, 0] = prefix[0]
    text[:, 1:] = digits.view(np.uint8).reshape(-1, 2 * _BYTES)
    if present is None or present.all():
        offsets = np.arange(numbers.size + 1, dtype=np.int32) * width
        return pa.StringArray.from_buffers(numbers.size, _buffer(offsets), _buffer(text))
    offsets = np.concatenate([[0], np.cumsum(present)]).astype(np.int32) * width
    valid = np.packbits(present, bitorder="little")
    return pa.StringArray.from_buffers(numbers.size, _buffer(offsets), _buffer(text[present]), _buffer(valid))


def to_table(rows: Delivered, chunk: int, customers: Texts, texts: Mapping[str, Texts]) -> pa.Table:
    """Raw rows of a chunk, in :data:`SCHEMA`."""
    columns: dict[str, Any] = {
        "event_id": hex_ids((chunk << 32) + rows.number, b"e"),
        "customer_id": _coded(rows.customer, customers),
        "event_time": pa.array(rows.time, mask=rows.time == _MISSING_TIME).cast(_TIME),
        "received_at": pa.array(rows.received).cast(_TIME),
    }
    for name, codes in rows.codes.items():
        columns[name] = _coded(codes, texts[name])
    for name, numbers in rows.numbers.items():
        columns[name] = pa.array(numbers, mask=np.isnan(numbers))
    for name, keys in rows.keys.items():
        columns[name] = (
            _coded(keys, customers) if name == "related_customer_id" else hex_ids(keys, name[:1].encode(), keys >= 0)
        )
    arrays = [columns[one.name] if one.name in columns else pa.nulls(rows.size, one.type) for one in SCHEMA]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def _coded(codes: NDArray[np.integer[Any]], values: Texts) -> Texts:
    indices: Any = pa.array(codes.astype(np.int32), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, values)


def _buffer(values: NDArray[Any]) -> pa.Buffer:
    whole: Any = np.ascontiguousarray(values)
    return pa.py_buffer(whole)
