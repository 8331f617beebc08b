"""Events of visits: signup, login, session, views, search, clicks, content, favourites, cart and checkout."""

from __future__ import annotations

from typing import Final

import numpy as np

from features.clock import DAY_US, HOUR_US
from pipelines.simulate.draws import Floats, Ints, pick, stream
from pipelines.simulate.scene import Scene
from pipelines.simulate.vocabulary import CHANNELS, CONTENTS, DEVICES, PAGES, SOURCES

__all__ = ["add_visits", "favourite_items", "session_channel"]

_WEB, _APP = CHANNELS.index("web"), CHANNELS.index("app")
_MINUTE: Final = 60_000_000
_SECOND: Final = 1_000_000
_SOURCE_WEIGHTS: Final = (0.35, 0.25, 0.15, 0.1, 0.1, 0.05, 0.0)


def session_channel(device: Ints) -> Ints:
    """Visits on the web device come by web, the others by app."""
    return np.where(device == DEVICES.index("web"), _WEB, _APP)


def favourite_items(scene: Scene, draw: np.random.Generator, customer: Ints) -> Ints:
    """Items near the customer's own favourite, the nearest most often."""
    items = scene.plan.world.funnel.items
    favourite = (customer * 7919 + scene.latent.chunk * 104_729) % items
    return np.asarray((favourite + (items * draw.random(customer.size) ** 4).astype(np.int64)) % items)


def add_visits(scene: Scene) -> None:
    """Everything a visit shows of itself but its order."""
    plan, visits, funnel = scene.plan, scene.latent.visits, scene.plan.world.funnel
    draw = stream(plan.seed, "rows of visits", scene.latent.chunk)
    _signups(scene, draw)
    size = visits.day.size
    every = np.arange(size)
    own = draw.random(size) < 0.6
    source = np.where(own, scene.latent.people.source[visits.customer], pick(draw, _SOURCE_WEIGHTS, size))
    minutes = np.minimum(50.0, draw.exponential(7.0, size) + 0.2)

    def add(event_type: str, rows: Ints, after_us: Floats | Ints, page: str, **columns: int | Ints | Floats) -> None:
        device = visits.device[rows]
        scene.rows.add(
            event_type,
            visits.customer[rows],
            visits.time[rows] + np.asarray(after_us).astype(np.int64),
            device=device,
            channel=session_channel(device),
            page=PAGES.index(page),
            session_id=scene.key(rows),
            **columns,
        )

    def within(rows: Ints) -> Floats:
        return np.asarray(5 * _SECOND + draw.random(rows.size) * minutes[rows] * _MINUTE)

    def some(mean: float) -> Ints:
        return np.repeat(every, draw.poisson(mean, size)) if mean else every[:0]

    add("session", every, np.zeros(size), "home", source=source, duration_seconds=np.round(minutes * 60))
    logins = np.flatnonzero(draw.random(size) < funnel.logins)
    add("login", logins, np.full(logins.size, 2 * _SECOND), "account")
    for event_type, mean, page in (("view", funnel.views, "product"), ("click", funnel.clicks, "search")):
        rows = some(mean)
        item = favourite_items(scene, draw, visits.customer[rows])
        seconds = {"duration_seconds": np.round(draw.exponential(40.0, rows.size) + 1)} if event_type == "view" else {}
        add(event_type, rows, within(rows), page, item_id=item, category=scene.category(item), **seconds)
    rows = some(funnel.searches)
    add("search", rows, within(rows), "search", value=draw.poisson(30, rows.size).astype(np.float64))
    rows = some(funnel.contents)
    content = (len(CONTENTS) * draw.random(rows.size) ** 2).astype(np.int64)
    read = np.round(draw.exponential(60.0, rows.size) + 1)
    add("content_view", rows, within(rows), "content", content_id=content, duration_seconds=read)
    rows = some(funnel.favorites)
    item = favourite_items(scene, draw, visits.customer[rows])
    add("favorite", rows, within(rows), "product", item_id=item, category=scene.category(item))
    _funnel(scene, draw, add)


def _signups(scene: Scene, draw: np.random.Generator) -> None:
    """On the day of joining, before that day's first visit."""
    plan, people, visits = scene.plan, scene.latent.people, scene.latent.visits
    rows = np.flatnonzero(people.join_day >= 0)
    midnight = plan.start_us + people.join_day * DAY_US
    within = (pick(draw, plan.world.season.hours, people.size) + draw.random(people.size)) * HOUR_US
    time = midnight + within.astype(np.int64)
    first = np.full(people.size, np.iinfo(np.int64).max)
    starts = np.searchsorted(visits.customer, np.arange(people.size))
    has = starts < visits.customer.size
    has[has] = visits.customer[starts[has]] == np.flatnonzero(has)
    first[has] = visits.time[starts[has]]
    time = np.maximum(midnight, np.minimum(time, first - 30 * _SECOND))
    scene.rows.add(
        "signup",
        rows,
        time[rows],
        source=np.where(people.inviter[rows] >= 0, SOURCES.index("referral"), people.source[rows]),
        device=people.device[rows],
        channel=session_channel(people.device[rows]),
        page=PAGES.index("account"),
        related_customer_id=people.inviter[rows],
    )


def _funnel(scene: Scene, draw: np.random.Generator, add) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """Carts and checkouts: the visit's one luck against nested chances, so that every buyer passed each step."""
    visits, funnel, faults = scene.latent.visits, scene.plan.world.funnel, scene.calendar.faults
    chance = scene.latent.chance
    to_cart = chance / (funnel.purchase_given_checkout * funnel.checkout_given_cart)
    to_checkout = chance / funnel.purchase_given_checkout
    carted = np.flatnonzero(visits.luck < to_cart * faults[0, visits.device, visits.day])
    checked = np.flatnonzero(visits.luck < to_checkout * faults[1, visits.device, visits.day])
    lines = np.repeat(carted, 1 + (draw.random(carted.size) < 0.3))
    item = favourite_items(scene, draw, visits.customer[lines])
    quantity = 1.0 + draw.poisson(0.2, lines.size)
    after = 2 * _MINUTE + draw.random(lines.size) * 2 * _MINUTE
    add("cart", lines, after, "product", item_id=item, category=scene.category(item), quantity=quantity)
    removed = np.flatnonzero(draw.random(lines.size) < funnel.cart_removes)
    rows, item = lines[removed], item[removed]
    add("cart_remove", rows, np.full(rows.size, 4.2 * _MINUTE), "cart", item_id=item, category=scene.category(item))
    add("checkout", checked, np.full(checked.size, 4.5 * _MINUTE), "checkout")
