"""The file of a project's own features: every mistake at once, then what each command does with it; and the example."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from features.definition import Aggregation, Readout, Where
from features.errors import ConfigError, UsageError
from pipelines.build import build, list_features, log_features
from pipelines.cli import main
from pipelines.ingest import ingest
from pipelines.own_features import parse_own_features, read_own_features
from pipelines.parity import parity
from pipelines.workspace import Workspace, open_workspace
from tests.pipelines.builders import day, shop
from training.reason_groups import group_of
from training.reason_sentences import Facts, sentence
from training.reason_texts import TEXTS

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "own-features"
CUTOFF = "2024-03-28"
APP_SHARE = "table_booked_device_app_share_28d"
GUESTS = "table_booked_quantity_sum_per_line_count_91d"
UNANSWERED = "table_booked_days_since_unanswered_by_purchase"
ORDERS = [("a", 0, 5.0), ("a", 3, 5.0), ("b", 9.5, 7.0)]
LINES = 'bases = [{ aggregation = "lines", event_type = "purchase", window_days = 5 }]'
VALUE = '[[feature]]\nfamily = "frequency"\nreadout = "value"\n'


class Ran(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command on a project as a shell would."""

    def command(folder: Path, *arguments: str) -> Ran:
        monkeypatch.setattr("sys.argv", ["ebbtide", *arguments, "--config", str(folder / "ebbtide.toml")])
        with pytest.raises(SystemExit) as caught:
            main()
        text = capsys.readouterr()
        return Ran(int(caught.value.code or 0), text.out, text.err)

    return command


@pytest.fixture
def example(tmp_path: Path) -> Path:
    folder = tmp_path / "example"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("out"))
    return folder


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        parse_own_features(text)
    assert caught.value.exit_code == 2
    return caught.value.problems


def own_shop(folder: Path, text: str, *, name: str = "own.toml") -> Workspace:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return shop(folder, ORDERS, now=day(20), extra=f'[features]\nfile = "{name}"')


def test_a_row_says_what_the_grammar_says() -> None:
    own = read_own_features(EXAMPLE / "features.toml")
    assert own.event_types == ("table_booked", "gift_wrapped", "cooking_class")
    assert [feature.name for feature in own.features] == [APP_SHARE, GUESTS, UNANSWERED, "cooking_class_count_91d"]
    share = own.features[0]
    assert share.readout is Readout.RATIO
    assert share.bases[0].where == Where(field="device", value="app")
    assert [(base.aggregation, base.event_type, base.window_days) for base in share.bases] == [
        (Aggregation.LINES, "table_booked", 28)
    ] * 2
    season = parse_own_features('[[feature]]\nfamily="season"\nreadout="day_of_year"\nbases=[]\nparameters=[7]')
    assert season.features[0].name == "day_of_year_ahead_7d"
    every = parse_own_features(f'{VALUE}bases = [{{ aggregation = "count" }}]').features[0]
    assert every.name == "event_count_lifetime"


