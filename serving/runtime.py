"""Everything one worker holds: store, champions, log, numbers, threads; opened, warmed up and closed in one place."""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from features.clock import to_us, zone
from features.errors import StateError
from features.state import State
from serving.champions import ChampionFollower, Champions
from serving.config import ServingConfig
from serving.guard import Keys, check_bind, load_keys
from serving.metrics import Metrics, ModelInfo
from serving.prediction_log import PredictionLog
from serving.quarantine import LiveQuarantine
from serving.scoring import score_customers
from serving.store import Store, open_store

__all__ = ["Runtime", "freeze_memory", "open_runtime"]

_THREADS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Runtime:
    """What the handlers work with.

    Parameters
    ----------
    config : ServingConfig
    keys : Keys
    zone : ZoneInfo
        The project's time zone.
    now : callable
        The clock.
    store : Store
    follower : ChampionFollower
        Its ``current`` champions are what a request takes when it begins.
    log : PredictionLog or None
    metrics : Metrics
    quarantine : LiveQuarantine
    writer : ThreadPoolExecutor
        The one thread that writes to the store, so that a write never holds up a score.
    scorers : ThreadPoolExecutor
        For batches and reasons, which would hold up the event loop.
    """

    config: ServingConfig
    keys: Keys
    zone: ZoneInfo
    now: Callable[[], datetime]
    store: Store
    follower: ChampionFollower
    log: PredictionLog | None
    metrics: Metrics
    quarantine: LiveQuarantine
    writer: ThreadPoolExecutor
    scorers: ThreadPoolExecutor

    @property
    def champions(self) -> Champions:
        """The champions that are current now."""
        return self.follower.current

    def why_not_ready(self) -> str:
        """Say why no score can be had, or nothing if scores can be had."""
        if not self.champions.models:
            refused = "; ".join(f"{target}: {reason}" for target, reason in self.champions.refused.items())
            return f"no champion is loaded{': ' + refused if refused else '; run `ebbtide retrain`'}"
        try:
            self.store.sizes()
        except StateError as error:
            return error.found
        return ""

    def infos(self) -> list[ModelInfo]:
        """What the metrics say about the champions."""
        return [
            ModelInfo(
                target=name,
                version=model.version,
                fingerprint=model.fingerprint,
                loaded_at=model.loaded_at.timestamp(),
            )
            for name, model in self.champions.models.items()
        ]

    def close(self) -> None:
        """Stop the threads, write what is waiting, let go of the store; idempotent."""
        self.follower.close()
        self.writer.shutdown(wait=True)
        self.scorers.shutdown(wait=True)
        if self.log is not None:
            self.log.close()
        with contextlib.suppress(OSError):
            self.metrics.save()
        self.store.close()


def open_runtime(config: ServingConfig, now: Callable[[], datetime]) -> Runtime:
    """Open and warm up everything; on return a score costs what it will always cost.

    Raises
    ------
    UsageError
        If keys are missing where they are needed, or the store's URL is wrong.
    StateError
        If the store cannot be opened.
    """
    keys = load_keys(config.keys_file)
    check_bind(config.host, keys)
    worker = f"w{os.getpid()}"
    metrics = Metrics(Path(config.run_dir) if config.run_dir else None, worker)
    store = open_store(config.store_url, config.home_path)
    log = None
    if config.prediction_log:
        folder = config.home_path / "predictions"
        log = PredictionLog(folder, worker, lambda name, rows: metrics.count(name, by=rows), now)
    follower = ChampionFollower(
        config.home_path,
        config.targets,
        currency=config.currency,
        poll_seconds=config.poll_seconds,
        now=now,
        on_change=lambda old, new: _changed(old, new, metrics, now),
        on_poll=lambda: _saved(metrics),
    )
    runtime = Runtime(
        config=config,
        keys=keys,
        zone=zone(config.timezone),
        now=now,
        store=store,
        follower=follower,
        log=log,
        metrics=metrics,
        quarantine=LiveQuarantine(config.home_path / "log" / "live_quarantine"),
        writer=ThreadPoolExecutor(1, thread_name_prefix="store-writer"),
        scorers=ThreadPoolExecutor(_THREADS, thread_name_prefix="scorer"),
    )
    if log is not None:
        log.start()
    follower.start()
    return runtime


def freeze_memory() -> None:
    """Collect garbage once and exempt what is left: cuts the tail of the latency."""
    gc.collect()
    gc.freeze()


def _changed(old: Champions | None, new: Champions, metrics: Metrics, now: Callable[[], datetime]) -> None:
    """Warm new champions up before they become current, and count loads and refusals."""
    if new.models:
        moment = to_us(now())
        score_customers(["warm-up"], [State.empty()], new, targets=new.models, cutoff_us=moment)
        for model in new.models.values():
            model.predictor.contributions(np.full((1, len(model.predictor.feature_names)), np.nan, dtype=np.float32))
    for target, model in new.models.items():
        if old is None or old.models.get(target) is not model:
            metrics.count("ebbtide_model_loads_total", target)
    for target in new.refused:
        if old is None or target not in old.refused:
            metrics.count("ebbtide_model_refusals_total", target)


def _saved(metrics: Metrics) -> None:
    with contextlib.suppress(OSError):  # a full disk costs other workers' scrapes, never an answer
        metrics.save()
