"""Bad input gets one screen with the remedy and the right exit code; through the command line, as a user would."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.cli import main
from tests.pipelines.builders import day, random_orders, write_config, write_orders

CUTOFF = ("--cutoff", f"{day(210):%Y-%m-%d}")


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """``ebbtide`` in ``tmp_path``."""
    monkeypatch.chdir(tmp_path)

    def ebbtide(*arguments: str) -> Done:
        monkeypatch.setattr("sys.argv", ["ebbtide", *arguments])
        capfd.readouterr()
        with pytest.raises(SystemExit) as caught:
            main()
        out, err = capfd.readouterr()
        code = caught.value.code
        done = Done(code=code if isinstance(code, int) else 0, out=out, err=err)
        assert "Traceback" not in done.err
        assert len(done.err.splitlines()) < 40
        return done

    return ebbtide


def csv_shop(folder: Path, text: str | bytes, *, name: str = "orders.csv", **expressions: str) -> None:
    write_config(folder)
    config = folder / "ebbtide.toml"
    lines = config.read_text().replace('path = "orders.parquet"', f'path = "{name}"')
    for key, value in expressions.items():
        start = lines.index(f"\n{key} = ") + 1
        lines = lines[:start] + f'{key} = "{value}"' + lines[lines.index("\n", start) :]
    config.write_text(lines)
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())


def test_no_configuration(run: Run) -> None:
    done = run("ingest")
    assert done.code == 2
    assert "run `ebbtide init`" in done.err


def test_unknown_command_and_option(run: Run) -> None:
    assert run("ingets").code == 2
    assert run("score", "--cut-off", "2024-01-01").code == 2


def test_a_missing_file(run: Run, tmp_path: Path) -> None:
    write_config(tmp_path)
    done = run("ingest")
    assert done.code == 1
    assert "orders.parquet does not exist" in done.err


@pytest.mark.parametrize("content", [b"PAR1 this is no parquet file PAR1", b"PAR1", b"\x00" * 100])
def test_an_unreadable_file(run: Run, tmp_path: Path, content: bytes) -> None:
    write_config(tmp_path)
    (tmp_path / "orders.parquet").write_bytes(content)
    done = run("ingest")
    assert done.code == 1
    assert "orders.parquet cannot be read" in done.err
    assert "deliver it again" in done.err


def test_a_truncated_gzip(run: Run, tmp_path: Path) -> None:
    text = "customer,ts,basket,amount\n" + "a,2024-01-01,1,2.5\n" * 1000
    csv_shop(tmp_path, gzip.compress(text.encode())[:-20], name="orders.csv.gz")
    done = run("ingest")
    assert done.code == 1
    assert "cannot be read" in done.err


def test_an_unknown_column(run: Run, tmp_path: Path) -> None:
    csv_shop(tmp_path, "customer,ts,basket,amount\na,2024-01-01,1,2.5\n", amount="amuont", customer_id="custmer")
    done = run("ingest")
    assert done.code == 2
    assert "did you mean 'amount'?" in done.err
    assert "did you mean 'customer'?" in done.err


def test_unparsable_dates_are_put_aside_and_too_many_refuse_the_load(run: Run, tmp_path: Path) -> None:
    good = "".join(f"c{number},2024-01-{1 + number % 28:02d} 10:00:00,{number},2.5\n" for number in range(90))
    csv_shop(tmp_path, "customer,ts,basket,amount\n" + good + "x,01.02.2024 10h,b,1\n" * 3)
    done = run("ingest", "--json")
    assert done.code == 0
    assert json.loads(done.out)["blocks"][0]["quarantined"] == {"event_time_unreadable": 3}
    assert json.loads(done.out)["rows"] == 90
    csv_shop(tmp_path, "customer,ts,basket,amount\n" + good + "x,01.02.2024 10h,b,1\n" * 60)
    done = run("ingest")
    assert done.code == 1
    assert "event_time_unreadable" in done.err
    assert "max_bad_ratio" in done.err


@pytest.mark.parametrize(
    "command", ["check", "retrain", "score", "export", "monitor", "build", "features", "materialize"]
)
def test_an_empty_log(run: Run, tmp_path: Path, command: str) -> None:
    write_orders(tmp_path, [])
    write_config(tmp_path)
    assert run("ingest").code == 0
    done = run(command)
    assert done.code == 1
    assert "the event log is empty" in done.err
    assert "ebbtide ingest" in done.err


def test_a_cutoff_in_the_future(run: Run, tmp_path: Path) -> None:
    write_orders(tmp_path, [("a", 0, 1.0)])
    write_config(tmp_path)
    run("ingest")
    done = run("score", "--cutoff", "2999-01-01")
    assert done.code == 2
    assert "is in the future" in done.err


def test_a_log_that_ended_long_ago_names_the_cutoff_to_use(run: Run, tmp_path: Path) -> None:
    write_orders(tmp_path, [("a", 0, 1.0), ("a", 5.5, 1.0)])
    write_config(tmp_path)
    run("ingest")
    done = run("score")
    assert done.code == 2
    assert "--cutoff 2024-01-07" in done.err


def test_one_class_labels(run: Run, tmp_path: Path) -> None:
    write_orders(tmp_path, [(f"c{customer}", week * 7 + 0.5, 9.0) for customer in range(60) for week in range(30)])
    write_config(tmp_path)
    run("ingest")
    done = run("retrain", *CUTOFF)
    assert done.code == 1
    assert "0 labelled rows with the outcome" in done.err or "rows with the outcome and 0 without" in done.err
    assert "[targets.churn]" in done.err


def test_too_little_history_says_how_much_is_there_and_needed(run: Run, tmp_path: Path) -> None:
    write_orders(tmp_path, [(f"c{customer}", customer % 20 + 0.5, 9.0) for customer in range(300)])
    write_config(tmp_path)
    run("ingest")
    done = run("retrain", "--cutoff", f"{day(21):%Y-%m-%d}")
    assert done.code == 1
    assert "has 20 days of history" in done.err
    assert "at least 35" in done.err


def test_too_few_customers(run: Run, tmp_path: Path) -> None:
    write_orders(tmp_path, random_orders(12, 220))
    write_config(tmp_path)
    run("ingest")
    done = run("retrain", *CUTOFF)
    assert done.code == 1
    assert "labelled rows" in done.err


def test_no_champion_yet(run: Run, tmp_path: Path) -> None:
    write_orders(tmp_path, random_orders(12, 220))
    write_config(tmp_path)
    run("ingest")
    for command in ("score", "export", "monitor"):
        done = run(command, *CUTOFF)
        assert done.code == 1
        assert "run `ebbtide retrain`" in done.err


def test_a_target_and_a_model_that_do_not_exist(run: Run, tmp_path: Path) -> None:
    write_orders(tmp_path, random_orders(12, 220))
    write_config(tmp_path)
    run("ingest")
    done = run("score", *CUTOFF, "--target", "chrun")
    assert done.code == 2
    assert "did you mean 'churn'" in done.err
    assert run("models", "promote", "churn", "1").code == 1
    assert run("models", "rollback", "churn").code == 1


def test_an_occupied_port(run: Run, tmp_path: Path) -> None:
    write_orders(tmp_path, random_orders(12, 220))
    write_config(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("serve", "--port", str(port))
    assert done.code == 1
    assert f"port {port}" in done.err
    assert "--port" in done.err


def test_an_open_address_without_keys(run: Run, tmp_path: Path) -> None:
    write_config(tmp_path)
    done = run("serve", "--host", "0.0.0.0")  # noqa: S104 - it must be refused
    assert done.code == 2
    assert "key" in done.err


def test_a_feed_that_is_late(run: Run, tmp_path: Path) -> None:
    write_orders(tmp_path, random_orders(12, 220))
    write_config(tmp_path, block="max_feed_age_hours = 24")
    run("ingest")
    done = run("score", "--cutoff", f"{day(260):%Y-%m-%d}")
    assert done.code == 3
    assert "late feed: 'orders'" in done.err


def test_a_repeated_customer_in_the_customers_table(run: Run, tmp_path: Path) -> None:
    write_orders(tmp_path, [("a", 0, 1.0)])
    write_config(tmp_path, extra='[customers]\npath = "c.parquet"\ncustomer_id = "id"\nemail = "mail"')
    pq.write_table(pa.table({"id": ["a", "a"], "mail": ["x", "y"]}), tmp_path / "c.parquet")
    done = run("ingest")
    assert done.code == 1
    assert "1 of 2 rows repeat a customer_id" in done.err


@pytest.mark.parametrize("cutoff", ["0001-01-01", "9999-12-31T23:59:59-12:00"])
def test_a_cutoff_at_the_ends_of_the_calendar(run: Run, tmp_path: Path, cutoff: str) -> None:
    write_orders(tmp_path, [("a", 0, 1.0)])
    write_config(tmp_path, timezone="Asia/Shanghai")
    run("ingest")
    done = run("check", "--cutoff", cutoff)
    assert done.code == 2
    assert cutoff in done.err


def test_an_output_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    write_orders(tmp_path, [("a", 0, 1.0)])
    write_config(tmp_path)
    run("ingest")
    (tmp_path / "taken").mkdir()
    done = run("build", "--cutoff", "2024-01-03", "--out", "taken")
    assert done.code == 1
    assert "taken" in done.err


def test_ctrl_c_during_a_query(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise RuntimeError("Query interrupted")

    write_config(tmp_path)
    monkeypatch.setattr("pipelines.ingest.ingest", interrupted)
    done = run("ingest")
    assert done.code == 130
    assert "the same command again" in done.err


def test_json_is_one_document_and_progress_is_not_in_it(run: Run, tmp_path: Path) -> None:
    write_orders(tmp_path, [("a", 0, 1.0)])
    write_config(tmp_path)
    done = run("ingest", "--json")
    assert json.loads(done.out)["rows"] == 1
    assert "ingest orders" in done.err


@pytest.mark.parametrize(
    ("written", "shape", "when"),
    [
        ("09.01.2024 10:11:12", "%d.%m.%Y %H:%M:%S", "2024-01-09 10:11:12"),
        ("09.01.2024", "%d.%m.%Y", "2024-01-09 00:00:00"),
        ("01/09/2024", "%m/%d/%Y", "2024-01-09 00:00:00"),
    ],
)
def test_dates_of_other_forms_are_read_as_the_expression_says(
    run: Run, tmp_path: Path, written: str, shape: str, when: str
) -> None:
    csv_shop(tmp_path, f"customer,ts,basket,amount\na,{written},1,2.5\n", event_time=f"strptime(ts, '{shape}')")
    done = run("ingest", "--json")
    assert (done.code, json.loads(done.out)["rows"]) == (0, 1)
    (segment,) = (tmp_path / "log" / "segments").glob("*.parquet")
    (found,) = pq.read_table(segment, columns=["event_time"])["event_time"].cast(pa.timestamp("us")).to_pylist()
    assert str(found) == when
