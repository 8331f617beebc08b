"""Two ingests at once: the second waits as long as it was told to, or says so; both leave one log."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from features.event_log_lock import lock
from tests.pipelines.crash_shop import contents, first_delivery


def start(home: Path, *options: str) -> subprocess.Popen[str]:
    command = [str(Path(sys.executable).with_name("ebbtide")), "ingest", "--json", *options]
    return subprocess.Popen(command, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_second_is_told_who_writes_and_may_wait(tmp_path: Path) -> None:
    home = tmp_path / "home"
    first_delivery(home)
    with lock(home / "log"):
        at_once, patient = start(home), start(home, "--wait", "60")
        _, told = at_once.communicate(timeout=60)
        assert at_once.returncode == 75
        assert "is writing the event log" in told
        assert "--wait" in told
        assert patient.stderr is not None
        while "waiting up to 60 s" not in (heard := patient.stderr.readline()):
            assert heard, "it ended without saying that it waits"
        assert "another process (" in heard
        short = start(home, "--wait", "0.3")
        _, told = short.communicate(timeout=60)
        assert (short.returncode, "still after 0.3 s" in told) == (75, True)
        assert patient.poll() is None
    out, problems = patient.communicate(timeout=60)
    assert patient.returncode == 0, problems
    assert json.loads(out)["rows"] == len(contents(home)["truth"])


@pytest.mark.slow
def test_two_that_wait_for_each_other_leave_the_log_of_one(tmp_path: Path) -> None:
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    for home in (alone, shared):
        first_delivery(home)
    with start(alone) as one:
        one.communicate(timeout=60)
    both = [start(shared, "--wait", "60") for _ in range(2)]
    ended = [process.communicate(timeout=90) for process in both]
    assert [process.returncode for process in both] == [0, 0], ended
    assert contents(shared) == contents(alone)
