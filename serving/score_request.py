"""A scoring request, read strictly: fast when it is right, every fault at once when it is not."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final

import msgspec

from features.clock import to_us
from features.errors import did_you_mean
from features.state import EventRow
from serving.faults import ApiFault, Problem
from serving.live_events import CLOCK_SKEW, MomentError, columns_of, derived_ids, problem_of, read_moment, row_of
from serving.schema import MAX_MOMENT, CustomerIn, Event, ScoreIn
from serving.validate import MAX_PROBLEMS, describe, faults, malformed, parse_json

__all__ = ["ScoreRequest", "read_score_request"]

_DECODER: Final = msgspec.json.Decoder(ScoreIn)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRequest:
    """A scoring request that passed every check.

    Parameters
    ----------
    customers : sequence of CustomerIn
    events, history : sequence of (list of EventRow or None)
        Each customer's own, as rows; None where the request had none.
    targets : tuple of str
        Which targets.
    cutoff_us : int
        Epoch microseconds.
    reasons : int
        Most reasons a score.
    """

    customers: Sequence[CustomerIn]
    events: Sequence[list[EventRow] | None]
    history: Sequence[list[EventRow] | None]
    targets: tuple[str, ...]
    cutoff_us: int
    reasons: int


def read_score_request(body: bytes, *, targets: Collection[str], zone: tzinfo, now: datetime) -> ScoreRequest:
    """Read a request's body.

    Parameters
    ----------
    body : bytes
    targets : collection of str
        Targets that can be scored.
    zone : tzinfo
        For times without an offset.
    now : datetime
        The cutoff if the request has none.

    Raises
    ------
    ApiFault
        400 if it is not JSON, 422 with every fault if it does not fit.
    """
    try:
        asked = _DECODER.decode(body)
    except msgspec.ValidationError as error:
        raise _refusal(body, str(error), targets=targets, zone=zone, now=now) from error
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise malformed(str(error)) from error
    problems: list[Problem] = []
    request = _checked(asked, problems, targets=targets, zone=zone, now=now)
    if problems:
        raise _invalid(problems)
    return request


def _checked(
    asked: ScoreIn, problems: list[Problem], *, targets: Collection[str], zone: tzinfo, now: datetime
) -> ScoreRequest:
    ids = [customer.customer_id for customer in asked.customers]
    problems += _duplicates(ids)
    problems += _unknown_targets(asked.targets or (), targets)
    cutoff = _cutoff(asked.cutoff, problems, zone=zone, now=now)
    events: list[list[EventRow] | None] = []
    history: list[list[EventRow] | None] = []
    for index, customer in enumerate(asked.customers):
        path = f"customers[{index}]"
        if customer.events is not None and customer.history is not None:
            problems.append(Problem(path, "both events and history", "one of them"))
        events.append(_rows(customer.events, customer.customer_id, f"{path}.events", problems, zone=zone, now=now))
        history.append(_rows(customer.history, customer.customer_id, f"{path}.history", problems, zone=zone, now=now))
    return ScoreRequest(
        customers=asked.customers,
        events=events,
        history=history,
        targets=tuple(asked.targets or targets),
        cutoff_us=to_us(cutoff),
        reasons=asked.reasons,
    )


def _refusal(body: bytes, reason: str, *, targets: Collection[str], zone: tzinfo, now: datetime) -> ApiFault:
    """Every fault of a body that the strict decoder refused, those of single well-formed parts too."""
    raw = parse_json(body)
    problems = faults(raw, ScoreIn)
    if isinstance(raw, dict):
        problems += _loose(raw, targets=targets, zone=zone, now=now)
    return _invalid(problems or [Problem("", reason, "what /v1/openapi.json describes")])


def _loose(raw: dict[str, Any], *, targets: Collection[str], zone: tzinfo, now: datetime) -> list[Problem]:
    problems: list[Problem] = []
    listed = raw.get("customers")
    customers = listed if isinstance(listed, list) else []
    ids = [customer.get("customer_id") if isinstance(customer, dict) else None for customer in customers]
    problems += _duplicates(ids)
    asked = raw.get("targets")
    problems += _unknown_targets(
        [name for name in asked if isinstance(name, str)] if isinstance(asked, list) else (), targets
    )
    cutoff = raw.get("cutoff")
    if isinstance(cutoff, str) and 0 < len(cutoff) <= MAX_MOMENT:
        _cutoff(cutoff, problems, zone=zone, now=now)
    for index, customer in enumerate(customers):
        for name in ("events", "history") if isinstance(customer, dict) else ():
            for at, event in enumerate(customer.get(name) or () if isinstance(customer.get(name), list) else ()):
                time = event.get("event_time") if isinstance(event, dict) else None
                if isinstance(time, str) and 0 < len(time) <= MAX_MOMENT:
                    _moment(time, f"customers[{index}].{name}[{at}].event_time", problems, zone=zone, now=now)
    return problems


def _duplicates(ids: Sequence[object]) -> list[Problem]:
    if len(set(map(str, ids))) == len(ids):
        return []
    first: dict[str, int] = {}
    problems = []
    for index, customer_id in enumerate(ids):
        if isinstance(customer_id, str):
            before = first.setdefault(customer_id, index)
            if before != index:
                found = f"{describe(customer_id)}, as in customers[{before}]"
                problems.append(Problem(f"customers[{index}].customer_id", found, "each customer once"))
    return problems


def _unknown_targets(asked: Sequence[str], targets: Collection[str]) -> list[Problem]:
    problems = []
    for index, name in enumerate(asked):
        if name not in targets:
            hint = did_you_mean(name[:100], targets)
            problems.append(Problem(f"targets[{index}]", describe(name), f"a target with a champion; {hint}"))
        elif name in asked[:index]:
            problems.append(Problem(f"targets[{index}]", f"{describe(name)} again", "each target once"))
    return problems


def _cutoff(text: str | None, problems: list[Problem], *, zone: tzinfo, now: datetime) -> datetime:
    if text is None:
        return now
    try:
        return read_moment(text, zone, latest=now + CLOCK_SKEW, dates=True)
    except MomentError as error:
        problems.append(problem_of(error, "cutoff"))
        return now


def _moment(text: str, path: str, problems: list[Problem], *, zone: tzinfo, now: datetime) -> None:
    try:
        read_moment(text, zone, latest=now + CLOCK_SKEW)
    except MomentError as error:
        problems.append(problem_of(error, path))


def _rows(
    events: Sequence[Event] | None, customer_id: str, path: str, problems: list[Problem], *, zone: tzinfo, now: datetime
) -> list[EventRow] | None:
    if events is None:
        return None
    columns = []
    for index, event in enumerate(events):
        try:
            columns.append(columns_of(event, customer_id, zone, received_at=now, latest=now + CLOCK_SKEW))
        except MomentError as error:
            problems.append(problem_of(error, f"{path}[{index}].event_time"))
    derived_ids(columns)
    return [row_of(row) for row in columns]


def _invalid(problems: Sequence[Problem]) -> ApiFault:
    count = len(problems)
    listed = list(problems[:MAX_PROBLEMS])
    return ApiFault(
        422, "invalid_request", f"the request has {count} fault{'s' if count != 1 else ''}; nothing was scored", listed
    )
