"""``kill -9`` at every durable step of ``ebbtide ingest``, and a second run: the log of an undisturbed run.

The steps are counted by one run and then died at one by one, before the step is made and, where a file is flushed, also
with half of its bytes lost: by default at every fourth step, with the slow tests at each. Processes are real and so is
SIGKILL; see ``crash_launcher.py``.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.pipelines import crash_launcher
from tests.pipelines.crash_shop import contents, first_delivery, second_delivery

KILLED = -9
SEED = 20240301


@dataclass(frozen=True)
class Step:
    number: int
    name: str
    kind: str
    path: str


class Launcher:
    """Starts ``ebbtide ingest`` in a process of its own each time."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process, self._folder = process, folder

    def ingest(
        self, home: Path, *, stop_at: int | None = None, torn: bool = False, after_seconds: float | None = None
    ) -> tuple[int, float]:
        order = {
            "argv": ["ingest", "--config", str(home / "ebbtide.toml")],
            "root": str(home),
            "stop_at": stop_at,
            "torn": torn,
            "after_seconds": after_seconds,
            "out": str(self._folder / "out"),
            "trace": str(self._folder / "trace"),
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer["exit"], answer["seconds"]

    def finish(self, home: Path) -> None:
        code, _ = self.ingest(home)
        assert code == 0, (self._folder / "out").read_text(encoding="utf-8")

    def steps(self, home: Path) -> list[Step]:
        """Steps of the last run, paths relative to its home."""
        lines = (self._folder / "trace").read_text(encoding="utf-8").splitlines()
        found = [json.loads(line) for line in lines]
        whole = enumerate(found, start=1)
        return [Step(at, name, kind, str(Path(path).relative_to(home))) for at, (name, kind, path) in whole]


@pytest.fixture(scope="module")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    script = Path(crash_launcher.__file__)
    command, root = [sys.executable, str(script)], script.resolve().parents[2]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        yield Launcher(process, tmp_path_factory.mktemp("launcher"))
    assert process.returncode == 0


@dataclass(frozen=True)
class Stage:
    """What stands before an ingest, and what an undisturbed one makes of it."""

    name: str
    before: Path
    after: dict[str, Any]
    steps: list[Step]
    seconds: float

    def copy(self, folder: Path) -> Path:
        home = folder / "home"
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(self.before, home)
        return home


@pytest.fixture(scope="module", params=[pytest.param("first", marks=pytest.mark.slow), "second"])
def stage(request: pytest.FixtureRequest, launcher: Launcher, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    folder = tmp_path_factory.mktemp("stage")
    before = folder / "before"
    first_delivery(before)
    if request.param == "second":
        launcher.finish(before)
        second_delivery(before)
    home = folder / "home"
    shutil.copytree(before, home)
    code, seconds = launcher.ingest(home)
    assert code == 0
    steps = launcher.steps(home)
    return Stage(request.param, before, contents(home), steps, seconds)


def test_the_steps_are_those_of_a_durable_program(stage: Stage) -> None:
    """Every rename is of a flushed file, every new name is flushed; log, customers and store are all in the list."""
    flushed: set[str] = set()
    for at, step in enumerate(stage.steps):
        if step.name == "fsync":
            flushed.add(step.path)
        assert step.name != "replace" or step.path in flushed, step
        if step.name in {"replace", "mkdir"} and step.path != "state":  # LMDB makes its own
            after = stage.steps[at + 1]
            assert (after.name, after.kind, after.path) == ("fsync", "folder", str(Path(step.path).parent)), step
    paths = " ".join(step.path for step in stage.steps if step.name == "replace")
    for part in ("segments/", "quarantine/", "superseded", "manifest.json", "customers.parquet"):
        assert part in paths
    assert sum(step.name == "commit" for step in stage.steps) >= 4  # open, drop the spool, fill, mark


@pytest.mark.parametrize("every", [10, pytest.param(1, marks=pytest.mark.slow)])
def test_a_kill_at_any_step_and_a_second_run_give_the_undisturbed_log(
    stage: Stage, launcher: Launcher, tmp_path: Path, every: int
) -> None:
    for step in stage.steps[::every]:
        for torn in (False, True) if (step.name, step.kind) == ("fsync", "file") else (False,):
            home = stage.copy(tmp_path)
            code, _ = launcher.ingest(home, stop_at=step.number, torn=torn)
            assert code == KILLED, step
            launcher.finish(home)
            assert_same(contents(home), stage.after, f"{step}, torn: {torn}")


def test_kills_at_random_moments_even_while_recovering(stage: Stage, launcher: Launcher, tmp_path: Path) -> None:
    generator = random.Random(SEED)  # noqa: S311 - moments, not secrets
    for _ in range(5):
        home = stage.copy(tmp_path)
        moments = [generator.uniform(0, stage.seconds) for _ in range(2)]
        codes = [launcher.ingest(home, after_seconds=moment)[0] for moment in moments]
        assert set(codes) <= {0, KILLED}
        launcher.finish(home)
        assert_same(contents(home), stage.after, f"killed after {moments}")


def test_files_delivered_again_add_nothing(stage: Stage, launcher: Launcher, tmp_path: Path) -> None:
    home = stage.copy(tmp_path)
    launcher.finish(home)
    launcher.finish(home)
    assert_same(contents(home), stage.after, "a second run")


def assert_same(found: dict[str, Any], expected: dict[str, Any], when: str) -> None:
    assert found.keys() == expected.keys(), when
    for name, value in expected.items():
        assert found[name] == value, (when, name)
