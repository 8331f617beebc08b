"""The same trees, whether LightGBM is given a matrix or blocks of a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import lightgbm
import numpy as np
import pytest

from tests.training.panel_builders import NAMES, panel, simulated, target
from training import fit as fitting
from training import rows
from training.fit import Recipe, fit, recipes
from training.labels import TargetKind
from training.panel import Panel
from training.spill import Spill, ValuesBuffer
from training.split import time_split
from training.train import train


def filed(of: Panel, folder: Path) -> Panel:
    buffer = ValuesBuffer(of.values.shape[1], Spill(folder=folder, memory_bytes=0))
    for part in np.array_split(of.values, 3):
        buffer.append(part)
    values = buffer.finish()
    assert isinstance(values, np.memmap)
    return replace(of, values=values)


def large(kind: TargetKind) -> Panel:
    """More rows than LightGBM looks at for its bins, features that it leaves out, nulls, zeros."""
    random = np.random.default_rng(3)
    count = 230_000
    values = random.normal(size=(count, 6)).astype(np.float32)
    values[:, 1] = random.poisson(0.4, count)
    values[:, 2] = random.random(count) < 0.001  # fewer than the least rows a leaf
    values[:, 3] = 0.0
    values[random.random(count) < 0.3, 4] = np.nan
    signal = values[:, 0] + 0.5 * values[:, 1] + np.nan_to_num(values[:, 4])
    labels = (random.random(count) < 1 / (1 + np.exp(-signal))).astype(np.float64)
    labels = labels if kind is not TargetKind.VALUE else labels * random.gamma(2.0, 10.0, count)
    names = (*NAMES, "more", "most")
    return panel(values, labels, np.zeros(count, dtype=np.int64), np.arange(count), of=target(kind), names=names)


@pytest.mark.parametrize("kind", [TargetKind.CHURN, TargetKind.VALUE])
def test_blocks_of_a_file_grow_the_trees_of_the_matrix(
    kind: TargetKind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = large(kind)
    chosen = np.flatnonzero(np.random.default_rng(4).random(len(whole)) < 0.95)
    assert chosen.size > 200_000  # bin_construct_sample_cnt
    recipe = Recipe(num_leaves=7, feature_fraction=0.3, extra_trees=True)

    def grown(of: Panel) -> str:
        return fitting._train(of, chosen, recipe, 8, seed=7, threads=2).model_to_string()

    matrix = grown(whole)
    monkeypatch.setattr(fitting, "_STREAMED_ROWS", 100_000)
    monkeypatch.setattr(rows, "_BLOCK_BYTES", 1 << 20)
    assert isinstance(fitting._dataset(whole, chosen, {}).data, lightgbm.Sequence)
    assert grown(whole) == matrix
    assert grown(filed(whole, tmp_path)) == matrix


def test_a_run_over_a_file_learns_the_same_to_the_last_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = simulated(customers=300, cutoffs=20)
    before = train(whole, seed=7, threads=2)
    monkeypatch.setattr(fitting, "_STREAMED_ROWS", 500)
    monkeypatch.setattr(rows, "_BLOCK_BYTES", 100 * 4 * 4)
    after = train(filed(whole, tmp_path), seed=7, threads=2)
    assert after.served == before.served
    assert after.evaluated == before.evaluated
    assert after.decision == before.decision
    assert after.reference_scores.tobytes() == before.reference_scores.tobytes()
    for one, other in zip(after.contestants, before.contestants, strict=True):
        assert one.version == other.version
        assert one.scores.tobytes() == other.scores.tobytes()


def test_only_what_is_larger_than_a_fold_is_streamed() -> None:
    assert fitting._STREAMED_ROWS >= fitting._FOLD_ROWS  # a fold is copied, and folds are thinned to so many rows
    whole = simulated(customers=50)
    assert isinstance(fitting._dataset(whole, np.arange(len(whole)), {}).data, np.ndarray)


def test_no_fit_reads_a_file_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of = filed(simulated(customers=300, cutoffs=20), tmp_path)
    monkeypatch.setattr(fitting, "_STREAMED_ROWS", 500)
    monkeypatch.setattr(fitting, "_FOLD_ROWS", 500)
    monkeypatch.setattr(rows, "_BLOCK_BYTES", 100 * 4 * 4)
    taken: list[int] = []
    real = rows.Rows.take

    def watched(some: rows.Rows) -> np.ndarray:
        taken.append(len(some))
        return real(some)

    monkeypatch.setattr(rows.Rows, "take", watched)
    before = time_split(of).before
    fit(of, before, recipes(of, before), seed=7, threads=2)
    assert taken
    assert max(taken) <= 500
