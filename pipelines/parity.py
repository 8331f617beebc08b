"""``ebbtide features parity``: events replayed as they arrived, compared with the batch table bit for bit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from features.attributes import attached
from features.clock import from_us, last_local_midnight, to_us
from features.duckdb_engine import build, states
from features.errors import EmptyLogError, UsageError
from features.parity import BatchRows, Tally, answer, replay_pairs
from features.parity_log import Sample, SampledLog, customers, rebuilt, sample
from features.parity_replay import Customer, Moment
from pipelines.attributes import attribute_table
from pipelines.build import log_features, log_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from features.event_log import Snapshot
    from features.plan import Plan
    from features.state import State
    from pipelines.workspace import Workspace

__all__ = ["CUSTOMERS", "CUTOFFS", "ParityReport", "moment_of", "parity", "replay_sample", "sample_size"]

CUSTOMERS: Final = 200
CUTOFFS: Final = 5
_ALL_RECEIVED: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParityReport:
    """What was replayed and what differs.

    Parameters
    ----------
    cutoffs : tuple of str
        As ``--cutoff`` takes them.
    sample : Sample
        The customers, and how they were chosen.
    features : int
        In the plan.
    tally : Tally
        The counts and the first differences.
    """

    cutoffs: tuple[str, ...]
    sample: Sample
    features: int
    tally: Tally

    @property
    def ok(self) -> bool:
        """Whether nothing differs."""
        return self.tally.different == 0

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        tally = self.tally
        return {
            "ok": self.ok,
            "cutoffs": list(self.cutoffs),
            "customers": len(self.sample.buckets),
            "strata": dict(self.sample.strata),
            "left_out": self.sample.left_out,
            "features": self.features,
            "pairs": tally.pairs,
            "empty": tally.empty,
            "rebuilt": tally.rebuilt,
            "corrected_later": tally.corrected_later,
            "bulk": tally.bulk,
            "values": tally.values,
            "different": tally.different,
            "differences": [
                {
                    "customer_id": one.customer_id,
                    "cutoff": from_us(one.cutoff_us).isoformat(),
                    "path": one.path,
                    "column": one.column,
                    "batch": one.batch,
                    "state": one.state,
                }
                for one in tally.first
            ],
        }


def parity(
    workspace: Workspace,
    *,
    cutoffs: Sequence[str] = (),
    cutoff_count: int = CUTOFFS,
    count: int | None = CUSTOMERS,
    seed: int | None = None,
    names: tuple[str, ...] = (),
) -> ParityReport:
    """Replay a sample of customers at some cutoffs, and compare the states of the bulk path at the end of the log.

    Parameters
    ----------
    workspace : Workspace
    cutoffs : sequence of str
        As ``--cutoff`` takes them; without any, ``cutoff_count`` local midnights spread over the log.
    cutoff_count : int
        At least 1.
    count : int or None
        Customers; None: all.
    seed : int, optional
        Of the sample and the replay; ``[retrain] seed`` if not given.
    names : tuple of str
        Targets whose base aggregates are compared, too; all if none is named.

    Raises
    ------
    EmptyLogError, CutoffError
    UsageError
        If a count is less than 1, or a target is unknown.
    """
    if cutoff_count < 1 or (count is not None and count < 1):
        raise UsageError("there is nothing to replay", expected="--cutoffs and --customers of at least 1")
    snapshot = workspace.snapshot()
    seed = workspace.settings.retrain.seed if seed is None else seed
    targets = workspace.targets(names) if names or workspace.settings.targets else ()
    behind = (base for feature in log_features(workspace, snapshot).features for base in feature.bases)
    plan = log_plan(workspace, snapshot, extra=[*(base for target in targets for base in target.bases()), *behind])
    moments = [workspace.cutoff(text, snapshot) for text in cutoffs] or _spread(workspace, snapshot, cutoff_count)
    moments = sorted(set(moments))
    chosen = sample(snapshot, count, seed=seed)
    rows = _batch_rows(workspace, snapshot, plan, moments, chosen)
    seen = [moment_of(workspace, cutoff) for cutoff in moments]
    tally = replay_sample(workspace, snapshot, plan, rows, chosen, lambda _: seen, seed=seed)
    _compare_bulk(workspace, snapshot, plan, rows, chosen, _end(snapshot, moments), tally)
    return ParityReport(
        cutoffs=tuple(map(workspace.show, moments)), sample=chosen, features=len(plan.features), tally=tally
    )


def sample_size(text: str) -> int | None:
    """Number of customers of ``N`` or ``all``; None is all.

    Raises
    ------
    UsageError
        If it is neither.

    Examples
    --------
    >>> sample_size("200"), sample_size("all")
    (200, None)
    """
    if text == "all":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise UsageError(f"--customers {text}", expected="a number of at least 1, or all")
    return int(text)


def replay_sample(
    workspace: Workspace,
    snapshot: Snapshot,
    plan: Plan,
    rows: BatchRows,
    chosen: Sample,
    moments: Callable[[Customer], Sequence[Moment]],
    *,
    seed: int,
) -> Tally:
    """Replay sampled customers, each at moments of its own, against rows of the batch table."""
    workspace.say(f"parity: replay {len(chosen.buckets):,} customers")
    tally = Tally()

    def rebuild(customer_id: str, moment: Moment) -> State | None:
        return rebuilt(snapshot, customer_id, chosen.buckets[customer_id], moment, max_events=plan.max_events)

    attributes = attribute_table(workspace) if plan.attributes else None
    for customer in customers(snapshot, chosen.buckets, attributes):
        replay_pairs(plan, rows, customer, moments(customer), seed=seed, rebuild=rebuild, tally=tally)
    return tally


def _batch_rows(
    workspace: Workspace, snapshot: Snapshot, plan: Plan, cutoffs: Sequence[datetime], chosen: Sample
) -> BatchRows:
    """Rows of the sample out of the table of the whole log, as training builds it, and at the log's end."""
    end = _end(snapshot, cutoffs)
    seen = [*(cutoff + workspace.settle for cutoff in cutoffs), _ALL_RECEIVED]
    workspace.say(f"parity: batch table of {snapshot.rows:,} events at {len(cutoffs)} cutoffs and at the log's end")
    rows = BatchRows(chosen.buckets)
    attributes = attribute_table(workspace) if plan.attributes else None
    moments = [*cutoffs, end]
    for table in build(snapshot, plan, moments, received_before=seen, attributes=attributes, threads=workspace.threads):
        rows.take(table)
    return rows


