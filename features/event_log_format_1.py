"""Manifests of format 1, which counted only the amounts, discounts and orders of an event type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

__all__ = ["fields_by_segment"]

_FIELDS: Final = {"amount": "amounts", "discount": "discounts", "order_id": "orders"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Type:
    amounts: int
    discounts: int
    orders: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stats:
    types: dict[str, _Type]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Segment:
    stats: _Stats


@dataclass(frozen=True, slots=True, kw_only=True)
class _Manifest:
    segments: tuple[_Segment, ...]


def fields_by_segment(content: bytes) -> tuple[dict[str, tuple[str, ...]], ...]:
    """Fields that each segment's event types are known to have: those that were counted.

    Raises
    ------
    msgspec.DecodeError
        If the content is no manifest of format 1.
    """
    manifest = msgspec.json.decode(content, type=_Manifest)
    return tuple(
        {
            name: tuple(field for field, counter in _FIELDS.items() if getattr(of, counter))
            for name, of in segment.stats.types.items()
        }
        for segment in manifest.segments
    )