def test_all_mistakes_are_reported_at_once_each_with_place_found_expected_and_the_nearest() -> None:
    text = """
event_types = ["gift", "gift"]
evnt_types = []
[[feature]]
family = "engagment"
readout = "ratoi"
bases = [{ aggregation = "lines", event_typ = "view", window_days = 28 }]
[[feature]]
family = "social"
readout = "value"
bases = [{ aggregation = "lines", event_type = "view", window_days = "28", where = { field = "devise", value = "a" } }]
[[feature]]
family = "social"
readout = "value"
bases = [
  { aggregation = "count", event_type = "view", window_days = 500 },
  { aggregation = "sum", event_type = "view", field = "amuont" },
]
[[feature]]
family = "social"
readout = "ratio"
bases = [{ aggregation = "last", event_type = "view" }]
windw = 3
[[feature]]
readout = "value"
bases = "all"
[[feature]]
family = "social"
readout = "ratio"
bases = [{ aggregation = "last", event_type = "view" }]
"""
    assert set(problems(text)) == {
        "event_types: 'gift': listed twice",
        "evnt_types: unknown key; did you mean 'event_types'?",
        "[[feature]] number 1 family: there is no family 'engagment'; did you mean 'engagement'?",
        "[[feature]] number 1 readout: there is no readout 'ratoi'; did you mean 'ratio'?",
        "[[feature]] number 1, base number 1 event_typ: unknown key; did you mean 'event_type'?",
        "[[feature]] number 2, base number 1 window_days: found '28'; input should be a valid integer",
        (
            "[[feature]] number 2, base number 1 where.field: there is no column to filter by 'devise'; "
            "did you mean 'device'?"
        ),
        "[[feature]] number 3, base number 1: a window of 500 days; expected 1 to 400 days",
        (
            "[[feature]] number 3, base number 2: the field 'amuont' does not fit the aggregation sum; expected one "
            "of amount, discount, quantity, value, rating, duration_seconds. To mend it: did you mean 'amount'?."
        ),
        "[[feature]] number 4 windw: unknown key; known: 'bases', 'family', 'parameters', 'readout'",
        "[[feature]] number 5 family: missing",
        "[[feature]] number 5 bases: expected a list",
        "[[feature]] number 6: the readout ratio was given last; expected a number, a number",
    }


def test_other_shapes_and_names_that_are_taken() -> None:
    assert problems("[feature]\nfamily = 'social'") == ("[[feature]]: expected [[feature]], in double brackets",)
    assert problems("feature = [3]") == ("[[feature]] number 1: expected a table",)
    assert problems("event_types = 'gift'") == ("event_types: expected a list",)
    assert problems("event_types = ['']") == ("event_types.0: found ''; string should have at least 1 character",)
    assert "not TOML" in problems("[[feature]")[0]
    assert problems(f"{VALUE}{LINES}\n{VALUE.replace('frequency', 'social')}{LINES}") == (
        "[[feature]] number 2 is purchase_line_count_5d, as number 1 is",
    )


