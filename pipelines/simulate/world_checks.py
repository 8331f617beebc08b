"""Whether a world can be: every rate that cannot, all at once; and a world read back from its JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final

from pipelines.simulate import world as parts
from pipelines.simulate.vocabulary import CHANNELS, DEVICES, KINDS, LEVELS, PAGES
from pipelines.simulate.world import World

__all__ = ["world_from_dict", "world_problems"]

_CHANCES: Final = frozenset(
    {
        *("existing_share", "conversion", "refund_rate", "main_device_share", "to_dormant", "to_active", "to_gone"),
        *("dormant_to_gone", "dormant_weight", "drop", "start_share", "favorites", "logins", "checkout_given_cart"),
        *("purchase_given_checkout", "cart_removes", "member_share", "redeem", "checkins", "tasks", "lotteries"),
        *("audience", "coupon_redeem", "base_response", "watchers_share", "invites", "accepted", "open_rate"),
        *("click_rate", "bounce_rate", "unsubscribe_rate", "tickets", "surveys", "reviews", "start", "shares"),
        *("opt_in", "host_conversion", "yearly_amplitude"),
    }
)
_ABOVE_ZERO: Final = frozenset(
    {
        *(
            "events_a_customer_day",
            "visits_a_day",
            "visits_shape",
            "conversion_concentration",
            "order_median",
            "order_sigma",
        ),
        *("shape", "days", "items", "categories", "every_days", "valid_days", "review_days", "earn_days", "lag_days"),
        *(
            "window_days",
            "first_day",
            "sessions_a_day",
            "hosts",
            "width_days",
            "r",
            "alpha",
            "a",
            "b",
            "invited_multiplier",
        ),
        *("purchase_given_checkout", "checkout_given_cart", "multipliers", "weekday"),
    }
)
_ANY_SIGN: Final = frozenset(
    {"visits_effects", "conversion_effects", "effects", "effect_mean", "weights", "concept_scale"}
)
_NESTED: Final[Mapping[str, type[Any]]] = {
    "season": parts.Season,
    "customers": parts.Customers,
    "states": parts.States,
    "funnel": parts.Funnel,
    "coupons": parts.Coupons,
    "levels": parts.Levels,
    "campaigns": parts.Campaigns,
    "live": parts.Live,
    "social": parts.Social,
    "messages": parts.Messages,
    "bg_nbd": parts.BgNbd,
    "bumps": parts.Bump,
    "faults": parts.Fault,
}


def world_from_dict(record: Mapping[str, Any]) -> World:
    """Read what :meth:`World.to_dict` wrote, or its JSON.

    Examples
    --------
    >>> from pipelines.simulate.presets import PRESETS
    >>> all(world_from_dict(world.to_dict()) == world for world in PRESETS.values())
    True
    """
    return World(**{name: _read(name, value) for name, value in record.items()})


def world_problems(world: World) -> list[str]:
    """Every value that cannot be, as a sentence each.

    Examples
    --------
    >>> from pipelines.simulate.world import States
    >>> world_problems(World(name="x", description="", states=States(to_dormant=1.5)))
    ['states.to_dormant = 1.5; expected a chance from 0 to 1']
    """
    return [*_numbers("", world), *_relations(world)]


def _read(name: str, value: Any) -> Any:  # noqa: ANN401  (a value of JSON)
    if name in _NESTED and isinstance(value, Mapping):
        return _NESTED[name](**{key: _read(key, one) for key, one in value.items()})
    if isinstance(value, list | tuple):
        return tuple(_read(name, one) for one in value)
    return value


def _numbers(path: str, value: Any) -> Iterator[str]:  # noqa: ANN401  (any of the parts)
    for one in fields(value):
        name, inner = f"{path}{one.name}", getattr(value, one.name)
        if is_dataclass(inner):
            yield from _numbers(f"{name}.", inner)
            continue
        for place, entry in enumerate(inner if isinstance(inner, tuple) else (inner,)):
            at = f"{name}[{place}]" if isinstance(inner, tuple) else name
            if is_dataclass(entry):
                yield from _numbers(f"{at}.", entry)
            elif isinstance(entry, int | float):
                yield from _number(at, one.name, float(entry))


def _number(at: str, name: str, number: float) -> Iterator[str]:
    if not math.isfinite(number):
        yield f"{at} = {number}; expected a finite number"
    elif name in _CHANCES and not 0 <= number <= 1:
        yield f"{at} = {number:g}; expected a chance from 0 to 1"
    elif name in _ABOVE_ZERO and number <= 0:
        yield f"{at} = {number:g}; expected more than 0"
    elif name not in _ANY_SIGN and number < 0:
        yield f"{at} = {number:g}; expected 0 or more"


def _relations(world: World) -> Iterator[str]:
    """Values that must fit each other."""
    if not 0 < world.customers.conversion < 1:
        yield f"customers.conversion = {world.customers.conversion:g}; expected more than 0 and less than 1"
    if world.customers.refund_days[0] > world.customers.refund_days[1] or world.customers.refund_days[0] < 1:
        yield f"customers.refund_days = {world.customers.refund_days}; expected first and last, from 1"
    if not math.isclose(sum(world.states.start), 1.0, abs_tol=1e-9):
        yield f"states.start sums to {sum(world.states.start):g}; expected 1"
    if len(world.season.weekday) != 7 or len(world.season.hours) != 23:
        yield "season.weekday and season.hours have other lengths than 7 and 23 (no visit begins in the last hour)"
    yield from _faults_and_hosts(world)
    if world.coupons is not None:
        yield from _coupons(world.coupons)
    if world.levels is not None:
        yield from _levels(world.levels)
    if world.campaigns is not None:
        yield from _campaigns(world.campaigns)
    if world.messages is not None:
        yield from _messages(world.messages)


def _faults_and_hosts(world: World) -> Iterator[str]:
    for fault in world.funnel.faults:
        if fault.device not in DEVICES or fault.page not in PAGES:
            yield f"funnel.faults: {fault.device!r} on {fault.page!r}; expected one of {DEVICES} on one of {PAGES}"
    if world.live is not None and world.live.host_conversion[0] > world.live.host_conversion[1]:
        yield "live.host_conversion: the lowest is above the highest"


def _coupons(coupons: parts.Coupons) -> Iterator[str]:
    if coupons.valid_days > coupons.every_days or not coupons.thresholds:
        yield "coupons: expected valid_days up to every_days, so that one is at hand at a time, and a threshold"
    if not 0 < coupons.redeem < 1:
        yield f"coupons.redeem = {coupons.redeem:g}; expected more than 0 and less than 1"


def _levels(levels: parts.Levels) -> Iterator[str]:
    if levels.earn_days % levels.review_days or levels.lag_days % levels.review_days:
        yield "levels: earn_days and lag_days are no multiples of review_days"
    if not len(levels.thresholds) + 1 == len(levels.multipliers) <= len(LEVELS):
        yield f"levels: expected one multiplier more than thresholds, at most {len(LEVELS)}"
    if list(levels.thresholds) != sorted(levels.thresholds):
        yield "levels.thresholds do not rise"


def _campaigns(campaigns: parts.Campaigns) -> Iterator[str]:
    arms = len(campaigns.arms)
    if {len(campaigns.shares), len(campaigns.effect_mean), len(campaigns.effect_sd)} != {arms}:
        yield f"campaigns: expected {arms} shares, effect_mean and effect_sd, one an arm"
    if not math.isclose(sum(campaigns.shares), 1.0, abs_tol=1e-9):
        yield f"campaigns.shares sum to {sum(campaigns.shares):g}; expected 1"
    if campaigns.window_days >= campaigns.every_days:
        yield "campaigns: expected window_days below every_days, since campaigns do not overlap"
    if unknown := [arm for arm in campaigns.arms if arm not in KINDS]:
        yield f"campaigns.arms {unknown}; expected of holdout, message, coupon, treat"


def _messages(messages: parts.Messages) -> Iterator[str]:
    if len({len(messages.channels), len(messages.every_days), len(messages.opt_in)}) != 1:
        yield "messages: expected one every_days and opt_in a channel"
    if unknown := [name for name in messages.channels if name not in CHANNELS]:
        yield f"messages.channels {unknown}; expected of {CHANNELS}"
