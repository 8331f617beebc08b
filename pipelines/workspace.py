"""One project on disk: its settings, its folders, its clock; what every command is given."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from features.clock import format_cutoff, last_local_midnight, parse_cutoff, to_us
from features.clock import zone as read_zone
from features.errors import CutoffError, EmptyLogError, UsageError, did_you_mean
from features.event_log import EventLog, Snapshot
from features.own_features import OwnFeatures
from pipelines.config import read_settings
from pipelines.own_features import read_own_features
from pipelines.settings import Settings, TargetSettings
from training.labels import Target, TargetKind

__all__ = ["Workspace", "open_workspace", "silent", "system_clock"]

_MAX_FEED_LAG = timedelta(days=3)


def system_clock() -> datetime:
    """Now, in UTC; the only place that asks the system for a command."""
    return datetime.now(UTC)


def silent(message: str) -> None:
    """Say nothing: the progress of a library call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A project that is open.

    Parameters
    ----------
    settings : Settings
        The configuration, checked.
    root : Path
        Folder of the configuration file; sources are relative to it.
    own : OwnFeatures
        Event types and features of the project's own, checked as far as they can be without a log.
    clock : callable
        Tells the time, aware.
    say : callable
        Receives one line of progress.
    """

    settings: Settings
    root: Path
    own: OwnFeatures = field(default_factory=OwnFeatures)
    clock: Callable[[], datetime] = system_clock
    say: Callable[[str], None] = silent

    @property
    def home(self) -> Path:
        """Folder of everything the project keeps."""
        return (self.root / self.settings.project.home).resolve()

    @property
    def timezone(self) -> str:
        """IANA name of the project's time zone."""
        return self.settings.project.timezone

    @property
    def log_folder(self) -> Path:
        """Folder of the event log."""
        return self.home / "log"

    @property
    def log(self) -> EventLog:
        """The event log."""
        return EventLog(self.log_folder)

    @property
    def customers_file(self) -> Path:
        """The stored table of customers, if there is one."""
        return self.home / "customers.parquet"

    @property
    def store_folder(self) -> Path:
        """Folder of the embedded online store."""
        return self.home / self.settings.store.url.removeprefix("embedded:").partition("?")[0]

    @property
    def tracking_uri(self) -> str:
        """MLflow tracking URI, with a local SQLite path made absolute."""
        uri = self.settings.tracking.uri
        prefix = "sqlite:///"
        if not uri.startswith(prefix):
            return uri
        return f"{prefix}{(self.home / uri.removeprefix(prefix)).as_posix()}"

    @property
    def threads(self) -> int:
        """Threads to compute with."""
        return self.settings.engine.threads or len(os.sched_getaffinity(0))

    @property
    def settle(self) -> timedelta:
        """How long after a cutoff an event may still arrive."""
        return timedelta(hours=self.settings.project.settle_hours)

    def targets(self, names: tuple[str, ...] = ()) -> tuple[Target, ...]:
        """Targets by name; all of them if none is named.

        Raises
        ------
        UsageError
            If a name is unknown, or there is no target at all.
        """
        known = self.settings.targets
        if not known:
            raise UsageError("no target is configured", remedy="add a [targets.churn] table to ebbtide.toml")
        for name in names:
            if name not in known:
                raise UsageError(f"there is no target {name!r}; {did_you_mean(name, known)}")
        return tuple(_target(name, known[name]) for name in names or known)

    def snapshot(self) -> Snapshot:
        """The log as it is now.

        Raises
        ------
        EmptyLogError
            If it has no events.
        """
        snapshot = self.log.snapshot()
        if not snapshot.rows:
            raise EmptyLogError("the event log is empty", expected="at least one event", remedy="run `ebbtide ingest`")
        return snapshot

    def cutoff(self, text: str | None, snapshot: Snapshot) -> datetime:
        """Cutoff to work at: the one given, or the last local midnight if the log reaches near it.

        Raises
        ------
        CutoffError
            If it is unreadable, in the future, before the first event, not a midnight though a source has dates only,
            or, without one given, if the newest event is more than three days older than the last midnight.
        """
        now = self.clock()
        first, last = snapshot.first_event, snapshot.last_event
        if first is None or last is None:
            raise EmptyLogError("the event log is empty", remedy="run `ebbtide ingest`")
        usable = self.first_cutoff_after(last)
        if text is None:
            cutoff = last_local_midnight(now, self.timezone)
            if cutoff - last > _MAX_FEED_LAG:
                raise CutoffError(
                    f"the newest event is of {last:%Y-%m-%d %H:%M} UTC, more than 3 days before the last midnight",
                    expected="a log that reaches up to now",
                    remedy=f"ingest newer events, or say which moment you mean: --cutoff {self.show(usable)}",
                )
            return cutoff
        cutoff = parse_cutoff(text, self.timezone)
        if cutoff > now:
            raise CutoffError(
                f"the cutoff {self.show(cutoff)} is in the future",
                expected=f"a moment up to now, {now:%Y-%m-%d %H:%M} UTC",
                remedy=f"for instance --cutoff {self.show(min(usable, last_local_midnight(now, self.timezone)))}",
            )
        if cutoff <= first:
            raise CutoffError(
                f"the cutoff {self.show(cutoff)} is not after the first event, {first:%Y-%m-%d %H:%M} UTC",
                remedy=f"choose a later one, at most --cutoff {self.show(usable)}",
            )
        if snapshot.midnight_only and last_local_midnight(cutoff, self.timezone) != cutoff:
            raise CutoffError(
                f"the cutoff {self.show(cutoff)} is not a midnight, and a source has dates without times",
                expected=f"a midnight of {self.timezone}",
                remedy=f"use --cutoff {cutoff.astimezone(read_zone(self.timezone)).date()}",
            )
        if cutoff - last > _MAX_FEED_LAG:
            self.say(
                f"warning: the newest event, {last:%Y-%m-%d %H:%M} UTC, is {(cutoff - last).days} days before the "
                "cutoff; silence after it is counted as the customers' own"
            )
        return cutoff

    def first_cutoff_after(self, moment: datetime) -> datetime:
        """First local midnight after a moment: the earliest daily cutoff that sees all events up to it."""
        midnight = last_local_midnight(moment, self.timezone)
        while to_us(midnight) <= to_us(moment):
            midnight = last_local_midnight(midnight + timedelta(hours=36), self.timezone)
        return midnight

    def show(self, cutoff: datetime) -> str:
        """A cutoff as ``--cutoff`` takes it."""
        return format_cutoff(cutoff, self.timezone)


def open_workspace(
    config: Path, *, clock: Callable[[], datetime] = system_clock, say: Callable[[str], None] = silent
) -> Workspace:
    """Open the project of a configuration file.

    Raises
    ------
    UsageError, ConfigError
        As :func:`pipelines.config.read_settings` and :func:`pipelines.own_features.read_own_features`.
    """
    settings = read_settings(config)
    file = settings.features.file
    own = OwnFeatures() if file is None else read_own_features(config.parent / file)
    return Workspace(settings=settings, root=config.resolve().parent, own=own, clock=clock, say=say)


def _target(name: str, settings: TargetSettings) -> Target:
    return Target(
        name=name,
        kind=TargetKind(settings.kind),
        event_types=tuple(settings.event_types),
        eligible_event_types=tuple(settings.eligible_event_types or ()),
        active_within_days=settings.active_within_days,
        inactive_for_days=settings.inactive_for_days,
        gap_days=settings.gap_days,
        horizon_days=settings.horizon_days,
    )
