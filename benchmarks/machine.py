"""The machine that figures are made on: what it is, and made ready."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any, Final

__all__ = ["installed", "machine", "touch_memory"]

_TOUCH: Final = """
import mmap, os, sys
free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")
parts = [mmap.mmap(-1, 1 << 30) for _ in range(min(int(sys.argv[1]), int(0.8 * free) >> 30))]
for part in parts:
    for page in range(0, len(part), mmap.PAGESIZE):
        part[page] = 1
"""


def touch_memory(gigabytes: int) -> None:
    """Write once to so much of the free memory, at most to most of it, as a virtual machine may get it only then.

    Otherwise a case that needs memory pays for that, some 3 s a GB where this was seen, and again when the host has
    taken back what lay idle. A process of its own does it, because peak memory is inherited.
    """
    subprocess.run([sys.executable, "-c", _TOUCH, str(gigabytes)], check=True)


def installed(library: str) -> str:
    """Version of a package, empty if it is not there."""
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return ""


def machine() -> dict[str, Any]:
    """What the figures were made on."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    libraries = ("numpy", "numba", "duckdb", "pyarrow", "lightgbm", "pandas", "polars")
    return {
        "cpu": names[0] if names else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "memory_bytes": memory,
        "python": platform.python_version(),
        "versions": {library: installed(library) for library in libraries},
    }
