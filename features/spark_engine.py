"""Many machines: Spark brings each customer's events together, the same kernel does the rest in its Python workers.

The only file that knows Spark. Partitions are ranges of customer buckets and are sorted as the DuckDB engine sorts, so
rows come out in the same order, with the same bits, however many machines there are.
"""

from __future__ import annotations

import re
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol

import pyarrow as pa

from features.batch import ReadableAttributes, Task, compute
from features.batch_arrow import batch_from_arrow, raw_schema
from features.cutoffs import moments
from features.duckdb_engine import bucket_batches
from features.errors import EbbtideError, EngineError, StateError
from features.event_log_identity import Stored
from features.events import COLUMNS, ColumnType
from features.feature_table import FeatureTable
from features.feature_table_file import read_tables
from features.java import require_java
from features.outcome import Outcome
from features.plan import Plan
from features.spark_options import session_environment, session_options
from features.spark_worker import RESULT_SQL, work

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

__all__ = ["SparkReadableLog", "build", "spark_session"]

_MAX_REASON: Final = 300
_PARTITION_ROWS: Final = (20_000, 1_000_000)
_PARTITIONS_A_CORE: Final = 3
_TIMES: Final = frozenset({"event_time", "received_at"})
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_SQL_TYPES: Final = {ColumnType.TEXT: "string", ColumnType.TIME: "timestamp", ColumnType.NUMBER: "double"}
_IDENTITY: Final = "event_id string, load int, version int"
_SEGMENT: Final = ", ".join(
    [*(f"{column.name} {_SQL_TYPES[column.type]}" for column in COLUMNS), "bucket smallint, load int, version int"]
)


class SparkReadableLog(Protocol):
    """What the engine needs of a snapshot of the event log."""

    @property
    def bucket_rows(self) -> tuple[int, ...]:
        """Rows a bucket."""

    @property
    def stored(self) -> Stored:
        """The files it consists of; every worker must see them under the same path."""


def build(
    snapshot: SparkReadableLog,
    plan: Plan,
    cutoffs: Sequence[datetime],
    *,
    received_before: Sequence[datetime] | None = None,
    outcomes: Sequence[Outcome] = (),
    attributes: ReadableAttributes | None = None,
    master: str = "local[*]",
    properties: Mapping[str, str] = _NOTHING,
    scratch: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
    partition_rows: int | None = None,
) -> Iterator[FeatureTable]:
    """Build the feature table of a log; the driver holds one table of a few ten megabytes at a time.

    Parameters
    ----------
    snapshot : SparkReadableLog
        The log.
    plan : Plan
        The features.
    cutoffs : sequence of datetime
        Aware, distinct, in any order.
    received_before : sequence of datetime, optional
        One a cutoff: events received at or after it are not seen. None: all received events are seen.
    outcomes : sequence of Outcome
        What to look for after each cutoff.
    attributes : ReadableAttributes, optional
        Where customers' attributes come from; it is pickled, and every worker reads it. None: every attribute is null.
    master : str
        Spark's master URL, for a session of our own; one that is already running in this process is used instead.
    properties : mapping of str to str
        Further Spark properties of a session of our own.
    scratch : Path, optional
        Folder that every worker sees under this path; a folder for intermediate files is made in it and removed again.
        The system's folder for temporary files if not given.
    progress : callable, optional
        Called after each partition's tables with the events done and the events in the log.
    partition_rows : int, optional
        Events a partition; a bucket is never divided. By default a few partitions a core, of 20,000 to 1 M events each.

    Yields
    ------
    FeatureTable
        Customers of different tables differ. At least one, perhaps without rows. Rows are in the DuckDB engine's order.

    Raises
    ------
    UsageError
        If cutoffs repeat, or ``received_before`` has another length.
    StateError
        If the log cannot be read.
    EngineError
        If pyspark or Java is missing, or Spark fails.
    """
    at, before = moments(cutoffs, received_before)
    task = Task.of(plan, outcomes, cutoffs_us=at, received_before_us=before)
    total = sum(snapshot.bucket_rows)
    if total == 0:
        yield compute(task, batch_from_arrow(raw_schema(task).empty_table(), task), threads=1)
        return
    _require_files(snapshot.stored)
    with (
        tempfile.TemporaryDirectory(prefix="ebbtide-spark-", dir=scratch) as folder,
        spark_session(master, properties=properties, scratch=Path(folder)) as session,
    ):
        parts = _run(session, snapshot, task, Path(folder), partition_rows, attributes)
        done = 0
        for part in sorted(parts, key=lambda part: int(part["bucket"])):
            path = Path(folder) / part["file"]
            yield from read_tables(path)
            path.unlink()
            done += int(part["events"])
            if progress is not None:
                progress(done, total)


