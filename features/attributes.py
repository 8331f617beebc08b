"""Customers' attributes out of the stored table of customers: for the engines, for packed states, for the catalogue.

A number or a boolean (0 or 1) is an attribute as it is; a text is whether it is each of its most frequent values.
Everything else, a date above all, is no attribute. What is read is the same for all: one SQL expression a column.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final, cast

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.batch import no_attributes
from features.catalogue.attributes import Attribute
from features.customers import VALID_FROM
from features.errors import StateError
from features.grammar import ATTRIBUTE_SCALE
from features.kernel_program import NULL, Attributes, Ints
from features.mapping import quote_name
from features.mapping_types import Family, family, text_sql
from features.sources import sql_text
from features.state import AttributeRow, State
from features.state_attributes import ALWAYS_US, scaled_attribute

__all__ = ["MOST_VALUES", "AttributeTable", "attached", "open_attributes"]

MOST_VALUES: Final = 12
"""Values of a text that become features: the most frequent ones."""
_LARGEST: Final = 2.0**62
_STATES: Final = 2_000
_NUMBERS: Final = frozenset({Family.INTEGER, Family.DECIMAL, Family.FLOAT, Family.BOOLEAN})
_TEXTS: Final = frozenset({Family.TEXT, Family.JSON})


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """An attribute in the stored table: its name, its SQL (a finite DOUBLE or a text), and which of the two."""

    name: str
    sql: str
    is_text: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeTable:
    """Attributes in the stored table of customers; every look-up reads the file, so it may be sent to other processes.

    Parameters
    ----------
    path : Path
        The Parquet file that :func:`features.customers.load_customers` wrote.
    columns : tuple of Column
        The attributes.
    dated : bool
        Whether a row says from when on it is valid; otherwise it always was.
    notes : tuple of str
        What is no attribute although it was asked for, and why.
    """

    path: Path
    columns: tuple[Column, ...]
    dated: bool
    notes: tuple[str, ...] = ()

    def of(self, customer_ids: NDArray[np.object_], wanted: Sequence[tuple[str, str | None]]) -> Attributes:
        """Attributes of customers, in their order, as the kernel reads them; what the table lacks is null.

        Parameters
        ----------
        customer_ids : array of str
            Distinct.
        wanted : sequence of (str, str or None)
            Names, each with the text to look for, or None for the number.

        Raises
        ------
        StateError
            If the table cannot be read.
        """
        names = {name for name, _ in wanted}
        columns = [column for column in self.columns if column.name in names]
        if not columns or not customer_ids.size:
            nothing = np.zeros(0, dtype=np.int64)
            return no_attributes(customer_ids.size)._replace(values=nothing.reshape(len(wanted), 0))
        table = self._read(customer_ids.tolist(), columns)
        values = np.full((len(wanted), table.num_rows), NULL, dtype=np.int64)
        place = {column.name: at for at, column in enumerate(columns)}
        for row, (name, text) in enumerate(wanted):
            if name in place:
                values[row] = _integers(table.column(f"value_{place[name]}"), columns[place[name]], text)
        start = np.searchsorted(table.column("place").to_numpy(), np.arange(customer_ids.size + 1))
        valid_from = np.array(table.column("valid_from_us").to_numpy(), dtype=np.int64)
        return Attributes(np.array(start, dtype=np.int64), valid_from, values)

    def rows(self, customer_ids: Sequence[str]) -> dict[str, list[AttributeRow]]:
        """Rows of customers as a packed state takes them, ascending by when they are valid; nothing of the unknown.

        Raises
        ------
        StateError
            If the table cannot be read.
        """
        found: dict[str, list[AttributeRow]] = {}
        if not self.columns or not customer_ids:
            return found
        table = self._read(customer_ids, self.columns).to_pydict()
        for place, valid_from_us, *values in zip(*table.values(), strict=True):
            known = {
                column.name: value for column, value in zip(self.columns, values, strict=True) if value is not None
            }
            row = AttributeRow(valid_from_us=valid_from_us, values=known)
            found.setdefault(customer_ids[place], []).append(row)
        return found

    def listed(self) -> tuple[tuple[Attribute, ...], tuple[str, ...]]:
        """Attributes for the catalogue, and a sentence on each column that is not all there or perhaps not meant so.

        Raises
        ------
        StateError
            If the table cannot be read.
        """
        attributes, notes = [], list(self.notes)
        with _connected(self.path) as connection:
            for column in self.columns:
                if not column.is_text:
                    attributes.append(Attribute(name=column.name))
                    continue
                query = (
                    "SELECT v, count(*) AS n, TRY_CAST(v AS DOUBLE) IS NOT NULL "
                    f"FROM (SELECT {column.sql} AS v FROM t) WHERE v IS NOT NULL "
                    f"GROUP BY v ORDER BY n DESC, v LIMIT {MOST_VALUES + 1}"
                )
                found = connection.sql(query).fetchall()
                values = tuple(str(value) for value, _, _ in found[:MOST_VALUES])
                if values:
                    attributes.append(Attribute(name=column.name, values=values))
                notes += _notes(column.name, len(found), numbers=all(number for _, _, number in found))
        return tuple(attributes), tuple(notes)

    def _read(self, customer_ids: Sequence[str], columns: Sequence[Column]) -> pa.Table:
        """Columns ``place`` in the ids, ``valid_from_us`` and ``value_0`` …, sorted by the first two."""
        ids = pa.array(customer_ids, pa.large_string())
        asked = pa.table({"customer_id": ids, "place": pa.array(np.arange(len(ids)))})
        valid_from = f"epoch_us({VALID_FROM})" if self.dated else f"CAST({ALWAYS_US} AS BIGINT)"
        values = "".join(f", {column.sql} AS value_{at}" for at, column in enumerate(columns))
        with _connected(self.path) as connection:
            connection.register("asked", asked)
            query = (
                f"SELECT place, {valid_from} AS valid_from_us{values} FROM t JOIN asked USING (customer_id) "
                "ORDER BY place, valid_from_us"
            )
            table: pa.Table = connection.sql(query).to_arrow_table()
            return table


def open_attributes(path: Path, names: Sequence[str], *, dated: bool) -> AttributeTable:
    """Look at the stored table of customers.

    Parameters
    ----------
    path : Path
        The Parquet file.
    names : sequence of str
        Columns that are attributes.
    dated : bool
        Whether the configuration says from when on a row is valid.

    Raises
    ------
    StateError
        If the file cannot be read, or was written with another configuration.
    """
    with _connected(path) as connection:
        types = {str(name): str(kind) for name, kind, *_ in connection.sql("DESCRIBE t").fetchall()}
    missing = [name for name in (*names, *([VALID_FROM] if dated else [])) if name not in types]
    if missing or (not dated and VALID_FROM in types):
        what = f"has no {', '.join(missing)}" if missing else f"has a {VALID_FROM} that the configuration does not name"
        raise StateError(
            f"the stored table of customers {what}",
            expected="the columns of [customers]",
            remedy="run `ebbtide ingest`, which reads the table again",
        )
    columns, notes = [], []
    for name in names:
        kind, quoted = family(types[name]), quote_name(name)
        if kind in _NUMBERS:
            number = f"CAST({quoted} AS DOUBLE)"
            sql = f"CASE WHEN isfinite({number}) THEN {number} END"
            columns.append(Column(name=name, sql=sql, is_text=False))
        elif kind in _TEXTS:
            columns.append(Column(name=name, sql=text_sql(quoted, kind), is_text=True))
        else:
            notes.append(f"attribute {name!r} is a {types[name]} and becomes no feature; make it a number or a text")
    return AttributeTable(path=path, columns=tuple(columns), dated=dated, notes=tuple(notes))


def attached(states: Iterable[tuple[str, State]], table: AttributeTable | None) -> Iterator[tuple[str, State]]:
    """Give states of customers their attributes; None leaves them as they are.

    Raises
    ------
    StateError
        If the table cannot be read.
    """
    if table is None:
        yield from states
        return
    rest = iter(states)
    while chunk := list(islice(rest, _STATES)):
        rows = table.rows([customer_id for customer_id, _ in chunk])
        for customer_id, state in chunk:
            yield customer_id, state.with_attributes(rows[customer_id]) if customer_id in rows else state


def _integers(column: pa.ChunkedArray[Any], of: Column, text: str | None) -> Ints:
    """Array form of :func:`features.state_attributes.scaled_attribute`."""
    if of.is_text and text is not None:
        same = cast("Any", pc.equal(column, pa.scalar(text, column.type)))  # the stubs promise a scalar
        return np.array(same.cast(pa.int64()).fill_null(NULL).to_numpy(), dtype=np.int64)
    if of.is_text:
        return np.full(len(column), NULL, dtype=np.int64)
    if text is not None:
        return np.array([scaled_attribute(value, text) for value in column.to_pylist()], dtype=np.int64)
    return _scaled(column.to_numpy())


def _scaled(numbers: NDArray[np.float64]) -> Ints:
    with np.errstate(over="ignore"):
        product = np.abs(numbers * ATTRIBUTE_SCALE)
    known = product < _LARGEST  # neither NaN nor infinite
    size = np.where(known, product, 0.0)
    whole = np.floor(size)
    rounded = (whole + (size - whole >= 0.5)).astype(np.int64)
    return np.where(known, np.where(numbers < 0, -rounded, rounded), NULL)


def _notes(name: str, values: int, *, numbers: bool) -> Iterator[str]:
    if not values:
        yield f"attribute {name!r} is empty in every row and becomes no feature"
        return
    if numbers:
        yield (
            f"attribute {name!r} is text that looks like numbers; to use it as a number: "
            f'{name} = "CAST({name} AS DOUBLE)"'
        )
    if values > MOST_VALUES:
        yield f"attribute {name!r} has more than {MOST_VALUES} values: the {MOST_VALUES} most frequent become features"


@contextmanager
def _connected(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the file as the view ``t``."""
    try:
        with duckdb.connect(":memory:", config={"threads": 2}) as connection:
            connection.execute(f"CREATE VIEW t AS SELECT * FROM read_parquet({sql_text(str(path))})")
            yield connection
    except duckdb.Error as error:
        raise StateError(
            f"the stored table of customers cannot be read: {str(error).splitlines()[0]}",
            remedy="run `ebbtide ingest`, which writes it again",
        ) from error
