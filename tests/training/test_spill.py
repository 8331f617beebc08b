from __future__ import annotations

import errno
import gc
import io
import tempfile
from pathlib import Path

import numpy as np
import pytest

from features.errors import DiskFullError
from training.spill import Spill, ValuesBuffer

PARTS = [np.arange(start, start + 6, dtype=np.float32).reshape(2, 3) for start in (0, 6, 12)]
PARTS[1][0, 2] = np.nan
WHOLE = np.concatenate(PARTS)
PART_BYTES = 24


def filled(spill: Spill | None) -> np.ndarray:
    buffer = ValuesBuffer(3, spill)
    for part in PARTS:
        buffer.append(part)
    return buffer.finish()


@pytest.mark.parametrize(
    ("memory_bytes", "on_disk"), [(0, True), (PART_BYTES, True), (3 * PART_BYTES - 1, True), (3 * PART_BYTES, False)]
)
def test_values_go_to_a_file_when_they_are_more_than_memory_may_hold(
    tmp_path: Path, memory_bytes: int, on_disk: bool
) -> None:
    values = filled(Spill(folder=tmp_path, memory_bytes=memory_bytes))
    assert isinstance(values, np.memmap) == on_disk
    assert values.flags.writeable != on_disk
    assert values.tobytes() == WHOLE.tobytes()


def test_without_a_folder_everything_stays_in_memory() -> None:
    values = filled(None)
    assert not isinstance(values, np.memmap)
    assert values.tobytes() == WHOLE.tobytes()


def test_no_rows_and_no_columns_need_no_file(tmp_path: Path) -> None:
    spill = Spill(folder=tmp_path / "none", memory_bytes=0)
    assert ValuesBuffer(3, spill).finish().shape == (0, 3)
    narrow = ValuesBuffer(0, spill)
    narrow.append(np.zeros((5, 0), dtype=np.float32))
    assert narrow.finish().shape == (5, 0)
    empty = ValuesBuffer(3, spill)
    empty.append(np.zeros((0, 3), dtype=np.float32))
    assert empty.finish().shape == (0, 3)
    assert not spill.folder.exists()


def held_open(folder: Path) -> list[str]:
    """Files of the folder that this process has mapped or open, named or not."""
    maps = [line for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines() if f" {folder}/" in line]
    links = list(Path("/proc/self/fd").iterdir())
    return maps + [str(link) for link in links if link.is_symlink() and str(link.readlink()).startswith(f"{folder}/")]


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="looks at the maps of this process on Linux")
def test_the_file_has_no_name_and_goes_with_its_last_array(tmp_path: Path) -> None:
    values = filled(Spill(folder=tmp_path, memory_bytes=0))
    part = values[2:]
    assert list(tmp_path.iterdir()) == []
    assert held_open(tmp_path)
    del values
    gc.collect()
    assert part[0, 0] == 6.0
    del part
    gc.collect()
    assert held_open(tmp_path) == []


def test_a_full_disk_is_said_and_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = tempfile.TemporaryFile

    class Full:
        def __init__(self, *, dir: Path, buffering: int) -> None:  # noqa: A002 - the name is tempfile's
            self._file = real(dir=dir, buffering=buffering)

        def close(self) -> None:
            self._file.close()

        def write(self, data: memoryview) -> int:
            if self._file.tell() + len(data) > PART_BYTES:
                raise OSError(errno.ENOSPC, "No space left on device")
            return self._file.write(data)

    monkeypatch.setattr("training.spill.tempfile.TemporaryFile", Full)
    buffer = ValuesBuffer(3, Spill(folder=tmp_path, memory_bytes=0))
    buffer.append(PARTS[0])
    assert held_open(tmp_path)
    with pytest.raises(DiskFullError, match="does not fit on the disk") as caught:
        buffer.append(PARTS[1])
    assert "[retrain] max_cutoffs" in caught.value.remedy
    buffer.close()
    assert held_open(tmp_path) == []


def test_a_write_that_takes_only_some_bytes_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Short(io.FileIO):
        def write(self, data: memoryview) -> int:
            return super().write(data[:5])

    def short(*, dir: Path, buffering: int) -> Short:  # noqa: A002 - the name is tempfile's
        assert buffering == 0
        return Short(dir / "short", "w+")

    monkeypatch.setattr("training.spill.tempfile.TemporaryFile", short)
    assert filled(Spill(folder=tmp_path, memory_bytes=0)).tobytes() == WHOLE.tobytes()
