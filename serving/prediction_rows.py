"""Answered scores as numbers for the metrics and rows for the prediction log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from features.clock import to_us
from serving.prediction_log import Prediction
from serving.runtime import Runtime
from serving.schema import CustomerScores

__all__ = ["record"]


def record(
    runtime: Runtime, request_id: str, route: str, results: Sequence[CustomerScores], cutoff_us: int, now: datetime
) -> None:
    """Count answered scores and hand them to the prediction log; never waits."""
    logged_at = to_us(now)
    rows = []
    for result in results:
        for target, score in result.scores.items():
            runtime.metrics.count("ebbtide_scores_total", target, score.status)
            if runtime.log is not None:
                expected = score.expected_value
                rows.append(
                    Prediction(
                        logged_at=logged_at,
                        request_id=request_id,
                        customer_id=result.customer_id,
                        target=target,
                        status=score.status,
                        probability=score.probability,
                        expected_value=expected if isinstance(expected, float) else None,
                        percentile=score.percentile,
                        band=score.band,
                        model_version=score.model_version,
                        fingerprint=score.fingerprint,
                        cutoff=cutoff_us,
                        route=route,
                    )
                )
    if runtime.log is not None:
        runtime.log.append(rows)
