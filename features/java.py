"""Look for a Java that Spark can run on, before Spark fails without saying why."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from features.errors import EngineError

__all__ = ["LEAST", "java_version", "require_java"]

LEAST: Final = 17
_REMEDY: Final = (
    f"install a Java of {LEAST} or newer (Debian: apt-get install openjdk-{LEAST}-jre-headless) and, if it is not the "
    'one on the PATH, set JAVA_HOME; or use [engine] name = "duckdb", which needs none'
)


def require_java(environment: Mapping[str, str] = os.environ) -> None:
    """Do nothing if there is a Java that is new enough.

    Raises
    ------
    EngineError
        If there is none, it does not start, or it is too old.
    """
    found = java_version(environment)
    if found is None:
        raise EngineError("Spark needs Java, and there is none", expected=f"Java {LEAST} or newer", remedy=_REMEDY)
    if found < LEAST:
        raise EngineError(f"Spark found Java {found}", expected=f"Java {LEAST} or newer", remedy=_REMEDY)


def java_version(environment: Mapping[str, str] = os.environ) -> int | None:
    """Feature version of the Java that Spark would start; None if none starts.

    Parameters
    ----------
    environment : mapping of str to str
        ``JAVA_HOME`` counts before ``PATH``, as in Spark's own scripts.
    """
    home = environment.get("JAVA_HOME")
    program = str(Path(home) / "bin" / "java") if home else shutil.which("java", path=environment.get("PATH", ""))
    if program is None:
        return None
    try:
        asked = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=60, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    # 17.0.15, 21, or 1.8.0_362 as the old ones had it
    said = re.search(r'version "(?:1\.)?(\d+)', asked.stderr + asked.stdout)
    return int(said.group(1)) if said else None