@contextmanager
def spark_session(
    master: str, *, properties: Mapping[str, str] = _NOTHING, scratch: Path | None = None
) -> Iterator[SparkSession]:
    """Open a Spark session and stop it in the end; one that is already running is lent and left running.

    Parameters
    ----------
    master : str
        Spark's master URL. With a local one, nothing leaves 127.0.0.1.
    properties : mapping of str to str
        Further Spark properties; they win over our own.
    scratch : Path, optional
        Folder for a local master's intermediate files.

    Raises
    ------
    EngineError
        If pyspark or Java is missing, or the session does not start.
    """
    try:
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise EngineError(
            "pyspark is not installed", expected="pyspark 4.3.0", remedy="pip install 'ebbtide[spark]'"
        ) from error
    running = SparkSession.getActiveSession()
    if running is not None:
        yield running
        return
    require_java()
    with tempfile.TemporaryDirectory(prefix="ebbtide-spark-", dir=scratch) as folder:
        options = {**session_options(master, Path(folder)), **properties}
        builder = SparkSession.builder.master(master).appName("ebbtide")
        for name, value in options.items():
            builder = builder.config(name, value)
        try:
            with session_environment(master), _no_pandas_warning():
                session = builder.getOrCreate()
        except (PySparkException, OSError) as error:
            raise _failed(f"Spark did not start with master {master!r}", error) from error
        try:
            yield session
        finally:
            session.stop()


@contextmanager
def _no_pandas_warning() -> Iterator[None]:
    """Pyspark 4.3 warns of every pandas 3; no frame of pandas goes in or out here."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas", category=FutureWarning)
        yield


def _run(
    session: SparkSession,
    snapshot: SparkReadableLog,
    task: Task,
    folder: Path,
    partition_rows: int | None,
    attributes: ReadableAttributes | None,
) -> list[Row]:
    """Let the workers write every partition's tables into the folder."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    def partition(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return work(task, folder, batches, attributes=attributes)

    try:
        with _no_pandas_warning():
            rows = _sorted_rows(session, snapshot, task, partition_rows)
            collected: list[Row] = rows.mapInArrow(partition, RESULT_SQL).collect()
            return collected
    except (PySparkException, Py4JError) as error:
        raise _failed("Spark failed", error) from error


def _sorted_rows(
    session: SparkSession, snapshot: SparkReadableLog, task: Task, partition_rows: int | None
) -> DataFrame:
    """The raw rows that are the truth, each partition a range of buckets, in the DuckDB engine's order."""
    from pyspark.sql import functions as sql

    stored = snapshot.stored
    rows = _parquet(session, stored.files, _SEGMENT)
    if stored.superseded:
        lost = _parquet(session, stored.superseded, _IDENTITY)
        rows = rows.join(lost, lost.columns, "left_anti")
    if partition_rows is None:
        least, most = _PARTITION_ROWS
        share = sum(snapshot.bucket_rows) // (_PARTITIONS_A_CORE * session.sparkContext.defaultParallelism)
        partition_rows = min(max(share, least), most)
    ranges = list(bucket_batches(snapshot.bucket_rows, partition_rows))
    partition_of = [number for number, (first, last) in enumerate(ranges) for _ in range(first, last + 1)]
    number = sql.get(sql.lit(partition_of), sql.col("bucket").cast("int"))
    columns = [
        sql.unix_micros(name).alias(name) if name in _TIMES else sql.col(name) for name in raw_schema(task).names
    ]
    return (
        rows.select(sql.col("bucket").cast("int").alias("bucket"), *columns)
        .repartitionById(len(ranges), number)
        .sortWithinPartitions("bucket", "customer_id", "event_time", "order_id")
    )


def _parquet(session: SparkSession, files: Sequence[str], schema: str) -> DataFrame:
    """Open files by their exact names; times before 1900 as they are, in the proleptic Gregorian calendar."""
    reader = session.read.schema(schema).option("__globPaths__", "false").option("datetimeRebaseMode", "CORRECTED")
    return reader.parquet(*(f"file://{Path(file).absolute()}" for file in files))


def _require_files(stored: Stored) -> None:
    for file in (*stored.files, *stored.superseded):
        if not Path(file).is_file():
            raise _unreadable(f"{file} is missing")


def _unreadable(reason: str) -> StateError:
    return StateError(
        f"the event log cannot be read: {reason}",
        remedy="restore its folder from a backup, or delete all of it and run `ebbtide ingest` again",
    )


def _failed(what: str, error: Exception) -> EbbtideError:
    """Pick the line that says what happened out of Java's and Python's stack traces."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    damaged = [line for line in lines if "[FAILED_READ_FILE" in line]
    if damaged:
        return _unreadable(damaged[0][damaged[0].index("[FAILED_READ_FILE") :][:_MAX_REASON])
    said = [line for line in lines if re.match(r"[\w.]*(Error|Exception)\b: ", line)]
    return EngineError(
        f"{what}: {(said or lines)[0][:_MAX_REASON]}",
        remedy='look at Spark\'s own messages and at `[engine]`, or use name = "duckdb", which needs no Spark',
    )
