"""The predictor: hand-worked scores, and the same bits for one row, for many, and for LightGBM's own package."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import lightgbm
import numpy as np
import pytest
from numpy.typing import NDArray

from features.errors import BundleError
from tests.training.bundle_builders import NAMES, bundle, prior, stump, written
from training import lightgbm_capi
from training.bands import Bands
from training.bundle import read_bundle
from training.estimator import Calibrator, LightGBMModel, LogisticModel, LogisticTerm, SilenceRule
from training.lightgbm_capi import Booster
from training.predictor import Predictor


def rows(*values: tuple[float, ...]) -> NDArray[np.float32]:
    return np.array(values, dtype=np.float32)


def trained(columns: int = 12, trees: int = 40) -> tuple[lightgbm.Booster, NDArray[np.float32]]:
    random = np.random.default_rng(7)
    x = random.normal(size=(2_000, columns)).astype(np.float32)
    x[random.random(x.shape) < 0.2] = np.nan
    x[5, :] = np.nan
    y = (np.nan_to_num(x[:, 0]) * np.nan_to_num(x[:, 1]) + random.normal(size=len(x)) > 0).astype(float)
    settings = {"objective": "binary", "num_leaves": 15, "verbosity": -1, "num_threads": 1}
    return lightgbm.train(settings, lightgbm.Dataset(x, y), trees), x


def test_one_row_many_rows_and_lightgbm_itself_give_the_same_bits() -> None:
    model, x = trained()
    ours = Booster(model.model_to_string(), x.shape[1])
    expected = model.predict(x, raw_score=True)
    assert len(np.unique(expected)) > 500
    assert ours.raw_score(x).tobytes() == np.asarray(expected).tobytes()
    assert np.concatenate([ours.raw_score(x[i : i + 1]) for i in range(len(x))]).tobytes() == expected.tobytes()
    shap = np.asarray(model.predict(x[:50], pred_contrib=True))
    assert ours.contributions(x[:50]).tobytes() == shap.tobytes()
    assert ours.contributions(x[3:4]).tobytes() == shap[3:4].tobytes()
    assert ours.raw_score(np.asfortranarray(x)[:9]).tobytes() == expected[:9].tobytes()
    assert ours.raw_score(x[:0]).shape == (0,)


def test_threads_that_share_a_model_do_not_mix_their_rows() -> None:
    model, x = trained()
    ours = Booster(model.model_to_string(), x.shape[1])
    expected = model.predict(x, raw_score=True)

    def score(start: int) -> list[float]:
        return [float(ours.raw_score(x[i : i + 1])[0]) for i in range(start, len(x), 8)]

    with ThreadPoolExecutor(8) as pool:
        for start, found in enumerate(pool.map(score, range(8))):
            assert found == expected[start::8].tolist()


def test_probability_percentile_and_band_by_hand() -> None:
    predictor = Predictor(bundle())
    found = predictor.probability(rows((30, 1, 1), (31, 1, 1), (np.nan, 1, 1)))
    low, high = 1 / (1 + math.exp(1)), 1 / (1 + math.exp(-2))
    assert found.tolist() == [low, high, high]
    # reference 0.1, 0.2, 0.2, 0.9: ties count half
    assert predictor.percentile(np.array([0.05, 0.1, 0.2, 0.5, 0.9, 1.0])).tolist() == [0, 12.5, 50, 75, 87.5, 100]
    assert predictor.bands(np.array([0.0, 0.2999, 0.3, 0.7999, 0.8, 1.0])) == [
        *("low", "low", "medium", "medium", "high", "high")
    ]
    assert predictor.band(0.3) == "medium"
    with pytest.raises(BundleError, match="not a number"):
        predictor.band(float("nan"))


def test_bands_by_quantiles_and_by_rules_that_tie() -> None:
    assert Bands.from_reference(np.arange(101) / 100) == Bands(medium=0.5, high=0.9)
    rule = Bands.from_reference(np.array([0.1] * 95 + [0.6] * 5))
    assert (rule.medium, rule.high) == (0.6, 0.6)
    same = Predictor(prior(0.25))
    for_all = Bands.from_reference(np.full(10, 0.25))
    assert for_all.medium > 0.25
    assert same.percentile(same.probability(rows((1, 1, 1)))).tolist() == [75.0]


def test_calibrated_contributions_add_up_to_the_log_odds() -> None:
    model, x = trained(columns=3)
    made = bundle(
        LightGBMModel(model_text=model.model_to_string(), objective="binary"),
        calibrator=Calibrator(slope=0.8, intercept=-0.3),
    )
    predictor = Predictor(made)
    log_odds = predictor.contributions(x[:40]).sum(axis=1)
    np.testing.assert_allclose(1 / (1 + np.exp(-log_odds)), predictor.probability(x[:40]), rtol=1e-12)


def test_contributions_of_baselines_by_hand() -> None:
    term = LogisticTerm(feature=NAMES[0], transform="identity", null_value=7, mean=5, scale=2, coefficient=3)
    logistic = Predictor(bundle(LogisticModel(terms=(term,), intercept=-1), calibrator=Calibrator(slope=0.5)))
    assert logistic.contributions(rows((9, 1, 1), (np.nan, 1, 1))).tolist() == [[3, 0, 0, -0.5], [1.5, 0, 0, -0.5]]
    rates = {"rate_if_silent": 0.75, "rate_otherwise": 0.25, "rate_overall": 0.5}
    rule = Predictor(bundle(SilenceRule(features=(NAMES[0],), threshold_days=30, **rates)))
    found = rule.contributions(rows((31, 1, 1), (30, 1, 1)))
    np.testing.assert_allclose(found, [[math.log(3), 0, 0, 0], [-math.log(3), 0, 0, 0]], rtol=1e-15)
    np.testing.assert_allclose(rule.probability(rows((31, 1, 1), (30, 1, 1))), [0.75, 0.25], rtol=1e-15)
    assert Predictor(prior(0.5)).contributions(rows((1, 2, 3))).tolist() == [[0, 0, 0, 0]]


def test_rows_of_another_width_are_refused() -> None:
    for predictor in (Predictor(bundle()), Predictor(prior())):
        for wrong in (rows((1, 2)), rows((1, 2, 3, 4)), np.zeros(3, dtype=np.float32)):
            with pytest.raises(BundleError, match=r"expected \[n, 3\] for churn"):
                predictor.probability(wrong)


def malformed(old: str, new: str) -> str:
    """The stump with a part replaced, its tree's stated size kept right."""
    text = stump().replace(old, new)
    assert text != stump()
    head, tree = text.split("\n\nTree=0", 1)
    length = len("Tree=0" + tree.split("end of trees")[0])
    return head.rsplit("tree_sizes=", 1)[0] + f"tree_sizes={length}\n\nTree=0" + tree


