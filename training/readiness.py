"""What a log can and cannot support: each check with what was found, what is needed, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from training.panel import days_needed
from training.split import MIN_CLASS_ROWS, MIN_ROWS, MIN_TEST_CLASS_ROWS, MIN_TEST_ROWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.labels import Target
    from training.panel import Panel

__all__ = ["Check", "log_checks", "target_checks"]

_MIN_CUSTOMERS: Final = MIN_TEST_ROWS


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of ``ebbtide check``.

    Parameters
    ----------
    what : str
        What was looked at.
    found, needed : str
        Figures with their unit.
    ok : bool
        Whether what was found suffices.
    remedy : str
        What to do if not; empty if it does.
    """

    what: str
    found: str
    needed: str
    ok: bool
    remedy: str


def log_checks(*, events: int, customers: int) -> tuple[Check, ...]:
    """Checks of the log as a whole.

    Examples
    --------
    >>> for check in log_checks(events=500, customers=30):
    ...     print(check.what, "|", check.found, "|", check.needed, "|", check.ok)
    events | 500 | at least 1 | True
    customers | 30 | at least 100 | False
    """
    return (
        _check("events", events, 1, "run `ebbtide ingest`"),
        _check("customers", customers, _MIN_CUSTOMERS, "ingest more customers"),
    )


def target_checks(
    target: Target,
    *,
    first_event: datetime | None,
    cutoff: datetime,
    event_types: Sequence[str],
    panel: Panel | None,
) -> tuple[Check, ...]:
    """Checks of one target.

    Parameters
    ----------
    target : Target
    first_event : datetime or None
        Time of the log's first event; None for an empty log.
    cutoff : datetime
        The run's cutoff.
    event_types : sequence of str
        Event types that occur in the log.
    panel : Panel or None
        The target's panel; None if there is not enough history for one.

    Returns
    -------
    tuple of Check
        Event types, history against horizon, and, given a panel, labelled rows before the test and customers of
        either outcome at the test cutoff.
    """
    days = 0 if first_event is None else max((cutoff - first_event) // timedelta(days=1), 0)
    section = f"[targets.{target.name}]"
    checks = [_event_types(target, event_types), _history(target, days)]
    if panel is None or not len(panel):
        needed = f"at least {MIN_ROWS}"
        remedy = "ingest more history" if panel is None else f"look at event types and active_within_days of {section}"
        return (*checks, Check(what=f"{target.name}: labelled rows", found="0", needed=needed, ok=False, remedy=remedy))
    last = int(panel.cutoff_us.max())
    before, test = panel.cutoff_us + panel.span_us <= last, panel.cutoff_us == last
    checks.append(
        _check(f"{target.name}: labelled rows before the test", int(before.sum()), MIN_ROWS, "ingest more history")
    )
    checks.append(
        _check(f"{target.name}: customers at the test cutoff", int(test.sum()), MIN_TEST_ROWS, "ingest more customers")
    )
    if target.is_binary:
        change = f"change horizon_days or active_within_days of {section}"
        for when, rows, least in (
            ("before the test", before, MIN_CLASS_ROWS),
            ("at the test", test, MIN_TEST_CLASS_ROWS),
        ):
            found = int(panel.labels[rows].sum())
            checks.append(_check(f"{target.name}: with the outcome {when}", found, least, change))
            checks.append(_check(f"{target.name}: without the outcome {when}", int(rows.sum()) - found, least, change))
    else:
        differ = int(np.unique(panel.labels[before]).size)
        checks.append(
            _check(f"{target.name}: different amounts before the test", differ, 2, "map `amount` of purchases")
        )
    return tuple(checks)


def _event_types(target: Target, event_types: Sequence[str]) -> Check:
    wanted = tuple(dict.fromkeys((*target.event_types, *target.activity_types)))
    missing = [name for name in wanted if name not in event_types]
    return Check(
        what=f"{target.name}: event types",
        found=", ".join(name for name in wanted if name in event_types) or "none",
        needed=", ".join(wanted),
        ok=not missing,
        remedy=f"map a table to event_type {', '.join(repr(name) for name in missing)}" if missing else "",
    )


def _history(target: Target, days: int) -> Check:
    needed = days_needed(target)
    return Check(
        what=f"{target.name}: days of history",
        found=str(days),
        needed=f"at least {needed}; {4 * (target.gap_days + target.horizon_days)} to calibrate on later cutoffs",
        ok=days >= needed,
        remedy="" if days >= needed else f"ingest older events or shorten horizon_days of [targets.{target.name}]",
    )


def _check(what: str, found: int, least: int, remedy: str) -> Check:
    ok = found >= least
    return Check(what=what, found=f"{found:,}", needed=f"at least {least:,}", ok=ok, remedy="" if ok else remedy)
