from __future__ import annotations

from pathlib import Path

import pytest

from features.errors import ConfigError, UsageError
from features.events import COLUMNS
from pipelines.config import parse_settings, read_settings

MINIMAL = """
[project]
name = "shop"
timezone = "Europe/Berlin"
[[events]]
name = "orders"
path = "orders.csv"
customer_id = "c"
event_time = "t"
event_type = "'purchase'"
[targets.churn]
kind = "churn"
active_within_days = 60
horizon_days = 28
"""


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        parse_settings(text)
    assert caught.value.exit_code == 2
    return caught.value.problems


def test_defaults_are_those_of_the_design() -> None:
    settings = parse_settings(MINIMAL)
    assert settings.project.settle_hours == 6
    assert settings.project.home == "."
    assert settings.store.url == "embedded:state"
    assert settings.tracking.uri == "sqlite:///mlruns/mlflow.db"
    assert settings.engine.name == "duckdb"
    assert settings.targets["churn"].event_types == ["purchase"]
    assert settings.targets["churn"].gap_days == 0


def test_every_column_of_the_log_is_a_key_of_a_block() -> None:
    extra = "\n".join(
        f'{column.name} = "x_{column.name}"'
        for column in COLUMNS
        if column.name not in {"customer_id", "event_time", "event_type"}
    )
    block = parse_settings(
        MINIMAL.replace("event_type = \"'purchase'\"", f"event_type = \"'purchase'\"\n{extra}")
    ).events[0]
    assert set(block.expressions) == {column.name for column in COLUMNS}
    assert block.expressions["duration_seconds"] == "x_duration_seconds"


def test_all_mistakes_are_reported_at_once_each_with_the_nearest_key() -> None:
    text = (
        MINIMAL.replace("timezone", "timezon")
        .replace("event_time =", "event_tme =")
        .replace('kind = "churn"', 'kind = "chrn"')
        .replace("horizon_days = 28", "horizon_days = 0\nactive_within = 3")
        + "[servin]\nport = 1\n"
    )
    found = problems(text)
    assert found == (
        "[project] timezone: missing",
        "[project] timezon: unknown key; did you mean 'timezone'?",
        "[[events]] 'orders' event_time: missing",
        "[[events]] 'orders' event_tme: unknown key; did you mean 'event_time' or 'event_type' or 'event_id'?",
        "[targets.churn] kind: found 'chrn'; input should be 'churn', 'conversion' or 'value'",
        "[targets.churn] horizon_days: found 0; input should be greater than 0",
        "[targets.churn] active_within: unknown key; did you mean 'active_within_days'?",
        "[servin]: unknown key; did you mean 'serving'?",
    )


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("Europe/Berlin", "Mars/Base", "[project] timezone: there is no time zone 'Mars/Base'"),
        ("horizon_days = 28", 'horizon_days = "28"', "[targets.churn] horizon_days: found '28'"),
        ("horizon_days = 28", "horizon_days = true", "[targets.churn] horizon_days: found True"),
        ("active_within_days = 60", "active_within_days = nan", "[targets.churn] active_within_days: found nan"),
        ('path = "orders.csv"', 'path = "a"\nquery = "select 1"', "path and query are both given"),
        ('name = "orders"', 'name = "live"', "an [[events]] block is named 'live'"),
        ("[targets.churn]", "[targets.Churn]", "the name 'Churn' may hold only a-z"),
        ("horizon_days = 28", "horizon_days = 28\ninactive_for_days = 30", "inactive_for_days is for win-back"),
    ],
)
def test_impossible_values(old: str, new: str, expected: str) -> None:
    (problem,) = problems(MINIMAL.replace(old, new))
    assert expected in problem


def test_winback_that_leaves_nobody() -> None:
    text = MINIMAL.replace('kind = "churn"', 'kind = "conversion"\ninactive_for_days = 60')
    (problem,) = problems(text)
    assert "leaves nobody eligible" in problem


def test_two_blocks_of_one_name() -> None:
    block = MINIMAL[MINIMAL.index("[[events]]") : MINIMAL.index("[targets")]
    (problem,) = problems(MINIMAL + block)
    assert "two [[events]] blocks are named 'orders'" in problem


def test_text_that_is_no_toml_says_where() -> None:
    (problem,) = problems("[project\nname = 1")
    assert problem.startswith("not TOML: ")
    assert "line 1" in problem


def test_a_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="run `ebbtide init`") as caught:
        read_settings(tmp_path / "ebbtide.toml")
    assert caught.value.exit_code == 2


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "ebbtide.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="UTF-8"):
        read_settings(path)


def test_a_file_from_an_editor_that_marks_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "ebbtide.toml"
    path.write_text(MINIMAL, encoding="utf-8-sig")
    assert read_settings(path).project.name == "shop"


def test_single_brackets_and_wrong_shapes_say_what_to_write() -> None:
    assert problems(MINIMAL.replace("[[events]]", "[events]")) == (
        "[[events]]: expected [[events]], in double brackets",
    )
    table = MINIMAL.replace("[targets.churn]", "[[targets.churn]]")
    assert problems(table) == ("[targets.churn]: expected one table, [targets.churn]",)


def test_an_attribute_cannot_take_the_place_of_a_column() -> None:
    extra = '[customers]\npath = "c.csv"\ncustomer_id = "id"\nattributes = { Customer_ID = "x", age = "a" }\n'
    assert "attributes: Customer_ID: there is another column" in problems(MINIMAL + extra)[0]


def test_static_names_attributes_of_a_table_without_dates() -> None:
    table = '[customers]\npath = "c.csv"\ncustomer_id = "id"\nbirthday = "b"\nattributes = { age = "a", tier = "t" }\n'
    customers = parse_settings(MINIMAL + table + 'static = ["tier"]\n').customers
    assert customers is not None
    assert customers.feature_attributes == ("tier",)
    assert problems(MINIMAL + table + 'static = ["teir"]\n') == (
        "[customers]: static: there is no attribute 'teir'; did you mean 'tier'?",
    )
    assert "there is no attribute 'birthday'" in problems(MINIMAL + table + 'static = ["birthday"]\n')[0]
    dated = table + 'valid_from = "since"\n'
    customers = parse_settings(MINIMAL + dated).customers
    assert customers is not None
    assert customers.feature_attributes == ("age", "tier")
    assert "static and valid_from are both given" in problems(MINIMAL + dated + 'static = ["age"]\n')[0]
