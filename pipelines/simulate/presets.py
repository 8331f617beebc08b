"""The shops that can be simulated: data only."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from pipelines.simulate.world import (
    BgNbd,
    Bump,
    Campaigns,
    Coupons,
    Customers,
    Fault,
    Funnel,
    Live,
    Messages,
    Season,
    Social,
    States,
    World,
)

__all__ = ["PRESETS"]

_FAULTS: Final = (
    Fault(step="purchase", page="payment", device="android", start_share=0.6, days=14, drop=0.6),
    Fault(step="cart", page="product", device="web", start_share=0.35, days=10, drop=0.4),
)
_NO_SEASON: Final = Season(yearly_amplitude=0.0, weekday=(1.0,) * 7)

_MARKETPLACE: Final = World(
    name="marketplace",
    description="A marketplace with everything: campaigns, coupons, levels, live streams, invites, all 42 event types.",
    events_a_customer_day=0.85,
    funnel=Funnel(faults=_FAULTS),
    live=Live(),
    concept_scale=0.43,
)
_SOCIAL: Final = World(
    name="social",
    description="A shop that grows by invitation and lives from sharing; small orders, many visits.",
    concept_scale=0.43,
    events_a_customer_day=1.6,
    customers=Customers(existing_share=0.35, visits_a_day=0.4, conversion=0.08, order_median=18.0),
    social=Social(shares=0.25, likes=0.5, comments=0.15, follows=0.08, invites=0.06, accepted=0.35),
    funnel=Funnel(faults=_FAULTS[:1]),
)
_LIVE: Final = World(
    name="live-stream",
    description="A shop that sells in live streams by hosts; buying follows watching.",
    concept_scale=1.2,
    events_a_customer_day=0.75,
    customers=Customers(visits_a_day=0.12, conversion=0.08, order_median=24.0, refund_rate=0.12),
    live=Live(
        sessions_a_day=4.0, hosts=16, watches=0.25, watchers_share=0.9, host_conversion=(0.02, 0.25), interacts=1.5
    ),
)
_GROCERY: Final = World(
    name="grocery",
    description="Groceries, subscription-like: weekly baskets of many lines, few leave, little season.",
    concept_scale=0.285,
    events_a_customer_day=2.2,
    season=Season(yearly_amplitude=0.05, weekday=(0.9, 0.85, 0.85, 0.9, 1.1, 1.4, 1.0)),
    customers=Customers(
        existing_share=0.85,
        visits_a_day=0.32,
        visits_shape=4.0,
        conversion=0.42,
        conversion_concentration=30.0,
        order_median=38.0,
        order_sigma=0.45,
        refund_rate=0.01,
    ),
    states=States(to_dormant=0.003, to_active=0.015, to_gone=0.0006, dormant_to_gone=0.01, start=(0.85, 0.1, 0.05)),
    funnel=Funnel(views=1.5, more_lines=6.0, items=4000, categories=40),
    coupons=Coupons(member_share=0.6, redeem=0.3, thresholds=(25.0, 50.0)),
    levels=None,
    social=None,
)
_GIFTS: Final = World(
    name="gifts",
    description="Gifts: few orders a year, most of them before Christmas.",
    concept_scale=0.445,
    events_a_customer_day=0.25,
    season=Season(
        yearly_amplitude=0.1,
        bumps=(
            Bump(day_of_year=342.0, width_days=16.0, height=4.0),
            Bump(day_of_year=128.0, width_days=6.0, height=0.8),
        ),
    ),
    customers=Customers(visits_a_day=0.05, visits_shape=0.9, conversion=0.22, order_median=55.0, order_sigma=0.8),
    states=States(to_dormant=0.006, to_active=0.01, to_gone=0.002, dormant_to_gone=0.003),
    levels=None,
    campaigns=None,
    social=None,
    messages=Messages(every_days=(28, 120, 90, 120)),
)
_BG_NBD: Final = World(
    name="bg-nbd",
    description="Orders only, from a pure BG/NBD process: the best possible prediction is known in closed form.",
    events_a_customer_day=0.02,
    season=_NO_SEASON,
    coupons=None,
    levels=None,
    campaigns=None,
    social=None,
    messages=None,
    bg_nbd=BgNbd(),
)
_CAMPAIGN: Final = World(
    name="campaign",
    description="A campaign laboratory: 10 % respond untreated, treatment adds 1.5 points (sd 1.5) by attributes.",
    concept_scale=0.57,
    events_a_customer_day=0.15,
    season=_NO_SEASON,
    customers=Customers(existing_share=1.0, visits_a_day=0.08, visits_shape=400.0, visits_effects=(0.0, 0.0, 0.0)),
    states=States(to_dormant=0.0, to_active=0.0, to_gone=0.0, dormant_to_gone=0.0, start=(1.0, 0.0, 0.0)),
    funnel=Funnel(views=0.5, searches=0.1, clicks=0.0, contents=0.0, favorites=0.0, logins=0.0),
    coupons=None,
    levels=None,
    campaigns=Campaigns(
        every_days=28,
        first_day=56,
        window_days=14,
        audience=1.0,
        arms=("holdout", "treat"),
        shares=(0.5, 0.5),
        effect_mean=(0.0, 0.015),
        effect_sd=(0.0, 0.015),
        form="points",
        base_response=0.10,
        base_spread=0.03,
        cost=1.165,
        value_of_response=50.0,
    ),
    social=None,
    messages=None,
)
PRESETS: Final = MappingProxyType(
    {world.name: world for world in (_MARKETPLACE, _SOCIAL, _LIVE, _GROCERY, _GIFTS, _BG_NBD, _CAMPAIGN)}
)
"""Name → shop."""
