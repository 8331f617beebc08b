"""What one row of the export holds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from features.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from pipelines.export.decide import ScoredCustomers

__all__ = ["REASONS", "ExportRow", "export_rows"]

REASONS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRow:
    """One customer of the list; the fields are the columns, in their order.

    Parameters
    ----------
    customer_id : str
        The id as it stands in the event log.
    probability : float
        Calibrated, in [0, 1].
    percentile : float
        In [0, 100].
    band : str
        ``low``, ``medium`` or ``high``.
    value_at_risk : float or None
        In the project's currency, rounded to hundredths; null where the log has no amounts for the customer.
    reason_1_code, reason_1_text, reason_2_code, reason_2_text, reason_3_code, reason_3_text : str or None
        Up to three reasons, strongest first; null from the first missing one on.
    cutoff : datetime
        What was known about the customer ends here; UTC.
    run_id, model_version, target : str
        Which export, which model, which target.
    """

    customer_id: str
    probability: float
    percentile: float
    band: str
    value_at_risk: float | None
    reason_1_code: str | None
    reason_1_text: str | None
    reason_2_code: str | None
    reason_2_text: str | None
    reason_3_code: str | None
    reason_3_text: str | None
    cutoff: datetime
    run_id: str
    model_version: str
    target: str


def export_rows(
    scores: ScoredCustomers,
    chosen: NDArray[np.int64],
    *,
    reasons: Sequence[Sequence[tuple[str, str]]],
    value_at_risk: NDArray[np.float64] | None = None,
    target: str,
    cutoff: datetime,
    model_version: str,
    run_id: str,
) -> tuple[ExportRow, ...]:
    """Build the rows of the chosen customers.

    Parameters
    ----------
    scores : ScoredCustomers
        One target's scores, n customers.
    chosen : array of int64, shape [k]
        What :func:`pipelines.export.decide.choose` returned.
    reasons : sequence of k sequences of (code, sentence)
        Of the chosen customers only, in the order of ``chosen``; the first three are kept.
    value_at_risk : array of float64, shape [n], optional
        As given to ``choose``: aligned with the scores, not with the chosen.
    target, model_version, run_id : str
        Stamped on every row.
    cutoff : datetime
        Aware.

    Returns
    -------
    tuple of ExportRow
        In the order of ``chosen``.

    Raises
    ------
    UsageError
        If the reasons are not one entry a chosen customer, or the cutoff has no time zone.
    """
    if len(reasons) != len(chosen):
        raise UsageError(f"reasons for {len(reasons)} customers", expected=f"for each of the {len(chosen)} chosen ones")
    if cutoff.tzinfo is None:
        raise UsageError(f"the cutoff {cutoff.isoformat()} has no time zone", expected="an aware datetime")
    moment = cutoff.astimezone(UTC)
    rows = []
    for position, own in zip(chosen.tolist(), reasons, strict=True):
        flat: list[str | None] = [part for reason in own[:REASONS] for part in reason]
        flat += [None] * (2 * REASONS - len(flat))
        rows.append(
            ExportRow(
                customer_id=str(scores.customer_ids[position]),
                probability=float(scores.probability[position]),
                percentile=float(scores.percentile[position]),
                band=str(scores.band[position]),
                value_at_risk=_money(value_at_risk, position),
                reason_1_code=flat[0],
                reason_1_text=flat[1],
                reason_2_code=flat[2],
                reason_2_text=flat[3],
                reason_3_code=flat[4],
                reason_3_text=flat[5],
                cutoff=moment,
                run_id=run_id,
                model_version=model_version,
                target=target,
            )
        )
    return tuple(rows)


def _money(values: NDArray[np.float64] | None, position: int) -> float | None:
    if values is None or not math.isfinite(values[position]):
        return None
    return round(float(values[position]), 2) + 0.0  # + 0.0: never "-0.0"