def test_a_file_that_is_not_there_or_not_text_is_refused_when_the_project_is_opened(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no file .*own\.toml, which \[features\] file names"):
        shop(tmp_path, ORDERS, now=day(20), extra='[features]\nfile = "own.toml"')
    (tmp_path / "own.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="expected a UTF-8 text file"):
        open_workspace(tmp_path / "ebbtide.toml")


def test_a_project_without_the_file_or_with_an_empty_one_is_what_it_was(tmp_path: Path) -> None:
    plain, empty = shop(tmp_path / "plain", ORDERS, now=day(20)), own_shop(tmp_path / "empty", "")
    found = []
    for workspace in (plain, empty):
        ingest(workspace)
        found.append(list_features(workspace))
    assert found[0] == found[1]
    assert (found[0].left_out, found[0].warnings) == ((), ())
    own = own_shop(tmp_path / "empty", f"{VALUE}{LINES}")
    listed = list_features(own)
    assert [feature.name for feature in listed.features] == [
        *(feature.name for feature in found[0].features),
        "purchase_line_count_5d",
    ]
    assert listed.fingerprint != found[0].fingerprint


def test_a_feature_of_an_unknown_event_type_stops_every_command_that_computes(tmp_path: Path, run: Run) -> None:
    workspace = own_shop(tmp_path, f"{VALUE}{LINES.replace('purchase', 'purchas')}")
    assert ingest(workspace).accepted == 3
    for command in ("features", "build", "check", "retrain"):
        given = () if command == "features" else ("--cutoff", "2024-01-12")
        ran = run(tmp_path, command, *given)
        assert ran.code == 2, command
        assert "the event type 'purchas' is neither built in, nor declared" in ran.err
        assert "did you mean 'purchase'?" in ran.err
        assert ran.out == ""
    assert not (tmp_path / "features").exists()


def test_undeclared_event_types_of_the_log_are_kept_and_told(tmp_path: Path, run: Run) -> None:
    (tmp_path / "own.toml").write_text('event_types = ["purchased"]')
    said: list[str] = []
    made = shop(
        tmp_path,
        ORDERS,
        now=day(20),
        block='\n[[events]]\nname = "gifts"\npath = "orders.parquet"\nevent_type = "\'purchasd\'"\n'
        'customer_id = "customer"\nevent_time = "ts"',
        extra='[features]\nfile = "own.toml"',
    )
    workspace = open_workspace(tmp_path / "ebbtide.toml", clock=made.clock, say=said.append)
    assert ingest(workspace).accepted == 6
    path = tmp_path / "own.toml"
    told = f"the log has 'purchasd' events, which are neither built in nor declared in {path}"
    assert [line for line in said if "warning" in line] == [f"warning: {told}; did you mean 'purchased' or 'purchase'?"]
    warning = f"{told}; did you mean 'purchased' or 'purchase'?"
    assert f"warning: {warning}" in run(tmp_path, "features").out.splitlines()
    assert json.loads(run(tmp_path, "features", "--json").out)["warnings"] == [warning]


def test_the_example_end_to_end(example: Path, run: Run) -> None:
    assert run(example, "ingest").code == 0
    shown = run(example, "features")
    assert shown.code == 0
    *_, out, total = shown.out.splitlines()
    assert out == "left out cooking_class_count_91d: the log has no 'cooking_class' events"
    listed = json.loads(run(example, "features", "--json").out)
    assert total == f"{len(listed['features'])} features, fingerprint {listed['fingerprint'][:12]}"
    assert listed["left_out"] == [
        {"name": "cooking_class_count_91d", "reason": "the log has no 'cooking_class' events"}
    ]
    names = [one["name"] for one in listed["features"]]
    assert names[-3:] == [UNANSWERED, APP_SHARE, GUESTS]
    assert {"table_booked_count_28d", "days_since_last_gift_wrapped"} <= set(names), "the general features"
    assert run(example, "build", "--cutoff", CUTOFF).code == 0
    assert (example / "out" / "features" / f"features-{CUTOFF}.parquet").exists()


def test_the_examples_values_are_those_worked_out_by_hand_and_the_states_agree(example: Path) -> None:
    workspace = open_workspace(example / "ebbtide.toml", clock=lambda: datetime(2024, 4, 2, tzinfo=UTC))
    ingest(workspace)
    frame = build(workspace, cutoff=CUTOFF).frame()[[APP_SHARE, GUESTS, UNANSWERED]]
    # ada: 28 days hold the bookings of March 5 (app), 12 (app) and 20 (web), not the one at the cutoff itself;
    # 91 days hold 2 + 4 + 3 + 6 guests in 4 bookings; nothing was bought since March 20, 10:30.
    assert frame.loc["ada"].tolist() == [np.float32(2 / 3), 3.75, 7 + 13.5 / 24]
    # ben: one booking of two, in January, and a purchase after it.
    assert math.isnan(frame.loc["ben", APP_SHARE])
    assert frame.loc["ben", GUESTS] == 2
    assert math.isnan(frame.loc["ben", UNANSWERED])
    report = parity(workspace, cutoffs=[CUTOFF, "2024-03-06"], count=None)
    assert report.ok
    assert report.tally.pairs == 6
    assert report.features == len(list_features(workspace).features)


def test_own_features_have_reasons_in_words(example: Path) -> None:
    workspace = open_workspace(example / "ebbtide.toml", clock=lambda: datetime(2024, 4, 2, tzinfo=UTC))
    ingest(workspace)
    features = log_features(workspace, workspace.snapshot()).features[-3:]
    row = np.array([7.5625, 2 / 3, 3.75], dtype=np.float32)
    for language, texts in TEXTS.items():
        facts = Facts(features, row, texts, "USD")
        said = [sentence(facts, group_of(feature), position) for position, feature in enumerate(features)]
        assert len(set(said)) == 3, language
        assert all(said)
        if language == "en":
            assert said[0] == "Last table booked 7 days ago, with no purchase since"
            assert "67%" in said[1].replace(" ", "")
            assert "3.75" in said[2]
