"""A project's own features beside the catalogue's: which of them a log can have, and why the others are left out.

Left out is never an error, as a family of the catalogue vanishes without its events: a log that loses a column must not
stop the nightly run. An event type that nobody knows is one, because it is a slip of the pen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from features.catalogue.traits import MAX_LENGTH, MAX_VALUES, TypeTraits
from features.definition import Aggregation, Base, Feature
from features.errors import ConfigError, close_names
from features.events import EVENT_TYPES
from features.nouns import an

__all__ = ["LeftOut", "OwnFeatures", "ProjectFeatures", "undeclared", "with_own"]

_Types: TypeAlias = Mapping[str, TypeTraits]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnFeatures:
    """What a project adds to the catalogue.

    Parameters
    ----------
    source : str
        File it was read from, for messages.
    event_types : tuple of str
        Event types the project has beside the built-in ones.
    features : tuple of Feature
        Of distinct names.
    """

    source: str = ""
    event_types: tuple[str, ...] = ()
    features: tuple[Feature, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """One of the project's own features that its log cannot have, or need not have twice."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFeatures:
    """The features of a project's log, and those of its own that were left out."""

    features: tuple[Feature, ...]
    left_out: tuple[LeftOut, ...] = ()


def with_own(listed: Sequence[Feature], own: OwnFeatures, types: _Types) -> ProjectFeatures:
    """Put a project's own features behind those of the catalogue.

    Parameters
    ----------
    listed : sequence of Feature
        The catalogue's.
    own : OwnFeatures
        The project's.
    types : mapping of str to TypeTraits
        The log's event types and what their rows carry.

    Returns
    -------
    ProjectFeatures
        The project's own by name, so that the order of their file changes no fingerprint. One that the catalogue has,
        too, stays the catalogue's.

    Raises
    ------
    ConfigError
        If a feature names an event type that is neither built in nor declared nor in the log; all such are listed.

    Examples
    --------
    >>> from features.definition import Family, Readout
    >>> count = Base(aggregation=Aggregation.LINES, event_type="gift_wrapped", window_days=28)
    >>> gifts = Feature(readout=Readout.VALUE, bases=(count,), family=Family.FREQUENCY)
    >>> own = OwnFeatures(event_types=("gift_wrapped",), features=(gifts,))
    >>> with_own((), own, {"purchase": TypeTraits()}).left_out[0].reason
    "the log has no 'gift_wrapped' events"
    """
    _refuse_unknown(own, types)
    names = {feature.name: feature for feature in listed}
    attributes = {
        (base.field, base.value is None)
        for feature in listed
        for base in feature.bases
        if base.aggregation is Aggregation.ATTRIBUTE
    }
    kept, left_out = [], []
    for feature in sorted(own.features, key=lambda one: one.name):
        reason = _twice(feature, names) or next(
            (lack for base in feature.bases if (lack := _lack(base, types) or _no_attribute(base, attributes))), ""
        )
        if reason:
            left_out.append(LeftOut(name=feature.name, reason=reason))
        else:
            kept.append(feature)
    return ProjectFeatures(features=(*listed, *kept), left_out=tuple(left_out))


def undeclared(own: OwnFeatures, event_types: Sequence[str]) -> Iterator[str]:
    """A sentence about each of a log's event types that is neither built in nor declared, if the project declares any.

    Examples
    --------
    >>> list(undeclared(OwnFeatures(source="f.toml", event_types=("gift",)), ["view", "gitf"]))
    ["the log has 'gitf' events, which are neither built in nor declared in f.toml; did you mean 'gift'?"]
    """
    known = {*EVENT_TYPES, *own.event_types}
    for name in sorted(set(event_types) - known) if own.event_types else ():
        close = close_names(name, known)
        sentence = f"the log has {name!r} events, which are neither built in nor declared in {own.source}"
        yield f"{sentence}; {close}" if close else sentence


def _refuse_unknown(own: OwnFeatures, types: _Types) -> None:
    known = {*EVENT_TYPES, *own.event_types, *types}
    problems = []
    for feature in own.features:
        for name in sorted({base.event_type for base in feature.bases if base.event_type is not None} - known):
            mend = close_names(name, known) or "declare it in event_types if it is yours"
            found = f"the event type {name!r} is neither built in, nor declared in event_types, nor in the log"
            problems.append(f"feature {feature.name}: {found}; {mend}")
    if problems:
        raise ConfigError(own.source, problems)


def _twice(feature: Feature, names: Mapping[str, Feature]) -> str:
    other = names.get(feature.name)
    if other is None:
        return ""
    same = (other.readout, other.bases, other.parameters) == (feature.readout, feature.bases, feature.parameters)
    return "the catalogue has it already" if same else "the catalogue has another feature of this name"


def _lack(base: Base, types: _Types) -> str:
    """What the log lacks for a base aggregate; empty if nothing."""
    if base.aggregation is Aggregation.ATTRIBUTE:
        return ""
    if base.event_type is not None and base.event_type not in types:
        return f"the log has no {base.event_type!r} events"
    traits = list(types.values()) if base.event_type is None else [types[base.event_type]]
    rows = "event" if base.event_type is None else f"{base.event_type!r} event"
    looked_for = {base.field: base.value} if base.field is not None else {}
    if base.where is not None:
        looked_for[base.where.field] = base.where.value
    for field, value in looked_for.items():
        if not any(field in of.fields for of in traits):
            return f"no {rows} of the log has {an(field)}"
        if value is not None and not any(_may_have(of, field, value) for of in traits):
            known = sorted({text for of in traits for text in of.values.get(field, ())})
            close = close_names(value, known)
            return f"no {rows} of the log has the {field} {value!r}" + (f"; {close}" if close else "")
    return ""


def _may_have(traits: TypeTraits, field: str, value: str) -> bool:
    """Whether a row may have the value: a log knows all of a column's values as long as they are few and short."""
    values = traits.values.get(field, ())
    return value in values or len(values) >= MAX_VALUES or len(value) > MAX_LENGTH


def _no_attribute(base: Base, attributes: set[tuple[str | None, bool]]) -> str:
    if base.aggregation is not Aggregation.ATTRIBUTE or (base.field, base.value is None) in attributes:
        return ""
    kind = "number" if base.value is None else "text"
    names = sorted({str(name) for name, is_number in attributes if is_number == (base.value is None)})
    close = close_names(str(base.field), names)
    return f"no attribute {base.field!r} that is a {kind} is among the features" + (f"; {close}" if close else "")
