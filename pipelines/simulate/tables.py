"""The reference tables: items, campaigns, coupons, live sessions, and a chunk's customers."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from features.clock import DAY_US
from pipelines.simulate.arrow import Texts, customer_texts
from pipelines.simulate.calendar import Calendar
from pipelines.simulate.draws import Floats, Ints, stream
from pipelines.simulate.events_loyalty import COUPON_TYPES
from pipelines.simulate.events_messages import opt_ins
from pipelines.simulate.latent import Latent
from pipelines.simulate.people import ATTRIBUTES
from pipelines.simulate.plan import Plan
from pipelines.simulate.rows import texts
from pipelines.simulate.vocabulary import DEVICES, SOURCES
from pipelines.simulate.wallet import coupon_arm, drop_starts

__all__ = ["customer_table", "item_prices", "shop_tables"]

_TIME = pa.timestamp("us", tz="UTC")


def item_prices(plan: Plan) -> Floats:
    """List price of every item; an order's amount is split among its lines in proportion to them."""
    draw = stream(plan.seed, "prices")
    return np.asarray(np.round(np.exp(np.log(20.0) + 0.8 * draw.standard_normal(plan.world.funnel.items)), 2))


def customer_table(plan: Plan, latent: Latent) -> pa.Table:
    """What the shop knows of a chunk's customers; the attributes never change."""
    people = latent.people
    allowed = opt_ins(plan, people.size, latent.chunk)
    channels = () if plan.world.messages is None else plan.world.messages.channels
    columns = {
        "customer_id": customer_texts(latent.chunk, people.size),
        "signed_up_at": pa.array(plan.start_us + people.join_day * DAY_US).cast(_TIME),
        **{name: pa.array(np.round(people.x[:, place], 6)) for place, name in enumerate(ATTRIBUTES)},
        "first_source": pa.array(np.asarray(SOURCES)[people.source]),
        "main_device": pa.array(np.asarray(DEVICES)[people.device]),
        "invited": pa.array(people.inviter >= 0),
    }
    for name in ("email", "sms", "push", "wecom"):
        place = channels.index(name) if name in channels else None
        columns[f"{name}_opt_in"] = pa.array(
            np.zeros(people.size, dtype=np.bool_) if place is None else allowed[:, place]
        )
    return pa.table(columns)


def shop_tables(plan: Plan, calendar: Calendar) -> dict[str, pa.Table]:
    """Tables of the shop by name; empty where the world has no such thing."""
    named = texts(plan, calendar)
    items = np.arange(plan.world.funnel.items)
    live, campaigns, coupons = calendar.live, plan.world.campaigns, plan.world.coupons

    def day(numbers: Ints) -> Texts:
        return pa.array(plan.start_us + np.asarray(numbers, dtype=np.int64) * DAY_US).cast(_TIME)

    begun = calendar.campaign_start[calendar.campaign_start < plan.days]
    window = 0 if campaigns is None else campaigns.window_days
    drops = drop_starts(plan)
    given = begun if coupon_arm(plan) >= 0 else begun[:0]
    shown = np.zeros(0, dtype=np.int64) if live is None else np.flatnonzero(live.day < plan.days)
    valid = 0 if coupons is None else coupons.valid_days
    thresholds = np.zeros(drops.size) if coupons is None else np.resize(coupons.thresholds, drops.size)
    return {
        "items": pa.table(
            {
                "item_id": pa.array(named["item_id"]),
                "category": pa.array(np.asarray(named["category"])[items % plan.world.funnel.categories]),
                "price": pa.array(item_prices(plan)),
            }
        ),
        "campaigns": pa.table(
            {
                "campaign_id": pa.array(named["campaign_id"][: begun.size], pa.string()),
                "starts_at": day(begun),
                "ends_at": day(begun + window),
            }
        ),
        "coupons": pa.table(
            {
                "coupon_id": pa.array(
                    [
                        *named["coupon_id"][: drops.size],
                        *(f"coupon-of-{one}" for one in named["campaign_id"][: given.size]),
                    ],
                    pa.string(),
                ),
                "type": pa.array(
                    [COUPON_TYPES[number % 3] for number in (*range(drops.size), *range(given.size))], pa.string()
                ),
                "threshold": pa.array(np.concatenate([thresholds, np.zeros(given.size)])),
                "valid_from": day(np.concatenate([drops, given])),
                "expires_at": day(np.concatenate([drops + valid, given + window])),
            }
        ),
        "live_sessions": pa.table(
            {
                "live_id": pa.array(named["live_id"][: shown.size], pa.string()),
                "host_id": pa.array(
                    [] if live is None else np.asarray(named["host_id"])[live.host[shown]], pa.string()
                ),
                "starts_at": pa.array([] if live is None else live.start_us[shown], pa.int64()).cast(_TIME),
                "ends_at": pa.array(
                    [] if live is None else live.start_us[shown] + (live.seconds[shown] * 1e6).astype(np.int64),
                    pa.int64(),
                ).cast(_TIME),
            }
        ),
    }
