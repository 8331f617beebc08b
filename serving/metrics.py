"""Counters and latency histograms in Prometheus' text format, cheap enough for the hot path.

Several workers: each worker writes its numbers to a file of the run's private folder about once a second, and whichever
worker answers a scrape adds up all files and its own live numbers. So a scrape sees the whole service, at most a second
old, and a worker that died still counts. Labels are route templates, status classes, target names and closed sets: no
caller can make one up.
"""

from __future__ import annotations

import bisect
import contextlib
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec

__all__ = ["LATENCY_BUCKETS", "Metrics", "ModelInfo"]

LATENCY_BUCKETS: Final = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1),
    *(0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
"""Upper edges of the latency histogram, in seconds."""

_COUNTERS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "ebbtide_requests_total": ("Requests by route and status class.", ("route", "status")),
    "ebbtide_scores_total": ("Customer and target pairs answered, by status.", ("target", "status")),
    "ebbtide_events_total": ("Live events by what became of them.", ("result",)),
    "ebbtide_prediction_log_rows_total": ("Rows written to the prediction log.", ()),
    "ebbtide_prediction_log_dropped_total": ("Rows the prediction log had to drop.", ()),
    "ebbtide_damaged_states_total": ("Reads of a stored customer whose state was damaged.", ()),
    "ebbtide_model_loads_total": ("Champions loaded.", ("target",)),
    "ebbtide_model_refusals_total": ("Champions refused because their bundle or pointer was damaged.", ("target",)),
    "ebbtide_unexpected_errors_total": ("Answers of status 500.", ("route",)),
}

_LATENCY: Final = "ebbtide_request_seconds"


class ModelInfo(msgspec.Struct, frozen=True):
    """What the gauges say about one champion."""

    target: str
    version: str
    fingerprint: str
    loaded_at: float


class _Numbers(msgspec.Struct):
    """A worker's numbers as they stand in its file."""

    counters: list[tuple[str, tuple[str, ...], int]]
    latencies: list[tuple[str, list[int], float]]


