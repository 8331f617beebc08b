"""Break the feature engine once in each place, and see a test fail.

    python benchmarks/mutation_check.py [--only TEXT] [--skip TEST] [--jobs 2]

Each mutation of ``benchmarks/mutations.py`` is made in a throw-away copy of ``features`` and its tests, and the narrow
tests run there, not compiled, with few random logs, always the same ones. A mutation that no test sees has survived:
the tests have a hole. So has one whose text no longer occurs. Exit code 0 if all were seen, else 1.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path
from typing import Final

from mutations import MUTATIONS, Mutation

ROOT: Final = Path(__file__).resolve().parent.parent
COPIED: Final = ("features", "tests/features", "pyproject.toml")
TESTS: Final = (
    *("kernel", "kernel_days", "kernel_texts", "readout", "outcome", "bad_input"),
    *("state_carry", "state", "state_attributes", "vocabulary", "parity"),
)
"""Worked by hand first, they are quick; random logs last."""
FIRST: Final = {
    "state": ("state_carry", "state", "state_attributes", "parity"),
    "carry": ("state_carry", "state", "parity"),
    "kernel_readout": ("readout", "vocabulary"),
    "kernel_posterior": ("vocabulary",),
    "kernel_outcome": ("outcome",),
    "kernel_time": ("kernel_days", "readout"),
}
"""What is most likely to see a mutation, by how its file's name or its description begins."""
SLOW_TESTS: Final = ("real_log", "numeric_integration", "damaged_bytes", "carried_orders_are_remembered")
"""Left out of the first run; what survives it is tried again with them and with more random logs."""
FEW: Final = "0.1"
MORE: Final = "0.5"
TIMEOUT_S: Final = 900
PASSED: Final = 0
FAILED: Final = 1


def in_order(mutation: Mutation) -> tuple[str, ...]:
    """Tests, the most likely to fail first."""
    names = [test for start, tests in FIRST.items() for test in tests if _begins(mutation, start)]
    return tuple(dict.fromkeys([*names, *TESTS]))


def _begins(mutation: Mutation, start: str) -> bool:
    return Path(mutation.file).name.startswith(start) or mutation.breaks.startswith(start)


def run(folder: Path, tests: Sequence[str], logs: str, skipped: Sequence[str]) -> tuple[int, str]:
    """Run the tests in a copy, but for those with such names; the exit code of pytest, and what it said."""
    environment = {
        **os.environ,
        "NUMBA_DISABLE_JIT": "1",
        "NUMBA_CACHE_DIR": str(folder / "numba"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "RANDOM_LOGS": logs,
    }
    options = ["-x", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", "-m", "not slow", "--no-header", "--tb=no"]
    # integers that wrap as compiled ones do are no fault
    files = [f"tests/features/test_{test}.py" for test in tests]
    command = [sys.executable, "-m", "pytest", *options, "-W", "ignore::RuntimeWarning", *files]
    if skipped:
        command += ["-k", " and ".join(f"not {name}" for name in skipped)]
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return FAILED, "it did not end"
    return done.returncode, done.stdout


def copy(into: Path) -> None:
    """Copy what the tests need."""
    for name in COPIED:
        source, target = ROOT / name, into / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)


def verdict(mutation: Mutation, skipped: Sequence[str]) -> tuple[bool, str]:
    """Whether a test saw the mutation, and which; or why that cannot be said."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy(folder)
        file = folder / mutation.file
        text = file.read_text(encoding="utf-8")
        if (found := text.count(mutation.old)) != 1:
            return False, f"ITS TEXT OCCURS {found} TIMES"
        file.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")
        code, said = run(folder, in_order(mutation), FEW, (*SLOW_TESTS, *skipped))
        if code == PASSED:
            code, said = run(folder, in_order(mutation), MORE, skipped)
    if code == PASSED:
        return False, "SURVIVED"
    if code != FAILED:
        return False, f"THE TESTS DID NOT RUN: {said.strip().splitlines()[-1:]}"
    failed = [line for line in said.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return True, failed[0].split(" - ")[0].rpartition("::")[2] if failed else said.strip()[-80:]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table; give the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", default="", help="only mutations whose file or description has this text")
    parser.add_argument("--skip", action="append", default=[], help="leave out tests with this in their name")
    parser.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args(arguments)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        copy(Path(name))
        code, said = run(Path(name), TESTS, MORE, chosen.skip)
    if code != PASSED:
        print(f"the tests fail before anything was broken:\n{said}")
        return 1
    mutations = [each for each in MUTATIONS if chosen.only in f"{each.file} {each.breaks}"]
    unseen = 0
    with ThreadPoolExecutor(max_workers=chosen.jobs) as pool:
        for mutation, (seen, why) in zip(mutations, pool.map(verdict, mutations, repeat(chosen.skip)), strict=True):
            unseen += not seen
            print(f"{Path(mutation.file).stem:18} {mutation.breaks:44} {why}", flush=True)
    took = time.monotonic() - started
    print(f"{len(mutations) - unseen} of {len(mutations)} mutations were seen by a test, in {took:.0f} s")
    return 1 if unseen else 0


if __name__ == "__main__":
    sys.exit(main())