@pytest.mark.parametrize(
    "text",
    [
        *("", "tree", stump(width=5), stump().split("Tree=0")[0], stump()[:400], stump().replace("end of trees", "")),
        stump().replace("num_class=1", "num_class=3"),
        malformed("leaf_value=-1.0 2.0", "leaf_value=x y"),
        malformed("leaf_value=-1.0 2.0", "leaf_value=1"),
        malformed("left_child=-1", "left_child=0"),
        malformed("left_child=-1", "left_child=7"),
        malformed("split_feature=0", "split_feature=99"),
        malformed("num_cat=0", "num_cat=1"),
        malformed("threshold=30\n", ""),
        malformed("num_leaves=2", "num_leaves=3"),
        stump().replace("objective=binary sigmoid:1", "objective=unheard_of"),
    ],
)
def test_a_malformed_model_is_refused_before_it_can_end_the_process(text: str) -> None:
    with pytest.raises(BundleError, match="train again"):
        Booster(text, 3)


def test_a_model_that_needs_absent_features_is_refused_when_loaded() -> None:
    rates = {"rate_if_silent": 0.75, "rate_otherwise": 0.25, "rate_overall": 0.5}
    with pytest.raises(BundleError, match="days_since_last_view"):
        Predictor(bundle(SilenceRule(features=("days_since_last_view",), threshold_days=30, **rates)))


def test_a_missing_or_broken_library_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "lib_lightgbm.so"
    broken.write_bytes(b"not a library")
    with pytest.raises(BundleError, match="reinstall lightgbm"):
        lightgbm_capi.load_library(broken)
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delitem(sys.modules, "lightgbm")
    with pytest.raises(BundleError, match=r"pip install lightgbm==4"):
        lightgbm_capi.library_path()


def test_scoring_a_bundle_imports_nothing_heavy(tmp_path: Path) -> None:
    folder = written(tmp_path / "b")
    script = (
        "import sys, json, pathlib\n"
        "import numpy as np\n"
        "import training.bundle, training.reasons\n"
        "from training.predictor import Predictor\n"
        f"predictor = Predictor(training.bundle.read_bundle(pathlib.Path({str(folder)!r})))\n"
        "p = predictor.probability(np.array([[31, 1, 1]], dtype=np.float32))\n"
        "heavy = 'pandas sklearn scipy lightgbm mlflow pyarrow duckdb numba bentoml evidently matplotlib'.split()\n"
        "print(json.dumps([p[0].hex(), [name for name in heavy if name in sys.modules]]))\n"
    )
    root = Path(training_root())
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    probability, heavy = json.loads(done.stdout)
    assert heavy == []
    assert probability == Predictor(read_bundle(folder)).probability(rows((31, 1, 1)))[0].hex()


def training_root() -> str:
    """Folder that holds the packages: the checkout, or site-packages."""
    return str(Path(lightgbm_capi.__file__).resolve().parents[1])
