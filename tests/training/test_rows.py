from __future__ import annotations

import mmap
import tempfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from training import rows
from training.rows import Rows

MATRIX = np.arange(40, dtype=np.float32).reshape(10, 4)
SOME = np.array([1, 2, 5, 8, 9])


def mapped(folder: Path, values: NDArray[np.float32]) -> NDArray[np.float32]:
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(values.tobytes())
        file.flush()
        return np.memmap(file, dtype=np.float32, mode="r", shape=values.shape)


@pytest.fixture(params=["memory", "file"])
def matrix(request: pytest.FixtureRequest, tmp_path: Path) -> NDArray[np.float32]:
    return MATRIX if request.param == "memory" else mapped(tmp_path, MATRIX)


@pytest.fixture
def blocks_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "_BLOCK_BYTES", 2 * 4 * 4)


@pytest.mark.usefixtures("blocks_of_two")
def test_blocks_hold_so_many_rows_and_cover_all(matrix: NDArray[np.float32]) -> None:
    some = Rows(matrix, SOME)
    found = list(some.blocks())
    assert [block[:, 0].tolist() for block in found] == [[4.0, 8.0], [20.0, 32.0], [36.0]]
    assert some.take().tobytes() == MATRIX[SOME].tobytes()
    assert some.columns([3, 1]).tolist() == MATRIX[SOME][:, [3, 1]].tolist()
    assert some[1:3].tolist() == MATRIX[[2, 5]].tolist()
    seen: list[int] = []

    def score(block: NDArray[np.float32]) -> NDArray[np.float64]:
        seen.append(len(block))
        return block[:, 0].astype(np.float64)

    assert some.apply(score).tolist() == [4.0, 8.0, 20.0, 32.0, 36.0]
    assert seen == [2, 2, 1]


def test_no_rows_at_all_are_one_empty_block(matrix: NDArray[np.float32]) -> None:
    none = Rows(matrix, SOME[:0])
    assert [block.shape for block in none.blocks()] == [(0, 4)]
    assert none.take().shape == (0, 4)
    assert none.apply(lambda block: block[:, 0].astype(np.float64)).size == 0


def test_what_was_read_can_be_changed_and_the_matrix_stays(matrix: NDArray[np.float32]) -> None:
    taken = Rows(matrix, SOME).take()
    taken[:] = -1.0
    assert not isinstance(taken, np.memmap)
    assert matrix.tolist() == MATRIX.tolist()


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="looks at the pages of this process on Linux")
def test_pages_of_a_file_are_given_back_after_each_block(tmp_path: Path) -> None:
    values = mapped(tmp_path, np.ones((200_000, 25), dtype=np.float32))  # 20 MB
    assert float(values.sum()) == 5_000_000
    assert resident_bytes(values) >= values.nbytes
    for block in Rows(values, np.arange(100_000)).blocks():
        assert len(block)
        assert resident_bytes(values) == 0


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="looks at the pages of this process on Linux")
def test_rows_far_apart_do_not_hold_the_file_between_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = mapped(tmp_path, np.arange(5_000_000, dtype=np.float32).reshape(200_000, 25))  # 20 MB
    float(values[::40].sum())  # into the file cache
    monkeypatch.setattr(rows, "_BLOCK_BYTES", 1 << 20)
    held: list[int] = []
    real = rows._give_back

    def watched(file: mmap.mmap) -> None:
        held.append(resident_bytes(values))
        real(file)

    rows._give_back(values.base)
    monkeypatch.setattr(rows, "_give_back", watched)
    some = Rows(values, np.arange(0, 200_000, 40))
    assert len(some) < some.block_rows  # one block
    assert some.take()[:, 0].tolist() == (np.arange(0, 200_000, 40) * 25.0).tolist()
    assert 0 < max(held) <= 4 << 20


def resident_bytes(values: NDArray[np.float32]) -> int:
    """Of the mapping that holds the array, as this process sees it."""
    assert isinstance(values.base, mmap.mmap)
    start = f"{values.ctypes.data:x}-"
    lines = iter(Path("/proc/self/smaps").read_text(encoding="utf-8").splitlines())
    next(line for line in lines if line.lstrip("0").startswith(start))
    return int(next(line for line in lines if line.startswith("Rss:")).split()[1]) * 1024
