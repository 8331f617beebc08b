"""The numbers: summed over workers, bounded in their labels."""

from __future__ import annotations

from pathlib import Path

from serving.metrics import Metrics, ModelInfo


def lines(metrics: Metrics) -> list[str]:
    return metrics.render([]).splitlines()


def test_latencies_fall_into_cumulative_buckets() -> None:
    metrics = Metrics(None, "w")
    for seconds in (0.0004, 0.0005, 0.003, 99.0):
        metrics.request("/v1/score", 200, seconds)
    metrics.request("/v1/score", 422, 0.0004)
    text = lines(metrics)
    assert 'ebbtide_request_seconds_bucket{route="/v1/score",le="0.0005"} 3' in text
    assert 'ebbtide_request_seconds_bucket{route="/v1/score",le="0.005"} 4' in text
    assert 'ebbtide_request_seconds_bucket{route="/v1/score",le="10"} 4' in text
    assert 'ebbtide_request_seconds_bucket{route="/v1/score",le="+Inf"} 5' in text
    assert 'ebbtide_request_seconds_count{route="/v1/score"} 5' in text
    assert 'ebbtide_request_seconds_sum{route="/v1/score"} 99.0043' in text
    assert 'ebbtide_requests_total{route="/v1/score",status="2xx"} 4' in text
    assert 'ebbtide_requests_total{route="/v1/score",status="4xx"} 1' in text


def test_whichever_worker_is_asked_speaks_for_all_even_for_a_dead_one(tmp_path: Path) -> None:
    one, two = Metrics(tmp_path, "w1"), Metrics(tmp_path, "w2")
    for metrics, seconds in ((one, 0.001), (one, 0.001), (two, 1.0)):
        metrics.request("/v1/score", 200, seconds)
        metrics.count("ebbtide_events_total", "accepted", by=2)
    one.save()
    assert 'ebbtide_events_total{result="accepted"} 6' in lines(two)
    assert 'ebbtide_request_seconds_count{route="/v1/score"} 3' in lines(two)
    two.save()
    two.count("ebbtide_events_total", "accepted")
    assert 'ebbtide_events_total{result="accepted"} 7' in lines(two)  # its own numbers are live, and counted once
    (tmp_path / "w9.metrics").write_bytes(b"half a f")
    assert 'ebbtide_events_total{result="accepted"} 6' in lines(one)


def test_labels_are_escaped_and_every_family_is_described() -> None:
    metrics = Metrics(None, "w")
    text = metrics.render([ModelInfo(target="churn", version='1"\n', fingerprint="f", loaded_at=12.5)])
    assert 'ebbtide_model_info{target="churn",version="1\\"\\n",fingerprint="f"} 1' in text
    assert 'ebbtide_model_loaded_timestamp_seconds{target="churn"} 12.500' in text
    names = {line.split("{")[0].split(" ")[0] for line in text.splitlines() if not line.startswith("#")}
    described = {line.split(" ")[2] for line in text.splitlines() if line.startswith("# TYPE")}
    assert names <= described
