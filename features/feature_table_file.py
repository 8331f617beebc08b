"""Feature tables in a file of our own, one after the other, bit for bit: how worker processes hand them over."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from features.feature_table import FeatureTable

__all__ = ["append_table", "read_tables"]


def append_table(file: BinaryIO, table: FeatureTable) -> None:
    """Append a table to an open file: seven arrays in NumPy's own format, ids as UTF-8 bytes and their lengths."""
    ids = [str(customer).encode() for customer in table.customer_ids]
    lengths = np.array([len(encoded) for encoded in ids], dtype=np.int64)
    text = np.frombuffer(b"".join(ids), dtype=np.uint8)
    rows = (table.customer, table.cutoff_us, table.base, table.values, table.outcomes)
    for array in (lengths, text, *rows):
        np.save(file, array, allow_pickle=False)


def read_tables(path: Path) -> Iterator[FeatureTable]:
    """Tables of a file in the order they were appended; one at a time is in memory."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        while file.tell() < size:
            lengths, text, *rows = [np.load(file, allow_pickle=False) for _ in range(7)]
            ends = np.cumsum(lengths)
            encoded = text.tobytes()
            ids = np.empty(lengths.size, dtype=object)
            ids[:] = [encoded[end - length : end].decode() for end, length in zip(ends, lengths, strict=True)]
            customer, cutoff, base, values, outcomes = rows
            yield FeatureTable(
                customer_ids=ids, customer=customer, cutoff_us=cutoff, base=base, values=values, outcomes=outcomes
            )
