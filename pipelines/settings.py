"""``ebbtide.toml``: what may stand in it, what each key means, and every mistake in it at once.

``docs/config.md`` is generated from the models below, so a field's description is its documentation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import Field, create_model, field_validator, model_validator

from features.errors import did_you_mean
from features.events import COLUMNS, REQUIRED_COLUMNS
from pipelines.settings_features import FeaturesSettings
from pipelines.settings_machine import EngineSettings, StoreSettings, TrackingSettings
from pipelines.settings_strict import Strict as _Strict

__all__ = [
    "CustomersSettings",
    "EngineSettings",
    "EventsSettings",
    "ExportSettings",
    "FeaturesSettings",
    "MonitorSettings",
    "ProjectSettings",
    "RetrainSettings",
    "ServingSettings",
    "Settings",
    "StoreSettings",
    "TargetSettings",
    "TrackingSettings",
]

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Expression = Annotated[str, Field(min_length=1)]


class ProjectSettings(_Strict):
    """What the project is and where it lives."""

    name: Name = Field(description="Name of the project: lower case, digits, `-` and `_`.")
    timezone: str = Field(description="IANA time zone of the shop; naive times and local days are read in it.")
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$", description="ISO 4217 code of the one currency.")
    home: str = Field(default=".", description="Folder of log, state, models and outputs, relative to this file.")
    settle_hours: float = Field(
        default=6,
        ge=0,
        le=24 * 31,
        description="Hours after a cutoff within which an event may still arrive late.",
    )

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"there is no time zone {name!r}; expected an IANA name such as 'Europe/Berlin'")
        return name


class EventsBase(_Strict):
    """One raw table that is mapped into the event log."""

    name: Name = Field(description="Name of the block; part of every derived `event_id`.")
    path: str | None = Field(
        default=None, description="File or glob: Parquet, CSV, CSV.gz or JSON lines, relative to this file."
    )
    query: str | None = Field(default=None, description="`select …` over local files, instead of `path`.")
    where: str | None = Field(default=None, description="SQL condition; rows that do not meet it are not read.")
    dedupe: Literal["none", "rows"] = Field(
        default="none",
        description='`"rows"` keeps one of each set of identical rows; by default all are events.',
    )
    max_bad_ratio: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="A load with a larger share of quarantined rows is not published.",
    )
    max_feed_age_hours: float | None = Field(
        default=None,
        gt=0,
        description="`score` and `export` refuse when the newest event is older than this.",
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.path is not None and self.query is not None:
            raise ValueError("path and query are both given; expected one of them")
        return self

    @property
    def expressions(self) -> dict[str, str]:
        """Log column → SQL expression over the raw table, for every column that is mapped."""
        mapped = {column.name: getattr(self, column.name) for column in COLUMNS}
        return {name: expression for name, expression in mapped.items() if expression is not None}


def _key(name: str, description: str) -> tuple[object, object]:
    if name in REQUIRED_COLUMNS:
        return Expression, Field(description=description)
    return Expression | None, Field(default=None, description=description)


if TYPE_CHECKING:
    EventsSettings = EventsBase
else:  # one key for every column of the event log, so that the contract in features.events stays the only list of them
    EventsSettings = create_model(
        "EventsSettings",
        __base__=EventsBase,
        __doc__="One raw table and how it becomes events; right-hand sides are SQL expressions over its columns.",
        **{column.name: _key(column.name, column.description) for column in COLUMNS},
    )


class CustomersSettings(_Strict):
    """The optional table of customers."""

    path: str | None = Field(default=None, description="File or glob, relative to this file.")
    query: str | None = Field(default=None, description="`select …` over local files, instead of `path`.")
    customer_id: Expression = Field(
        description="SQL expression of the customer's id; one row a customer, or one a customer and `valid_from`."
    )
    valid_from: Expression | None = Field(
        default=None,
        description="When a row begins to be true, until the customer's next one; then every attribute is a feature.",
    )
    signed_up_at: Expression | None = Field(default=None, description="When the customer signed up.")
    email: Expression | None = Field(default=None, description="E-mail address.")
    phone: Expression | None = Field(default=None, description="Phone number.")
    email_opt_in: Expression | None = Field(default=None, description="Whether e-mail is allowed.")
    sms_opt_in: Expression | None = Field(default=None, description="Whether SMS is allowed.")
    push_opt_in: Expression | None = Field(default=None, description="Whether push messages are allowed.")
    wecom_opt_in: Expression | None = Field(default=None, description="Whether WeCom messages are allowed.")
    consent_at: Expression | None = Field(default=None, description="When consent was given.")
    locale: Expression | None = Field(default=None, description="Language and region, such as `de-DE`.")
    birthday: Expression | None = Field(default=None, description="Birthday.")
    attributes: dict[str, Expression] = Field(
        default_factory=dict,
        description="Further columns to keep, name = SQL expression; all others are left where they are.",
    )
    static: list[str] = Field(
        default_factory=list,
        description="Without `valid_from`: attributes that never change and are features as they are at every cutoff.",
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.path is None) == (self.query is None):
            raise ValueError("expected exactly one of path and query")
        names = [name.casefold() for name in (*type(self).model_fields, *self.attributes)]
        if twice := sorted({name for name in self.attributes if names.count(name.casefold()) > 1}):
            raise ValueError(f"attributes: {', '.join(twice)}: there is another column of this name; rename it")
        return self

    @model_validator(mode="after")
    def _static_attributes(self) -> Self:
        if self.static and self.valid_from is not None:
            raise ValueError("static and valid_from are both given; with valid_from every attribute is a feature")
        for name in self.static:
            if name not in self.attributes:
                raise ValueError(f"static: there is no attribute {name!r}; {did_you_mean(name, self.attributes)}")
        return self

    @property
    def feature_attributes(self) -> tuple[str, ...]:
        """Attributes that become features: all of a table with dates, else those that never change."""
        return tuple(self.attributes if self.valid_from is not None else dict.fromkeys(self.static))

    @property
    def expressions(self) -> dict[str, str]:
        """Column → SQL expression over the raw table, for every column that is kept."""
        skipped = {"path", "query", "attributes", "static"}
        named = {name: getattr(self, name) for name in type(self).model_fields if name not in skipped}
        return {name: text for name, text in named.items() if text is not None} | self.attributes


class TargetSettings(_Strict):
    """What to predict, for whom, over which days."""

    kind: Literal["churn", "conversion", "value"] = Field(
        description="`churn`: no qualifying event in the horizon; `conversion`: at least one; `value`: money spent."
    )
    event_types: Annotated[list[str], Field(min_length=1)] = Field(
        default=["purchase"], description="Qualifying events."
    )
    eligible_event_types: list[str] | None = Field(
        default=None, description="Events that make a customer eligible; `event_types` if not given."
    )
    active_within_days: int = Field(
        gt=0, le=400, description="Eligible: an eligible event at most this many days before the cutoff."
    )
    inactive_for_days: int | None = Field(
        default=None,
        gt=0,
        le=400,
        description="Eligible: the last eligible event at least this long ago (win-back).",
    )
    gap_days: int = Field(default=0, ge=0, le=365, description="Days to act between the cutoff and the horizon.")
    horizon_days: int = Field(gt=0, le=730, description="Length of the predicted window, days.")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.inactive_for_days is not None and self.inactive_for_days >= self.active_within_days:
            raise ValueError(
                f"inactive_for_days = {self.inactive_for_days} leaves nobody eligible with active_within_days = "
                f"{self.active_within_days}; expected a smaller inactive_for_days"
            )
        if self.kind == "churn" and self.inactive_for_days is not None:
            raise ValueError("inactive_for_days is for win-back (kind = 'conversion'); churn is scored for the active")
        return self


class RetrainSettings(_Strict):
    """How models are trained."""

    seed: int = Field(default=7, ge=0, description="Seed of everything random in training.")
    max_cutoffs: int = Field(default=60, ge=3, le=500, description="Most cutoffs in a training panel.")
    parity_pairs: int = Field(
        default=200,
        ge=0,
        le=100_000,
        description="Pairs of customer and cutoff that are replayed and compared bit for bit before training; 0: none.",
    )
    panel_memory_mb: int = Field(
        default=1024,
        ge=0,
        description="More MiB of panel values than this are kept in a file under home; the models are the same.",
    )


class ServingSettings(_Strict):
    """The HTTP service."""

    host: str = Field(default="127.0.0.1", description="Address to bind; any but localhost needs `keys_file`.")
    port: int = Field(default=3000, ge=1, le=65535, description="Port to bind.")
    workers: int = Field(default=1, ge=1, le=64, description="Worker processes.")
    keys_file: str | None = Field(
        default=None,
        description="File of API keys, one a line, relative to this file; without it no key is asked for.",
    )


class MonitorSettings(_Strict):
    """When a drift verdict fires."""

    min_rows: int = Field(default=200, ge=20, description="Fewer scored customers than this are too few to tell.")


class ExportSettings(_Strict):
    """Who goes into the CRM export."""

    bands: list[Literal["low", "medium", "high"]] = Field(
        default=["high"], min_length=1, description="Customers of these bands are exported."
    )
    reasons: int = Field(default=3, ge=0, le=3, description="Most reasons a customer.")


class Settings(_Strict):
    """The whole file."""

    project: ProjectSettings
    events: Annotated[list[EventsSettings], Field(min_length=1)]
    customers: CustomersSettings | None = None
    targets: dict[Name, TargetSettings] = Field(default_factory=dict)
    features: FeaturesSettings = FeaturesSettings()
    store: StoreSettings = StoreSettings()
    tracking: TrackingSettings = TrackingSettings()
    engine: EngineSettings = EngineSettings()
    retrain: RetrainSettings = RetrainSettings()
    serving: ServingSettings = ServingSettings()
    monitor: MonitorSettings = MonitorSettings()
    export: ExportSettings = ExportSettings()

    @model_validator(mode="after")
    def _distinct_blocks(self) -> Self:
        names = [block.name for block in self.events]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two [[events]] blocks are named {twice[0]!r}; expected distinct names")
        if "live" in names:
            raise ValueError("an [[events]] block is named 'live'; that name is kept for what POST /v1/events received")
        return self