def _compare_bulk(
    workspace: Workspace, snapshot: Snapshot, plan: Plan, rows: BatchRows, chosen: Sample, end: datetime, tally: Tally
) -> None:
    """Compare the states that ``materialize`` makes of all that was received with the rows at the log's end."""
    workspace.say("parity: states of the bulk path")
    end_us = to_us(end)
    log = SampledLog(log=snapshot, buckets=chosen.buckets)
    made = states(log, max_events=plan.max_events, threads=workspace.threads)
    for customer_id, state in attached(made, attribute_table(workspace) if plan.attributes else None):
        tally.bulk += 1
        tally.add(plan, (customer_id, end_us, "bulk"), rows.get(customer_id, end_us), answer(state, plan, end_us))


def _end(snapshot: Snapshot, cutoffs: Sequence[datetime]) -> datetime:
    """Right after the last event; none of the cutoffs, because what was received late counts here."""
    end = _last(snapshot) + timedelta(microseconds=1)
    while end in cutoffs:
        end += timedelta(microseconds=1)
    return end


def _spread(workspace: Workspace, snapshot: Snapshot, count: int) -> list[datetime]:
    """So many local midnights over the log's time, the last one after its last event."""
    last = _last(snapshot)
    first = snapshot.first_event or last
    inner = [first + (last - first) * at / count for at in range(1, count)]
    midnights = [last_local_midnight(moment, workspace.timezone) for moment in inner]
    return [*(moment for moment in midnights if moment > first), workspace.first_cutoff_after(last)]


def _last(snapshot: Snapshot) -> datetime:
    if snapshot.last_event is None:
        raise EmptyLogError("the event log is empty", remedy="run `ebbtide ingest`")
    return snapshot.last_event


def moment_of(workspace: Workspace, cutoff: datetime) -> Moment:
    """A cutoff with the project's settle time."""
    return Moment(cutoff_us=to_us(cutoff), received_before_us=to_us(cutoff + workspace.settle))