class Metrics:
    """One worker's numbers.

    Parameters
    ----------
    folder : Path or None
        The run's private folder, shared by its workers; None when there is one process.
    worker : str
        Name of this worker's file; unique within the run.

    Examples
    --------
    >>> metrics = Metrics(None, "w")
    >>> metrics.count("ebbtide_events_total", "accepted", by=2)
    >>> 'ebbtide_events_total{result="accepted"} 2' in metrics.render([])
    True
    """

    def __init__(self, folder: Path | None, worker: str) -> None:
        self._folder, self._worker = folder, worker
        self._lock = threading.Lock()
        self._counters: dict[tuple[str, tuple[str, ...]], int] = {}
        self._latencies: dict[str, tuple[list[int], float]] = {}

    def count(self, name: str, *labels: str, by: int = 1) -> None:
        """Add to a counter; ``labels`` in the order of the counter's label names."""
        key = (name, labels)
        with self._lock:
            self._counters[key] = self._counters.get(key, 0) + by

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count one answered request and its latency."""
        key = ("ebbtide_requests_total", (route, f"{status // 100}xx"))
        bucket = bisect.bisect_left(LATENCY_BUCKETS, seconds)
        with self._lock:
            self._counters[key] = self._counters.get(key, 0) + 1
            counts, total = self._latencies.get(route) or ([0] * (len(LATENCY_BUCKETS) + 1), 0.0)
            counts[bucket] += 1
            self._latencies[route] = (counts, total + seconds)

    def save(self) -> None:
        """Write this worker's numbers where the others can read them."""
        if self._folder is None:
            return
        part = self._folder / f".{self._worker}.tmp"
        part.write_bytes(msgspec.json.encode(self._own()))
        part.replace(self._folder / f"{self._worker}.metrics")

    def render(self, models: Iterable[ModelInfo], gauges: Mapping[str, tuple[str, float]] | None = None) -> str:
        """Prometheus' text, summed over the workers of this run.

        Parameters
        ----------
        models : iterable of ModelInfo
            Champions as this worker serves them.
        gauges : mapping, optional
            Name → (help, value), of this worker.
        """
        counters, latencies = self._summed()
        lines: list[str] = []
        for name, (text, labels) in _COUNTERS.items():
            lines += _head(name, text, "counter")
            values = {key: value for (counter, key), value in counters.items() if counter == name}
            if not labels:
                values.setdefault((), 0)
            lines += [f"{name}{_labels(labels, key)} {value}" for key, value in sorted(values.items())]
        lines += _head(_LATENCY, "Seconds from the request's first byte to the answer's last.", "histogram")
        for route, (counts, total) in sorted(latencies.items()):
            lines += _histogram(route, counts, total)
        lines += _models(models)
        for name, (text, gauge) in (gauges or {}).items():
            lines += [*_head(name, text, "gauge"), f"{name} {gauge:.10g}"]
        return "\n".join(lines) + "\n"

    def _own(self) -> _Numbers:
        with self._lock:
            return _Numbers(
                counters=[(name, labels, value) for (name, labels), value in self._counters.items()],
                latencies=[(route, list(counts), total) for route, (counts, total) in self._latencies.items()],
            )

    def _summed(self) -> tuple[dict[tuple[str, tuple[str, ...]], int], dict[str, tuple[list[int], float]]]:
        everyone = [self._own()]
        for file in sorted(self._folder.glob("*.metrics")) if self._folder else ():
            if file.stem != self._worker:
                with contextlib.suppress(OSError, msgspec.MsgspecError):  # a run folder being cleared costs a scrape
                    everyone.append(msgspec.json.decode(file.read_bytes(), type=_Numbers))
        counters: dict[tuple[str, tuple[str, ...]], int] = {}
        latencies: dict[str, tuple[list[int], float]] = {}
        for numbers in everyone:
            for name, labels, value in numbers.counters:
                counters[name, labels] = counters.get((name, labels), 0) + value
            for route, counts, total in numbers.latencies:
                old, old_total = latencies.get(route) or ([0] * len(counts), 0.0)
                latencies[route] = ([a + b for a, b in zip(old, counts, strict=True)], old_total + total)
        return counters, latencies


def _head(name: str, text: str, kind: str) -> list[str]:
    return [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]


def _labels(names: Iterable[str], values: Iterable[str]) -> str:
    pairs = [f'{name}="{_escape(value)}"' for name, value in zip(names, values, strict=True)]
    return "{" + ",".join(pairs) + "}" if pairs else ""


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _histogram(route: str, counts: list[int], total: float) -> list[str]:
    lines, running = [], 0
    for edge, count in zip((*LATENCY_BUCKETS, None), counts, strict=True):
        running += count
        label = "+Inf" if edge is None else f"{edge:g}"
        lines.append(f'{_LATENCY}_bucket{{route="{_escape(route)}",le="{label}"}} {running}')
    lines.append(f'{_LATENCY}_sum{{route="{_escape(route)}"}} {total:.9g}')
    lines.append(f'{_LATENCY}_count{{route="{_escape(route)}"}} {running}')
    return lines


def _models(models: Iterable[ModelInfo]) -> list[str]:
    loaded = list(models)
    lines = _head("ebbtide_model_info", "The champions this service scores with.", "gauge")
    for model in loaded:
        labels = _labels(("target", "version", "fingerprint"), (model.target, model.version, model.fingerprint))
        lines.append(f"ebbtide_model_info{labels} 1")
    lines += _head("ebbtide_model_loaded_timestamp_seconds", "When this worker loaded the champion.", "gauge")
    for model in loaded:
        lines.append(
            f"ebbtide_model_loaded_timestamp_seconds{_labels(('target',), (model.target,))} {model.loaded_at:.3f}"
        )
    return lines
