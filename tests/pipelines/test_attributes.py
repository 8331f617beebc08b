"""Attributes through ``ebbtide.toml``: what was known at each cutoff, the same bits in batch and over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from features.attributes import AttributeTable
from features.errors import SourceError, StateError
from pipelines.build import build, list_features
from pipelines.ingest import ingest
from pipelines.parity import parity
from pipelines.retrain import retrain
from pipelines.score import score_targets
from pipelines.workspace import Workspace, open_workspace
from serving.store import open_store
from tests.pipelines.builders import day, random_orders, shop, write_orders
from tests.serving.builders import serving

DAYS = 220
ORDERS = random_orders(300, DAYS)
CUTOFF = f"{day(196):%Y-%m-%d}"
DATED = """
[customers]
path = "customers.csv"
customer_id = "id"
valid_from = "since"
email = "mail"
attributes = { tier = "tier", age = "CAST(age AS INTEGER)" }
"""
STATIC = DATED.replace('valid_from = "since"', 'static = ["age"]')
HEADER = "id,since,mail,tier,age"


def write_customers(folder: Path, rows: Sequence[str]) -> None:
    (folder / "customers.csv").write_text("\n".join((HEADER, *rows)) + "\n", encoding="utf-8")


def small(folder: Path, *rows: str, extra: str = DATED) -> Workspace:
    folder.mkdir(exist_ok=True)
    write_customers(folder, rows)
    return shop(folder, [("a", 0, 5.0), ("b", 1, 7.0), ("c", 2, 1.0)], now=day(20), extra=extra)


def known(workspace: Workspace, number: float, *columns: str) -> dict[str, list[float | None]]:
    """Customer → attributes at a day."""
    frame = build(workspace, cutoff=day(number).isoformat()).frame()
    return {str(who): [None if np.isnan(v) else float(v) for v in row] for who, row in frame[list(columns)].iterrows()}


def attribute_names(workspace: Workspace) -> list[str]:
    return [one.name for one in list_features(workspace).features if one.family == "attributes"]


def edited(workspace: Workspace, old: str, new: str) -> Workspace:
    path = workspace.root / "ebbtide.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    return open_workspace(path, clock=workspace.clock, say=workspace.say)


def test_a_change_of_tier_is_seen_after_its_moment_only(tmp_path: Path) -> None:
    rows = ("a,2024-01-01T00:00:00Z,m,tin,30", "a,2024-01-11T00:00:00Z,m,gold,", "b,2024-01-11T00:00:00Z,m,gold,7")
    workspace = small(tmp_path, *rows)
    ingest(workspace)
    asked = ("attribute_tier_is_gold", "attribute_tier_is_tin", "attribute_age")
    assert attribute_names(workspace) == [asked[2], *asked[:2]]
    unknown = [None, None, None]
    for before in (9.0, 10.0):  # day 10 is the moment itself
        assert known(workspace, before, *asked) == {"a": [0, 1, 30], "b": unknown, "c": unknown}
    assert known(workspace, 10 + 1e-5, *asked) == {"a": [1, 0, None], "b": [1, 0, 7], "c": unknown}


def test_without_dates_only_what_static_lists_is_a_feature(tmp_path: Path) -> None:
    workspace = small(tmp_path, "a,x,a@example.com,gold,30", "c,,c@example.com,tin,", extra=STATIC)
    ingest(workspace)
    assert attribute_names(workspace) == ["attribute_age"]
    assert known(workspace, 3, "attribute_age") == {"a": [30], "b": [None], "c": [None]}
    nothing = edited(workspace, 'static = ["age"]', "")
    assert attribute_names(nothing) == []
    both = edited(nothing, 'email = "mail"', 'static = ["tier", "age"]')
    found = [list_features(one).fingerprint for one in (workspace, both)]
    write_customers(tmp_path, ["a,x,m,silver,30"])
    ingest(both)
    assert attribute_names(both) == ["attribute_age", "attribute_tier_is_silver"]
    assert len({*found, list_features(both).fingerprint}) == 3


def test_states_follow_the_table_of_customers(tmp_path: Path) -> None:
    workspace = small(tmp_path, "a,2024-01-01T00:00:00Z,m,tin,30")
    assert ingest(workspace).states == 3
    assert ingest(workspace).states == 0
    write_customers(tmp_path, ["a,2024-01-01T00:00:00Z,m,gold,31"])
    assert ingest(workspace).states == 3
    assert stored_attributes(workspace, "a") == b'[[1704067200000000,{"tier":"gold","age":31.0}]]'
    assert stored_attributes(workspace, "b") == b""


def stored_attributes(workspace: Workspace, customer: str) -> bytes:
    with closing(open_store(workspace.settings.store.url, workspace.home)) as store:
        state = store.get(customer)
        assert state is not None
        return state.content.attributes


def test_a_bad_table_of_customers_does_not_keep_events_from_the_store(tmp_path: Path) -> None:
    workspace = small(tmp_path, "a,2024-01-01T00:00:00Z,m,tin,30")
    ingest(workspace)
    write_orders(tmp_path, [("a", 0, 5.0), ("new", 3, 1.0)])
    write_customers(tmp_path, ["a,2024-01-01T00:00:00Z,m,tin,30"] * 2)
    with pytest.raises(SourceError, match="repeat a customer_id and a valid_from"):
        ingest(workspace)
    assert stored_attributes(workspace, "new") == b""
    assert stored_attributes(workspace, "a") != b""


def test_a_configuration_that_the_stored_table_does_not_fit_is_told(tmp_path: Path) -> None:
    said: list[str] = []
    workspace = small(
        tmp_path, "a,2024-01-01T00:00:00Z,m,tin,30", "b,,m,007,x", extra=STATIC.replace("INTEGER", "TEXT")
    )
    workspace = open_workspace(tmp_path / "ebbtide.toml", clock=workspace.clock, say=said.append)
    ingest(workspace, only=("orders",))
    assert attribute_names(workspace) == []
    assert "warning: the table of customers was not read yet" in said[-1]
    ingest(workspace)
    dated = edited(workspace, 'static = ["age"]', 'valid_from = "since"')
    with pytest.raises(StateError, match=r"has no valid_from.*ebbtide ingest"):
        build(dated, cutoff=f"{day(9):%Y-%m-%d}")
    said.clear()
    ingest(dated)
    assert any("left out 1 rows whose valid_from is missing" in line for line in said)
    assert any("'age' is text that looks like numbers" in line for line in said)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A shop whose customers are marked as leaving when they stop, so that its model looks at the tier."""
    folder = tmp_path_factory.mktemp("shop")
    workspace = shop(folder, ORDERS, now=day(DAYS + 1.5), extra=DATED)
    last = {customer: when for customer, when, _ in ORDERS}
    rows = [f"{customer},{day(0).isoformat()},m,gold,{number % 60}" for number, customer in enumerate(last)]
    rows += [f"{customer},{day(when + 1).isoformat()},m,leaving,9" for customer, when in last.items()]
    write_customers(folder, rows)
    ingest(workspace)
    (outcome,) = retrain(workspace, cutoff=CUTOFF).outcomes
    assert outcome.outcome == "promoted"
    return workspace


