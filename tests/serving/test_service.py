"""The real service: `bentoml serve` over loopback HTTP, once for the whole module."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from features.errors import PortInUseError, ServiceError, UsageError
from serving import launch
from serving.config import ServingConfig
from tests.serving.builders import HIGH, LOW, make_home, promote
from tests.training.bundle_builders import prior

BANNED = ("pandas", "sklearn", "mlflow", "evidently", "lightgbm", "matplotlib", "duckdb")
KEY = "key-of-the-test-suite"


def config_of(home: Path, **more: Any) -> ServingConfig:
    return ServingConfig(
        home=str(home),
        timezone="Europe/Berlin",
        store_url="embedded:state?map_gb=1",
        port=launch.free_port(),
        poll_seconds=0.1,
        **more,
    )


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[launch.Service, ServingConfig]]:
    """A service of two workers, started where a folder called `features` lies."""
    home = make_home(tmp_path_factory.mktemp("home"))
    trap = tmp_path_factory.mktemp("user")
    for name in ("features", "serving", "training"):
        (trap / name).mkdir()
        (trap / name / "__init__.py").write_text("raise RuntimeError('the wrong package was imported')\n")
    keys = home / "keys"
    keys.write_text(KEY + "\n")
    config = config_of(home, workers=2, keys_file=str(keys))
    with contextlib.chdir(trap), pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(trap))
        service = launch.start(config)
    with service:
        yield service, config


def call(config: ServingConfig, method: str, path: str, body: object = None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", config.port, timeout=20)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"}
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    with contextlib.closing(connection), connection.getresponse() as answer:
        raw = answer.read()
        is_json = (answer.headers["content-type"] or "").startswith("application/json")
        return answer.status, (json.loads(raw) if raw else None) if is_json else raw.decode()


def nobody_listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def purchase(customer_id: str, days: float) -> dict[str, object]:
    return {
        "customer_id": customer_id,
        "event_type": "purchase",
        "event_time": (datetime.now(UTC) - timedelta(days=days)).isoformat(),
    }


def probability(config: ServingConfig, customer_id: str) -> tuple[str, float]:
    status, answer = call(config, "POST", "/v1/score", {"customers": [{"customer_id": customer_id}]})
    assert status == 200, answer
    score = answer["results"][0]["scores"]["churn"]
    return score["model_version"], score["probability"]


def test_every_route_answers_through_bentoml_whoever_stands_beside_a_folder_called_features(
    running: tuple[launch.Service, ServingConfig],
) -> None:
    service, config = running
    assert service.notice == ""
    assert f'{service.url}/v1/score -H "Authorization: Bearer $KEY"' in service.example
    assert (
        call(config, "POST", "/v1/events", {"events": [purchase("a", 40), purchase("a b/ü", 10)]})[1]["accepted"] == 2
    )
    assert probability(config, "a") in {("1", HIGH), ("2", 0.25)}  # the second once its test ran
    status, page = call(config, "GET", "/v1/customers/a%20b%2F%C3%BC")
    assert (status, page["customer_id"], page["last_events"][0]["event_type"]) == (200, "a b/ü", "purchase")
    assert call(config, "DELETE", "/v1/customers/a%20b%2F%C3%BC")[1]["deleted"]
    assert call(config, "GET", "/v1/customers/a%0Ab")[1]["error"]["code"] == "unknown_customer"
    assert call(config, "HEAD", "/livez") == (200, None)
    assert call(config, "GET", "/v1/model")[1]["models"][0]["target"] == "churn"
    assert call(config, "GET", "/v1/openapi.json")[1]["openapi"] == "3.1.0"
    assert call(config, "GET", "/readyz") == (200, {"status": "ready"})
    assert call(config, "GET", "/livez") == (200, {"status": "alive"})
    for path in ("/", "/docs.json", "/v1", "/v1/nothing", "/schema.json"):
        status, refusal = call(config, "GET", path)
        assert (status, refusal["error"]["code"]) == (404, "not_found"), path


def test_metrics_speak_for_both_workers(running: tuple[launch.Service, ServingConfig]) -> None:
    _, config = running

    def metric(name: str) -> float:
        status, text = call(config, "GET", "/metrics")
        assert status == 200
        return next((float(line.split()[-1]) for line in text.splitlines() if line.startswith(name)), 0.0)

    name = 'ebbtide_requests_total{route="/v1/model",status="2xx"}'
    time.sleep(2)  # the other worker's counts are at most about a second old
    before = metric(name)
    for _ in range(20):
        call(config, "GET", "/v1/model")
    deadline = time.monotonic() + 10
    while metric(name) < before + 20 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert metric(name) == before + 20


def test_a_new_champion_is_followed_by_every_worker_without_a_failed_request(
    running: tuple[launch.Service, ServingConfig],
) -> None:
    _, config = running
    call(config, "POST", "/v1/events", {"events": [purchase("swap", 10)]})
    seen: list[tuple[str, float]] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            seen.append(probability(config, "swap"))

    askers = [threading.Thread(target=ask) for _ in range(2)]
    for asker in askers:
        asker.start()
    promote(Path(config.home), prior(0.25), "2")
    time.sleep(1.5)
    stop.set()
    for asker in askers:
        asker.join()
    assert set(seen) == {("1", LOW), ("2", 0.25)}
    assert set(seen[-20:]) == {("2", 0.25)}


def test_no_key_no_answer(running: tuple[launch.Service, ServingConfig]) -> None:
    _, config = running
    connection = http.client.HTTPConnection("127.0.0.1", config.port, timeout=20)
    connection.request("GET", "/v1/model")
    with contextlib.closing(connection), connection.getresponse() as answer:
        assert answer.status == 401


@pytest.mark.parametrize("path", ["/v1/score", "/anywhere"])
def test_a_websocket_is_refused_at_once(running: tuple[launch.Service, ServingConfig], path: str) -> None:
    _, config = running
    handshake = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    connection = http.client.HTTPConnection("127.0.0.1", config.port, timeout=5)
    connection.request("GET", path, headers={**handshake, "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})
    with contextlib.closing(connection), connection.getresponse() as answer:
        assert answer.status == 403


def test_an_occupied_port_is_named(running: tuple[launch.Service, ServingConfig]) -> None:
    _, config = running
    with pytest.raises(PortInUseError, match=str(config.port)) as error:
        launch.start(config)
    assert "--port" in str(error.value)


def test_an_address_of_another_machine_is_not_called_an_occupied_port(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(KEY)
    with pytest.raises(UsageError, match="not an address of this machine"):
        launch.start(replace(config_of(tmp_path, keys_file=str(keys)), host="192.0.2.1"))  # of TEST-NET, nobody's


def test_no_bind_beyond_loopback_without_a_key(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="keys_file"):
        launch.start(replace(config_of(tmp_path), host="0.0.0.0"))  # noqa: S104 - refused, not bound


def test_without_a_champion_it_says_so_and_leaves_nothing_behind(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    with pytest.raises(ServiceError, match="ebbtide retrain"):
        launch.start(config)
    assert nobody_listens(config.port)


def test_a_service_that_dies_shows_its_last_lines(tmp_path: Path) -> None:
    config = config_of(make_home(tmp_path))
    service = launch.start(config, wait=False)
    os.killpg(service.pid, signal.SIGKILL)
    with service, pytest.raises(ServiceError, match="ended with status -9; its last lines"):
        service.wait_ready(30)


SERVE = """
import signal, sys
from serving import launch
from serving.config import ServingConfig
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # tests may themselves run under nohup
launch.serve(ServingConfig.from_json(sys.argv[1]), on_ready=lambda service: print(service.notice, flush=True))
print("ended", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])  # SIGHUP: its terminal was closed
def test_a_signal_ends_it_in_order_and_what_was_answered_is_logged(tmp_path: Path, number: signal.Signals) -> None:
    keys = tmp_path / "keys"
    keys.write_text(KEY)
    keys.chmod(0o666)
    config = config_of(make_home(tmp_path), keys_file=str(keys))
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, config.to_json()],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=launch.INSTALL_FOLDER, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert "chmod go-w" in process.stdout.readline()
    call(config, "POST", "/v1/score", {"customers": [{"customer_id": str(i)} for i in range(1000)]})
    with socket.create_connection(("127.0.0.1", config.port)) as raw:
        raw.sendall(b"no HTTP at all\r\n\r\n")
        raw.recv(1000)
    time.sleep(0.7)  # what the service says is passed on twice a second
    process.send_signal(number)
    try:
        out, err = process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        process.terminate()
        process.communicate(timeout=30)
        raise
    assert (out, process.returncode) == ("ended\n", 0)
    assert "Invalid HTTP request received" in err
    files = (tmp_path / "predictions").rglob("*.parquet")
    assert sum(pq.read_metadata(file).num_rows for file in files) == 1000
    assert nobody_listens(config.port)


IMPORTED = """
import sys
from serving.service import _WORKER
from tests.serving.builders import Client, purchase
_WORKER.open()
assert _WORKER.failure == "", _WORKER.failure
client = Client(_WORKER.api, _WORKER.runtime)
history = [{"event_type": "purchase", "event_time": "2025-01-01T00:00:00"}]
client.score({"customer_id": "a", "history": history}, cutoff="2025-02-10", reasons=3)
client.store("a", purchase(1))
assert client.get("/v1/customers/a").status == 200
assert client.get("/metrics").status == 200
_WORKER.close()
print("\\n".join(sys.modules))
"""


def test_a_worker_never_imports_what_it_does_not_need(tmp_path: Path) -> None:
    environment = {**os.environ, "EBBTIDE_SERVING": config_of(make_home(tmp_path)).to_json()}
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=True, env=environment,
        cwd=launch.INSTALL_FOLDER,
    )  # fmt: skip
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert "bentoml" in loaded
    assert loaded & set(BANNED) == set()
    assert list((tmp_path / "predictions").rglob("*.parquet")) != []
