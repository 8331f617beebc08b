"""What a training run leaves behind: the bundle, and what MLflow is told about it."""

from __future__ import annotations

import io
import json
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.clock import from_us, to_us
from features.plan import Plan
from training.bands import Bands
from training.bundle import Bundle
from training.evaluate_plots import figures
from training.panel import Panel
from training.train import Trained

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pipelines.workspace import Workspace

__all__ = ["bundle_of", "documents_of", "figures_of", "metrics_of", "params_of", "reference_file"]

_DOTS_PER_INCH = 110


def bundle_of(workspace: Workspace, trained: Trained, plan: Plan, moment: datetime) -> Bundle:
    """The bundle of the served version, with the evaluated one's reference scores and figures."""
    return Bundle(
        target=trained.target,
        features=plan.features,
        fingerprint=plan.fingerprint,
        timezone=workspace.timezone,
        settle_hours=workspace.settings.project.settle_hours,
        estimator=trained.served.estimator,
        calibrator=trained.served.calibrator,
        bands=Bands.from_reference(trained.reference_scores),
        reference=np.sort(trained.reference_scores),
        quality={
            "winner": trained.decision.winner,
            "test_cutoff_us": trained.test_cutoff_us,
            "trained_at_us": to_us(moment),
            "test_rows": int(trained.test_labels.size),
            "base_rate": trained.base_rate,
            "metrics": {contestant.name: dict(contestant.metrics) for contestant in trained.contestants},
        },
    )


def reference_file(trained: Trained) -> bytes:
    """Features of the reference customers as Parquet, without their ids."""
    schema = pa.schema([(name, pa.float32()) for name in trained.feature_names])
    buffer = io.BytesIO()
    with pq.ParquetWriter(buffer, schema, compression="zstd") as writer:
        for block in trained.test_rows.blocks():
            writer.write_table(pa.table([pa.array(column) for column in block.T], schema=schema))
    return buffer.getvalue()


def params_of(workspace: Workspace, trained: Trained, panel: Panel, moment: datetime) -> dict[str, object]:
    """Parameters of the run: the target's definition, the sizes, the winner."""
    target = {f"target.{key}": value for key, value in trained.target.to_dict().items()}
    return target | {
        "cutoff": workspace.show(moment),
        "seed": workspace.settings.retrain.seed,
        "winner": trained.decision.winner,
        "rows_fitted": trained.rows_fitted,
        "rows_served": trained.rows_served,
        "cutoffs": trained.cutoffs,
        "customers": int(np.unique(panel.customer).size),
        "trees": trained.trees,
        "features": len(trained.feature_names),
    }


def metrics_of(trained: Trained) -> dict[str, float]:
    """The winner's figures by their own names, every contestant's under its name."""
    named = {
        f"{contestant.name.replace(' ', '_')}.{metric}": value
        for contestant in trained.contestants
        for metric, value in contestant.metrics.items()
    }
    return dict(trained.winner.metrics) | named | {"base_rate": trained.base_rate}


def documents_of(trained: Trained, reasons: tuple[str, ...]) -> dict[str, str]:
    """Texts of the run: the gate's reasons and every contestant's figures."""
    evaluation = {
        "target": trained.target.to_dict(),
        "test_cutoff": from_us(trained.test_cutoff_us).isoformat(),
        "test_rows": int(trained.test_labels.size),
        "base_rate": trained.base_rate,
        "contestants": {contestant.name: dict(contestant.metrics) for contestant in trained.contestants},
        "importance": dict(trained.importance),
    }
    return {
        "gate.txt": "\n".join(reasons) + "\n",
        "evaluation.json": json.dumps(evaluation, indent=2, sort_keys=True) + "\n",
    }


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DOTS_PER_INCH)
    return buffer.getvalue()


def figures_of(trained: Trained) -> dict[str, bytes]:
    """The test's figures as PNG, by file name."""
    return {f"{name}.png": _png(drawn) for name, drawn in figures(trained).items()}