def both(workspace: Workspace) -> tuple[dict[str, float], dict[str, float]]:
    """Probabilities of the batch, and of the API for the same customers."""
    (scores,) = score_targets(workspace, workspace.snapshot(), day(196))
    batch = dict(zip(scores.customer_ids.tolist(), scores.probability.tolist(), strict=True))
    with serving(workspace.home, timezone="UTC", store_url="embedded:state") as client:
        answers = client.score(*batch, cutoff=day(196).isoformat())
    return batch, {one["customer_id"]: one["scores"]["churn"]["probability"] for one in answers}


def test_the_api_and_the_batch_give_the_same_bits(trained: Workspace) -> None:
    before, online = both(trained)
    assert len(before) > 50
    assert before == online
    table = (trained.root / "customers.csv").read_text(encoding="utf-8")
    try:
        write_customers(trained.root, [line.replace("leaving", "gold") for line in table.splitlines()[1:]])
        ingest(trained)
        after, online = both(trained)
    finally:
        (trained.root / "customers.csv").write_text(table, encoding="utf-8")
        ingest(trained)
    assert after == online
    assert after != before


def test_parity_replays_attributes(trained: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    report = parity(trained, count=40, cutoff_count=3)
    assert report.tally.first == []
    assert report.tally.bulk == 40
    with monkeypatch.context() as without:
        without.setattr(AttributeTable, "rows", lambda *_: {})
        columns = {one.column for one in parity(trained, count=40, cutoff_count=3).tally.first}
    assert {column.removeprefix("base ") for column in columns} >= {"attribute_tier_is_gold", "attribute_age"}


def test_a_history_over_http_has_no_attributes(trained: Workspace) -> None:
    batch, _ = both(trained)
    who = min(batch)
    table = (trained.root / "customers.csv").read_text(encoding="utf-8")
    by_history = history_score(trained, who)
    try:
        write_customers(trained.root, [line for line in table.splitlines()[1:] if not line.startswith(f"{who},")])
        ingest(trained)
        assert by_history == both(trained)[0][who] == both(trained)[1][who]
    finally:
        (trained.root / "customers.csv").write_text(table, encoding="utf-8")
        ingest(trained)
    assert by_history != batch[who]


def history_score(workspace: Workspace, customer: str) -> float:
    own = [(number, when, paid) for number, (who, when, paid) in enumerate(ORDERS) if who == customer and when < 196]
    history = [
        {"event_type": "purchase", "event_time": day(when).isoformat(), "order_id": f"b{number}", "amount": paid}
        for number, when, paid in own
    ]
    with serving(workspace.home, timezone="UTC", store_url="embedded:state") as client:
        (answer,) = client.score({"customer_id": customer, "history": history}, cutoff=day(196).isoformat())
    return float(answer["scores"]["churn"]["probability"])
