"""Readers in another process always see a whole load, while one after the other is published."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from features.event_log import EventLog
from tests.features.log_builders import WITH_ID, block, ingest, line, lines

ROWS, LOADS = 400, 20

READER = """
import sys
from pathlib import Path
import duckdb
from features.event_log import EventLog

log, rows, seen = EventLog(Path(sys.argv[1])), int(sys.argv[2]), set()
print("ready", flush=True)
con = duckdb.connect(":memory:", config={"threads": 1})
while max(seen, default=0) < int(sys.argv[3]):
    s = log.snapshot()
    scan = s.scan_sql(0, 255)
    found = con.execute(f"SELECT count(*), count(DISTINCT event_id), min(amount), max(amount) FROM ({scan})").fetchone()
    whole = (rows, rows, float(s.version), float(s.version)) if s.version else (0, 0, None, None)
    assert found == whole, (s.version, found)
    assert (s.rows, sum(s.bucket_rows)) == (whole[0],) * 2, s
    seen.add(s.version)
print(len(seen), flush=True)
"""


def test_a_reader_sees_whole_loads_only(tmp_path: Path) -> None:
    """Every load corrects every row, so that half of one would show as two amounts or a wrong count."""
    folder = tmp_path / "log"
    command = [sys.executable, "-c", READER, str(folder), str(ROWS), str(LOADS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "ready\n"
        for load in range(1, LOADS + 1):
            frame = lines(*(line(f"e{number}", float(load), who=f"c{number % 50}") for number in range(ROWS)))
            report = ingest(EventLog(folder), frame, block(**WITH_ID))
            assert (report.accepted, report.corrections) == ((ROWS, 0) if load == 1 else (0, ROWS))
        out, problems = reader.communicate(timeout=60)
    assert reader.returncode == 0, problems
    assert int(out) > 2, "the reader saw too few versions to tell"
