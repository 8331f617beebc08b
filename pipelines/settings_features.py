"""``[features]``, and the file it names: a project's own event types and features, in the words of the catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from features.definition import Aggregation, Family, Feature, Readout, feature_from_dict
from features.errors import UsageError, did_you_mean
from features.events import FILTERS
from features.grammar import base_from_dict
from pipelines.settings_strict import Strict

__all__ = ["BaseRow", "FeatureRow", "FeaturesFile", "FeaturesSettings", "WhereRow"]

Text = Annotated[str, Field(min_length=1)]


class FeaturesSettings(Strict):
    """Event types and features of the project's own."""

    file: str | None = Field(
        default=None,
        description="File of the project's own event types and features, relative to this file; see docs/data.md.",
    )


class WhereRow(Strict):
    """Only rows whose column has a value."""

    field: str
    value: Text

    @field_validator("field")
    @classmethod
    def _known(cls, word: str) -> str:
        return _word("column to filter by", word, FILTERS)


class BaseRow(Strict):
    """One base aggregate, as :meth:`features.grammar.Base.to_dict` writes it."""

    aggregation: str
    event_type: Text | None = None
    field: Text | None = None
    window_days: int | None = None
    where: WhereRow | None = None
    last_lines: int | None = None
    value: Text | None = None

    @field_validator("aggregation")
    @classmethod
    def _known(cls, word: str) -> str:
        return _word("aggregation", word, Aggregation)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        try:
            base_from_dict(self.model_dump(exclude_none=True))
        except UsageError as error:
            raise ValueError(str(error)) from error
        return self


class FeatureRow(Strict):
    """One feature, as :meth:`features.definition.Feature.to_dict` writes it."""

    family: str
    readout: str
    bases: list[BaseRow]
    parameters: list[float] = Field(default_factory=list)

    @field_validator("family")
    @classmethod
    def _known_family(cls, word: str) -> str:
        return _word("family", word, Family)

    @field_validator("readout")
    @classmethod
    def _known_readout(cls, word: str) -> str:
        return _word("readout", word, Readout)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        try:
            self.feature()
        except UsageError as error:
            raise ValueError(str(error)) from error
        return self

    def feature(self) -> Feature:
        """What the row says."""
        return feature_from_dict(self.model_dump(exclude_none=True))


class FeaturesFile(Strict):
    """The whole file."""

    event_types: list[Text] = Field(default_factory=list)
    feature: list[FeatureRow] = Field(default_factory=list)

    @field_validator("event_types")
    @classmethod
    def _distinct(cls, names: list[str]) -> list[str]:
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{', '.join(map(repr, twice))}: listed twice")
        return names

    @model_validator(mode="after")
    def _distinct_features(self) -> Self:
        first: dict[str, int] = {}
        twice = []
        for number, row in enumerate(self.feature, 1):
            name = row.feature().name
            if first.setdefault(name, number) != number:
                twice.append(f"[[feature]] number {number} is {name}, as number {first[name]} is")
        if twice:
            raise ValueError("; ".join(twice))
        return self


def _word(what: str, word: str, known: Iterable[str]) -> str:
    words = [str(one) for one in known]
    if word not in words:
        raise ValueError(f"there is no {what} {word!r}; {did_you_mean(word, words)}")
    return word
