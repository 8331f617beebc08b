"""Small bundles with hand-worked scores, for every test that needs one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from features.definition import Aggregation, Base, Family, Feature, Readout
from features.plan import compile_plan
from training.bundle import Bands, Bundle, write_bundle
from training.estimator import Calibrator, Estimator, LightGBMModel, Prior
from training.labels import Target, TargetKind

LAST = Base(aggregation=Aggregation.LAST, event_type="purchase")
GAP_SUM = Base(aggregation=Aggregation.GAP_SUM, event_type="purchase")
GAP_COUNT = Base(aggregation=Aggregation.GAP_COUNT, event_type="purchase")


def feature(readout: Readout, *bases: Base, family: Family = Family.RECENCY) -> Feature:
    return Feature(readout=readout, bases=bases, family=family)


def count(days: int | None, event_type: str | None = "purchase") -> Base:
    return Base(aggregation=Aggregation.COUNT, event_type=event_type, window_days=days)


def amount(days: int | None, event_type: str = "purchase", field: str = "amount") -> Base:
    return Base(aggregation=Aggregation.SUM, event_type=event_type, field=field, window_days=days)


RECENCY = feature(Readout.AGE_DAYS, LAST)
USUAL_GAP = feature(Readout.GAP_MEAN_DAYS, GAP_SUM, GAP_COUNT)
ORDERS_28D = feature(Readout.VALUE, count(28))
FEATURES = (RECENCY, USUAL_GAP, ORDERS_28D)
NAMES = ("days_since_last_purchase", "purchase_gap_mean_days", "purchase_count_28d")


def stump(*, threads: int = 1, width: int = 3, low: float = -1.0, high: float = 2.0) -> str:
    """LightGBM text of one tree: recency <= 30 days gives ``low``, else (and null) ``high``."""
    names = " ".join(NAMES[:width] if width <= 3 else [f"Column_{i}" for i in range(width)])
    tree = (
        "Tree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\nsplit_gain=1\nthreshold=30\ndecision_type=8\n"
        f"left_child=-1\nright_child=-2\nleaf_value={low} {high}\nleaf_weight=1 1\nleaf_count=10 10\n"
        "internal_value=0\ninternal_weight=2\ninternal_count=20\nis_linear=0\nshrinkage=1\n\n\n"
    )
    return (
        "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n"
        f"max_feature_idx={width - 1}\nobjective=binary sigmoid:1\nfeature_names={names}\n"
        f"feature_infos={' '.join(['[0:400]'] * width)}\ntree_sizes={len(tree)}\n\n{tree}"
        "end of trees\n\nfeature_importances:\ndays_since_last_purchase=1\n\nparameters:\n[boosting: gbdt]\n"
        f"[num_threads: {threads}]\n[seed: 1]\n\nend of parameters\n\npandas_categorical:null\n"
    )


def churn(name: str = "churn") -> Target:
    return Target(name=name, kind=TargetKind.CHURN, event_types=("purchase",), active_within_days=60, horizon_days=28)


def bundle(estimator: Estimator | None = None, *, target: Target | None = None, **changes: object) -> Bundle:
    """A churn bundle; by default a LightGBM stump whose probabilities are sigmoid(-1) and sigmoid(2)."""
    plan = compile_plan(FEATURES, timezone="Europe/Berlin")
    made = Bundle(
        target=target or churn(),
        features=FEATURES,
        fingerprint=plan.fingerprint,
        timezone="Europe/Berlin",
        settle_hours=6,
        estimator=estimator or LightGBMModel(model_text=stump(), objective="binary"),
        calibrator=Calibrator(),
        bands=Bands(medium=0.3, high=0.8),
        reference=np.array([0.1, 0.2, 0.2, 0.9]),
        quality={"auc": 0.75, "rows": 400},
    )
    return replace(made, **changes)  # type: ignore[arg-type] (the test names fields of Bundle)


def written(folder: Path, made: Bundle | None = None, extra: Mapping[str, bytes] | None = None) -> Path:
    write_bundle(made or bundle(), folder, extra_files=extra)
    return folder


def prior(rate: float = 0.25) -> Bundle:
    return bundle(Prior(rate=rate))
