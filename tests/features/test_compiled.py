"""The compiled kernel is thrown away when any of its files changes."""

from __future__ import annotations

from pathlib import Path

import features
from features.kernel import fill_one


def test_the_cache_depends_on_every_kernel_file() -> None:
    stamp = fill_one._cache._cache_file._source_stamp
    files = {path.name: path.stat() for path in Path(features.__file__).parent.glob("kernel*.py")}
    assert {"kernel.py", "kernel_aggregate.py", "kernel_index.py", "kernel_program.py"} <= set(files)
    assert {(name, stat.st_mtime_ns, stat.st_size) for name, stat in files.items()} == set(stamp)
