"""The champions a worker scores with, and how it follows the pointers without a restart or a mixed answer.

:class:`Champions` is immutable: a request takes the one that is current when it begins and keeps it to its end.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from features.errors import BundleError, EbbtideError
from features.plan import Plan, compile_plan
from training.bundle import check_target_name, read_champion
from training.labels import Target
from training.predictor import Predictor
from training.reasons import Explainer

__all__ = ["ChampionFollower", "Champions", "Group", "LoadedModel", "load_champions"]

_LOG: Final = logging.getLogger("ebbtide.serving")
_RETRY_POLLS: Final = 10
"""A refused champion is tried again every so many polls, even if its pointer has not changed."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoadedModel:
    """One champion, ready to score.

    Parameters
    ----------
    predictor : Predictor
    explainer : Explainer
    version : str
        Registered version.
    loaded_at : datetime
        When this process loaded it.
    """

    predictor: Predictor
    explainer: Explainer
    version: str
    loaded_at: datetime

    @property
    def target(self) -> Target:
        """What it predicts, for whom."""
        return self.predictor.bundle.target

    @property
    def fingerprint(self) -> str:
        """Fingerprint of its features."""
        return self.predictor.bundle.fingerprint


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Group:
    """Champions that share one feature vector: same fingerprint, one plan.

    Parameters
    ----------
    plan : Plan
        Compiled from their features, with the base aggregates that any of their targets needs.
    models : tuple of LoadedModel
        In the order of their targets' names.
    """

    plan: Plan
    models: tuple[LoadedModel, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Champions:
    """All champions at one moment.

    Parameters
    ----------
    models : mapping of str to LoadedModel
        By target name.
    groups : tuple of Group
        The same, by fingerprint.
    refused : mapping of str to str
        Target name → why its newest champion was refused.
    """

    models: Mapping[str, LoadedModel]
    groups: tuple[Group, ...]
    refused: Mapping[str, str]

    @classmethod
    def of(cls, models: Mapping[str, LoadedModel], refused: Mapping[str, str]) -> Champions:
        """Group models by fingerprint and compile one plan for each group."""
        by_fingerprint: dict[str, list[LoadedModel]] = {}
        for _, model in sorted(models.items()):
            by_fingerprint.setdefault(model.fingerprint, []).append(model)
        groups = tuple(_group(members) for members in by_fingerprint.values())
        return cls(models=dict(sorted(models.items())), groups=groups, refused=dict(sorted(refused.items())))


def _group(members: list[LoadedModel]) -> Group:
    bundle = members[0].predictor.bundle
    extra = tuple(dict.fromkeys(base for member in members for base in member.target.bases()))
    plan = compile_plan(bundle.features, timezone=bundle.timezone, extra=extra)
    return Group(plan=plan, models=tuple(members))


def _load(home: Path, target: str, currency: str, now: datetime) -> LoadedModel | None:
    bundle = read_champion(home, target)
    if bundle is None:
        return None
    plan = compile_plan(bundle.features, timezone=bundle.timezone, extra=bundle.target.bases())
    if plan.fingerprint != bundle.fingerprint:
        raise BundleError(
            f"the champion of {target} was trained on features of fingerprint {bundle.fingerprint[:12]}…",
            expected=f"{plan.fingerprint[:12]}…, as this version of Ebbtide computes them",
            remedy="train again with `ebbtide retrain`, or run the version that trained it",
        )
    explainer = Explainer(bundle.features, currency=currency)
    return LoadedModel(predictor=Predictor(bundle), explainer=explainer, version=bundle.version or "", loaded_at=now)


def load_champions(
    home: Path, targets: Collection[str], *, currency: str, now: datetime, previous: Champions | None = None
) -> Champions:
    """Load the champion of every target; a damaged one is refused and the previous one of that target stays.

    Parameters
    ----------
    home : Path
        The project's home.
    targets : collection of str
        Names of the targets; empty means every target that has a pointer.
    currency : str
        Written behind amounts in reasons.
    now : datetime
        Aware, UTC.
    previous : Champions, optional
        What was current until now.
    """
    models: dict[str, LoadedModel] = {}
    refused: dict[str, str] = {}
    for target in _names(home, targets):
        before = previous.models.get(target) if previous else None
        try:
            model = _load(home, target, currency, now)
        except EbbtideError as error:
            refused[target] = str(error)
            model = before
        if model is not None and before is not None and _same(model, before):
            model = before
        if model is not None:
            models[target] = model
    return Champions.of(models, refused)


def _same(model: LoadedModel, other: LoadedModel) -> bool:
    a, b = model.predictor.bundle, other.predictor.bundle
    return (a.checksum, a.version) == (b.checksum, b.version)


def _names(home: Path, targets: Collection[str]) -> list[str]:
    if targets:
        return sorted(check_target_name(target) for target in targets)
    return sorted(file.stem for file in (home / "champions").glob("*.json"))


class ChampionFollower:
    """Keeps one process's champions current, from a thread of its own.

    Parameters
    ----------
    home : Path
    targets : collection of str
        As for :func:`load_champions`.
    currency : str
        Written behind amounts in reasons.
    poll_seconds : float
        How often the pointers are looked at.
    now : callable
        The clock.
    on_change : callable
        Called with the old (None at first) and the new champions after every load; warms the new ones up.
    on_poll : callable
        Called after every look, changed or not.
    """

    def __init__(
        self,
        home: Path,
        targets: Collection[str],
        *,
        currency: str,
        poll_seconds: float,
        now: Callable[[], datetime],
        on_change: Callable[[Champions | None, Champions], None],
        on_poll: Callable[[], None],
    ) -> None:
        self._home, self._targets, self._currency, self._poll_seconds = home, targets, currency, poll_seconds
        self._now, self._on_change, self._on_poll = now, on_change, on_poll
        self._seen = self._pointers()
        self._polls = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="champions", daemon=True)
        self.current = self._load(None)
        on_change(None, self.current)

    def start(self) -> None:
        """Start following."""
        self._thread.start()

    def close(self) -> None:
        """Stop following."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def look(self) -> bool:
        """Look at the pointers once; True if champions were loaded."""
        self._polls += 1
        pointers = self._pointers()
        again = bool(self.current.refused) and self._polls % _RETRY_POLLS == 0
        if pointers == self._seen and not again:
            return False
        loaded = self._load(self.current)
        self._on_change(self.current, loaded)
        self._seen, self.current = pointers, loaded
        return True

    def _run(self) -> None:
        while not self._stop.wait(self._poll_seconds):
            try:
                self.look()
                self._on_poll()
            except Exception:  # noqa: BLE001 - whatever it was, the next pointer must still be followed
                _LOG.exception("the champions could not be looked at")

    def _load(self, previous: Champions | None) -> Champions:
        return load_champions(self._home, self._targets, currency=self._currency, now=self._now(), previous=previous)

    def _pointers(self) -> tuple[tuple[str, int, int, int], ...]:
        found = []
        for target in _names(self._home, self._targets):
            try:
                status = (self._home / "champions" / f"{target}.json").stat()
            except OSError:
                continue
            found.append((target, status.st_ino, status.st_mtime_ns, status.st_size))
        return tuple(found)
